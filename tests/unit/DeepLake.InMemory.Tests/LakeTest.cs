// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;
using NUnit.Framework;

namespace DeepLake.InMemory.Tests;

/// <summary>A lake of the least size for each test; it is whole afterwards, whatever the test did.</summary>
public abstract class LakeTest
{
    private protected const int Block = 4096;

    private protected InMemoryLake Lake { get; private set; } = null!;

    /// <summary>False when the test leaves damage behind.</summary>
    private protected bool EndsClean { get; set; }

    [SetUp]
    public void MakeLake()
    {
        Lake = InMemoryLake.Create(new InMemoryLakeOptions { SizeBytes = InMemoryLakeOptions.MinSizeBytes });
        EndsClean = true;
    }

    [TearDown]
    public void EndLake()
    {
        try
        {
            Assert.That(EndsClean ? Lake.Verify(full: true).Findings : [], Is.Empty);
        }
        finally
        {
            Lake.Dispose();
        }
    }

    private protected static byte[] Random(int bytes, int seed = 1)
    {
        byte[] content = new byte[bytes];
        new Random(seed).NextBytes(content);
        return content;
    }

    private protected static void AssertSame(byte[] found, byte[] expected) =>
        Assert.That(found.AsSpan().CommonPrefixLength(expected), Is.EqualTo(expected.Length).And.EqualTo(found.Length));

    /// <summary>The operation fails for that reason with that path, and the lake is what it was.</summary>
    private protected LakeException AssertRefused(Errno reason, string path, Action operation)
    {
        string before = Describe();
        LakeException failure = Assert.Catch<LakeException>(operation)!;
        Assert.That((failure.Reason, failure.Path), Is.EqualTo((reason, path)), failure.Message);
        Assert.That(failure.Message, Does.StartWith(path + ": "));
        Assert.That(Describe(), Is.EqualTo(before));
        return failure;
    }

    /// <summary>All that can be seen of the lake but contents.</summary>
    private string Describe() => string.Join('\n', Walk("").Prepend($"{Lake.GetStats().StoredBytes} {Lake.GetStats().FreeBytes} {Lake.GetStats().AppliedSeq}"));

    private IEnumerable<string> Walk(string directory)
    {
        foreach (LakeEntry entry in Lake.List(directory + "/"))
        {
            string path = $"{directory}/{entry.Name}";
            yield return $"{path} {Lake.Stat(path)}";
            foreach (string below in entry.Kind == LakeFileKind.Directory ? Walk(path) : [])
            {
                yield return below;
            }
        }
    }
}
