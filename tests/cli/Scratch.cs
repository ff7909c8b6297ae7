// SPDX-License-Identifier: MPL-2.0
using System.Security.Cryptography;

namespace DeepLake.Cli.Tests;

/// <summary>A folder for one test, removed after it.</summary>
internal sealed class Scratch : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("lake-cli").FullName;

    internal string this[string name] => Path.Combine(_path, name);

    internal static string HashOf(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexString(SHA256.HashData(file));
    }

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
