// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using NUnit.Framework;

namespace DeepLake.Cli.Tests;

/// <summary>Sources that are no archive, or not all of one.</summary>
[TestFixture]
public sealed class C055ImportSourceTests : ScratchFixture
{
    [SetUp]
    public void SetUp() => Cli.MakeLake(_scratch["a.img"]);

    [TestCase("text", "no tar archive")]
    [TestCase("empty", "is empty")]
    [TestCase("/dev/null", "standard input")]
    [TestCase("fifo", "standard input")]
    public void WhatIsNoArchive_IsRefused_AndTheLakeIsUntouched(string source, string named)
    {
        File.WriteAllText(_scratch["text"], string.Concat(Enumerable.Repeat("root:x:0:0:root:/root:/bin/sh\n", 50)));
        File.WriteAllText(_scratch["empty"], "");
        using (Process mkfifo = Process.Start("mkfifo", _scratch["fifo"]))
        {
            mkfifo.WaitForExit();
        }
        string before = Scratch.HashOf(_scratch["a.img"]);
        CliResult result = Cli.Run("import", _scratch[source], _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.EqualTo(1), result.Errors);
        Assert.That(result.Errors, Does.Contain(named));
        Assert.That(Scratch.HashOf(_scratch["a.img"]), Is.EqualTo(before));
    }

    /// <summary>Regression: an epoch was begun, and an archive without members was "imported".</summary>
    [TestCase("nothing at all", "the archive is empty: it has no bytes at all")]
    [TestCase("no members", "there is nothing to import: the archive has no members")]
    [TestCase("only its root", "there is nothing to import: the archive has no members but its root directory")]
    [TestCase("text", "no tar archive")]
    [TestCase("empty directory", "there is nothing to import: .*/empty directory is empty")]
    public void WhatHoldsNothing_IsAnError_AndTheLakeIsUntouched(string what, string named)
    {
        byte[] archive = what switch
        {
            "no members" => new byte[10240],
            "only its root" => new TarBuilder().Add('5', "./").ToArray(),
            "text" => [.. Enumerable.Repeat((byte)'x', 5000)],
            _ => [],
        };
        string before = Scratch.HashOf(_scratch["a.img"]);
        Directory.CreateDirectory(_scratch["empty directory"]);
        using Process import = Cli.Start("import", what == "empty directory" ? _scratch[what] : "-", _scratch["a.img"]);
        import.StandardInput.BaseStream.Write(archive);
        import.StandardInput.Close();
        CliResult result = Cli.Finish(import);
        Assert.That(result.ExitCode, Is.EqualTo(1), result.Output + result.Errors);
        Assert.That(result.Errors, Does.Match(named).And.Contain("next:").And.Not.Contain("--resume"));
        Assert.That(Scratch.HashOf(_scratch["a.img"]), Is.EqualTo(before));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void AnArchiveCutBetweenMembers_IsWarnedOf(bool isStream)
    {
        byte[] whole = new TarBuilder().Add('0', "first", content: new byte[1000]).ToArray();
        byte[] cut = whole[..^1024];
        File.WriteAllBytes(_scratch["t.tar"], cut);
        using Process import = Cli.Start("import", isStream ? "-" : _scratch["t.tar"], _scratch["a.img"]);
        if (isStream)
        {
            import.StandardInput.BaseStream.Write(cut);
        }
        import.StandardInput.Close();
        CliResult result = Cli.Finish(import);
        Assert.That(result.ExitCode, Is.EqualTo(3), result.Errors);
        Assert.That(result.Errors, Does.Contain("no end mark"));
        Cli.AssertClean(_scratch["a.img"]);
    }

    [Test]
    public void AnAclWithoutNumbers_IsAnErrorThatSaysHowToArchive()
    {
        new TarBuilder()
            .Pax(("SCHILY.acl.access", "user::rw-,user:somebody:r--,group::r--,mask::r--,other::---"u8.ToArray()))
            .Add('0', "file")
            .WriteTo(_scratch["t.tar"]);
        CliResult result = Cli.Run("import", _scratch["t.tar"], _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.EqualTo(1), result.Errors);
        Assert.That(result.Errors, Does.Contain("somebody").And.Contain("--xattrs"));
    }
}
