// SPDX-License-Identifier: MPL-2.0
using DeepLake.Control;
using DeepLake.Lakectl.Client;
using DeepLake.Lakectl.Files;
using DeepLake.Lakectl.Output;
using NUnit.Framework;

namespace DeepLake.Cli.Tests;

/// <summary>Stats of a folder or file in a mounted lake; the lake itself is for the guest.</summary>
[TestFixture]
public sealed class C036StatsPathTests : ScratchFixture
{
    /// <summary>A file in a lake that holds a lake is shown as that lake, as ever.</summary>
    [Test]
    public void AnImage_IsKnownByEitherSuperblock()
    {
        Cli.MakeLake(_scratch["a.img"]);
        Assert.That(InsideLake.IsImage(_scratch["a.img"]), Is.True);
        using (FileStream image = File.OpenWrite(_scratch["a.img"]))
        {
            image.Position = 4096;
            image.Write(new byte[4096]);
        }
        Assert.That(InsideLake.IsImage(_scratch["a.img"]), Is.True, "by its end");
        File.WriteAllBytes(_scratch["text"], new byte[100_000]);
        Assert.That(InsideLake.IsImage(_scratch["text"]), Is.False);
        File.WriteAllText(_scratch["empty"], "");
        Assert.That(InsideLake.IsImage(_scratch["empty"]), Is.False);
    }

    [Test]
    public void WhatIsInNoLake_IsNotInside()
    {
        Assert.That(InsideLake.Find(_scratch["missing"]), Is.Null);
        Assert.That(InsideLake.Find("/"), Is.Null);
        Assert.That(FileStatus.Of("/")!.IsDirectory, Is.True);
        Assert.That(FileStatus.Of(_scratch["missing"]), Is.Null);
        File.WriteAllText(_scratch["file"], "");
        File.CreateSymbolicLink(_scratch["link"], _scratch["file"]);
        FileStatus file = FileStatus.Of(_scratch["file"])!;
        Assert.That((file.IsRegular, file.IsDirectory), Is.EqualTo((true, false)));
        Assert.That(FileStatus.Of(_scratch["link"]), Is.EqualTo(file));
        CliResult refused = Cli.Run("stats", Path.GetTempPath());
        Assert.That(refused.ExitCode, Is.EqualTo(10));
        Assert.That(refused.Errors, Does.Contain("is not on a lake"));
    }

    [Test]
    public void TheFigures_AddUp()
    {
        var stats = new SubtreeStats
        {
            Files = 2, Directories = 1, FurtherNames = 1, LogicalBytes = 5000, MappedBlocks = 10, UnwrittenBlocks = 1,
            StoredBlocks = 7, ExclusiveBlocks = 4, SavedBlocks = 3, SealedBlocks = 6, CheckedBlocks = 5,
        };
        stats.Zones.Add(new ZoneStats { Name = "posix", Inodes = 3, LogicalBytes = 5000, MappedBlocks = 10 });
        Assert.That(
            SubtreeText.Lines("/lake/a\u001b", stats, plain: true),
            Is.EqualTo(new[]
            {
                "/lake/a\\x1b: 2 files, 1 folder, 0 symlinks; 1 further name of files that are counted once",
                "  logical     5000, the sizes of the files",
                "  mapped      40960 of blocks, as du adds them up; 4096 of it preallocated",
                "  stored      28672 on the device, each block once",
                "  shared      12288 of it with files elsewhere",
                "  exclusive   16384 of it: deleting all of this frees so much",
                "  saved       12288 by what is shared within it, and by compression",
                "  sealed      24576 of files, 20480 checked on every read",
                "  zone posix  5000 logical, 40960 mapped, 3 inodes",
            }));
    }
}
