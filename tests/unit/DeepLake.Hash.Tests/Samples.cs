// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Hash.Tests;

/// <summary>Contents and files that several tests use.</summary>
internal static class Samples
{
    public static string Root { get; } = FindRoot();

    /// <summary>The pattern of BLAKE3's published test vectors.</summary>
    public static byte[] Pattern(int bytes)
    {
        byte[] data = new byte[bytes];
        for (int i = 0; i < bytes; i++)
        {
            data[i] = (byte)(i % 251);
        }
        return data;
    }

    public static byte[] Random(int bytes, int seed)
    {
        byte[] data = new byte[bytes];
        new Random(seed).NextBytes(data);
        return data;
    }

    private static string FindRoot()
    {
        DirectoryInfo? at = new(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "DeepLake.sln")))
        {
            at = at.Parent;
        }
        return at?.FullName ?? throw new DirectoryNotFoundException("DeepLake.sln is not above the test");
    }
}
