// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using System.Security.Cryptography;
using NUnit.Framework;

namespace DeepLake.Cli.Tests;

/// <summary>An archive is fed up to some point, then the import is ended one way or the other.</summary>
[TestFixture]
public sealed class C060ImportResumeTests : ScratchFixture
{
    private const int Files = 60;

    private readonly byte[][] _contents = [.. Enumerable.Range(0, Files).Select(i => RandomNumberGenerator.GetBytes(200_000 + (i * 1000)))];
    private byte[] _archive = null!;

    [SetUp]
    public void SetUp()
    {
        Cli.MakeLake(_scratch["a.img"]);
        var builder = new TarBuilder().Add('5', "dir", mode: 0x1c0, mtime: 5);
        for (int i = 0; i < Files; i++)
        {
            builder.Add('0', $"dir/file{i}", mtime: 1000 + i, content: _contents[i]);
        }
        builder.Add('1', "hard", link: "dir/file0").Add('2', "soft", link: "x", mtime: 7);
        _archive = builder.ToArray();
        File.WriteAllBytes(_scratch["t.tar"], _archive);
    }

    [TestCase("INT")]
    [TestCase("TERM")]
    public void Interrupted_HasStatus130_LeavesACleanLake_AndResumes(string signal)
    {
        using Process import = Cli.Start("import", "-", _scratch["a.img"]);
        Feed(import, _archive.Length / 2);
        Cli.Signal(import.Id, signal);
        CliResult result = Cli.Finish(import);
        Assert.That(result.ExitCode, Is.EqualTo(130), result.Errors);
        Assert.That(result.Errors, Does.Contain("--resume"));
        CheckInterruptedThenResume();
    }

    [Test]
    public void KilledWorker_LeavesARecoverableLake_AndResumes()
    {
        using Process import = Cli.Start("import", "-", _scratch["a.img"]);
        Feed(import, _archive.Length * 2 / 3);
        Cli.Signal(Cli.Child(import.Id), "KILL");
        CliResult result = Cli.Finish(import);
        Assert.That(result.ExitCode, Is.EqualTo(1), result.Errors);
        CheckInterruptedThenResume();
    }

    [Test]
    public void CutArchive_Resumes()
    {
        using Process import = Cli.Start("import", "-", _scratch["a.img"]);
        Feed(import, _archive.Length / 3);
        import.StandardInput.Close();
        Assert.That(Cli.Finish(import).ExitCode, Is.EqualTo(1));
        CheckInterruptedThenResume();
    }

    /// <summary>Regression: the other one was imported, the lake called complete, and the first one's files stayed cut short.</summary>
    [Test]
    public void AnotherSource_IsRefused_AndChangesNothing()
    {
        File.WriteAllBytes(_scratch["t.tar"], _archive[..(_archive.Length / 3)]);
        Assert.That(Cli.Run("import", _scratch["t.tar"], _scratch["a.img"]).ExitCode, Is.EqualTo(1));
        Directory.CreateDirectory(_scratch["other"]);
        byte[] before = File.ReadAllBytes(_scratch["a.img"]);
        CliResult result = Cli.Run("import", "--resume", _scratch["other"], _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Errors, Does.Contain($"one of {_scratch["t.tar"]}"));
        Assert.That(File.ReadAllBytes(_scratch["a.img"]).AsSpan().SequenceEqual(before));
        File.WriteAllBytes(_scratch["t.tar"], _archive);
        CheckInterruptedThenResume();
    }

    private void CheckInterruptedThenResume()
    {
        Cli.AssertClean(_scratch["a.img"]);
        CliResult again = Cli.Run("import", _scratch["t.tar"], _scratch["a.img"]);
        Assert.That(again.ExitCode, Is.EqualTo(1));
        Assert.That(again.Errors, Does.Contain("interrupted"));
        CliResult result = Cli.Run("import", "--json", "--resume", _scratch["t.tar"], _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        Assert.That(Cli.Json(result).GetProperty("skipped").GetInt32(), Is.GreaterThan(5), "what was there is not done again");
        Assert.That(Cli.Json(result).GetProperty("files").GetInt32(), Is.GreaterThan(5));
        Cli.AssertClean(_scratch["a.img"]);
        Dictionary<string, LakeNode> lake = LakeReader.ReadAll(_scratch["a.img"]);
        Assert.That(lake, Has.Count.EqualTo(Files + 4));
        for (int i = 0; i < Files; i++)
        {
            LakeNode file = lake[$"dir/file{i}"];
            Assert.That(file.Content.AsSpan().SequenceEqual(_contents[i]), $"content of file{i}");
            Assert.That(file.Inode.Mtime.Sec, Is.EqualTo(1000 + i));
        }
        Assert.That((lake["dir"].Inode.Mtime.Sec, lake["dir"].Permissions), Is.EqualTo((5L, 0x1c0u)));
        Assert.That((lake["hard"].Inode.Ino, lake["hard"].Inode.Nlink), Is.EqualTo((lake["dir/file0"].Inode.Ino, 2u)));
        Assert.That(lake[""].Xattrs, Is.Empty);
    }

    // Returns when the worker has read nearly all of it: pipes hold little.
    private void Feed(Process import, int bytes)
    {
        import.StandardInput.BaseStream.Write(_archive, 0, bytes);
        import.StandardInput.BaseStream.Flush();
        Thread.Sleep(500);
    }
}
