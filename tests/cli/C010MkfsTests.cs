// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using DeepLake.Engine;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Cli.Tests;

[TestFixture]
public sealed class C010MkfsTests : ScratchFixture
{
    [Test]
    public void Mkfs_MakesAnImageOfTheSizeAsked_WithLabelAndUuid()
    {
        CliResult result = Cli.Run(
            "mkfs", "--json", "--size", "128M", "--label", "Ein See", "--uuid", "00112233-4455-6677-8899-aabbccddeeff", _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        Assert.That(new FileInfo(_scratch["a.img"]).Length, Is.EqualTo(128 << 20));
        var json = Cli.Json(result);
        Assert.That(json.GetProperty("version").GetInt32(), Is.EqualTo(1));
        Assert.That(json.GetProperty("uuid").GetString(), Is.EqualTo("00112233-4455-6677-8899-aabbccddeeff"));
        var lake = Cli.Json(Cli.Run("stats", "--json", _scratch["a.img"])).GetProperty("lakes")[0];
        Assert.That(lake.GetProperty("label").GetString(), Is.EqualTo("Ein See"));
        Assert.That(lake.GetProperty("uuid").GetString(), Is.EqualTo("00112233-4455-6677-8899-aabbccddeeff"));
        Cli.AssertClean(_scratch["a.img"]);
    }

    [TestCase("--label", "tab\there")]
    [TestCase("--label", "\u001b[31mred")]
    [TestCase("--label", "c1\u009b")]
    [TestCase("--uuid", "00000000-0000-0000-0000-000000000000")]
    public void Mkfs_RefusesNamesThatNobodyCanRead_AndMakesNothing(string option, string value)
    {
        CliResult result = Cli.Run("mkfs", "--size", "128M", option, value, _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.EqualTo(2), result.Errors);
        Assert.That(result.Errors, Does.Contain("next:"));
        Assert.That(File.Exists(_scratch["a.img"]), Is.False);
    }

    /// <summary>Regression: a lake that somebody else made could command the terminal of who looked at it.</summary>
    [Test]
    public void Stats_EscapeWhatIsInALabel()
    {
        Cli.MakeLake(_scratch["a.img"]);
        using (DirectBlockDevice device = DirectBlockDevice.Open(_scratch["a.img"]))
        {
            LakeFormatter.Format(device, new FormatOptions(Guid.NewGuid(), "see\u001b[2J\n\u202eb", DateTimeOffset.UnixEpoch));
        }
        CliResult result = Cli.Run("stats", _scratch["a.img"]);
        Assert.That(result.Output, Does.Contain("\"see\\x1b[2J\\n\\u202eb\""));
        var lake = Cli.Json(Cli.Run("stats", "--json", _scratch["a.img"])).GetProperty("lakes")[0];
        Assert.That(lake.GetProperty("label").GetString(), Is.EqualTo("see\u001b[2J\n\u202eb"));
    }

    [Test]
    public void Mkfs_WithoutSizeOfAMissingFile_SaysNotFound_AndMakesNothing()
    {
        CliResult result = Cli.Run("mkfs", _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.EqualTo(10));
        Assert.That(result.Errors, Does.Contain("does not exist").And.Contain("--size"));
        Assert.That(File.Exists(_scratch["a.img"]), Is.False);
    }

    [TestCase("1M", 2)]
    [TestCase("95M", 2)]
    [TestCase("lots", 2)]
    [TestCase("-5G", 2)]
    [TestCase("99999999999999999999G", 2)]
    [TestCase("16E", 2)]
    public void Mkfs_RefusesSizesThatCannotBe_AndMakesNothing(string size, int status)
    {
        CliResult result = Cli.Run("mkfs", $"--size={size}", _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.EqualTo(status), result.Errors);
        Assert.That(File.Exists(_scratch["a.img"]), Is.False);
    }

    /// <summary>More than 256 TiB; a dry run promises nothing that would be refused.</summary>
    [TestCase("257T", "257 TiB")]
    [TestCase("7E", "7340032 TiB")]
    [TestCase("8E", "8388608 TiB")]
    [TestCase("18446744073709551615", "16777215 TiB")]
    public void Mkfs_RefusesMoreThanALakeCanHave_AndSaysTheLimit(string size, string said)
    {
        foreach (string[] options in new string[][] { [], ["--dry-run"] })
        {
            CliResult result = Cli.Run(["mkfs", .. options, "--size", size, _scratch["a.img"]]);
            Assert.That(result.ExitCode, Is.EqualTo(2), result.Errors);
            Assert.That(result.Errors, Does.Contain($"a lake has 256 TiB at most; --size says {said}").And.Contain("smaller --size"));
            Assert.That(File.Exists(_scratch["a.img"]), Is.False);
        }
    }

    [Test]
    public void Mkfs_WhereNoImageCanBeMade_NamesTheCause()
    {
        CliResult missing = Cli.Run("mkfs", "--size", "128M", _scratch["no/such/a.img"]);
        Assert.That(missing.ExitCode, Is.EqualTo(10), missing.Errors);
        Assert.That(missing.Errors, Does.Contain($"there is no directory {_scratch["no/such"]}"));
        CliResult tried = Cli.Run("mkfs", "--dry-run", "--size", "128M", _scratch["no/such/a.img"]);
        Assert.That(tried.ExitCode, Is.EqualTo(10), tried.Errors);
        CliResult large = Cli.Run("mkfs", "--size", "256T", _scratch["a.img"]);
        Assert.That(large.ExitCode, Is.EqualTo(1), large.Errors);
        Assert.That(large.Errors, Does.Contain("smaller size"));
        Assert.That(File.Exists(_scratch["a.img"]), Is.False);
    }

    [TestCase(0x438, new byte[] { 0x53, 0xef }, "ext4")]
    [TestCase(0, new byte[] { 0x58, 0x46, 0x53, 0x42 }, "XFS")]
    [TestCase(510, new byte[] { 0x55, 0xaa }, "partition table")]
    [TestCase(700_000, new byte[] { 1 }, "unknown kind")]
    [TestCase((128 << 20) - 100, new byte[] { 1 }, "at its end")]
    public void Mkfs_RefusesADeviceThatHoldsSomething_AndChangesNothing(int offset, byte[] content, string named)
    {
        using (FileStream file = File.Create(_scratch["a.img"]))
        {
            file.SetLength(128 << 20);
            file.Position = offset;
            file.Write(content);
        }
        string before = Scratch.HashOf(_scratch["a.img"]);
        CliResult result = Cli.Run("mkfs", "--json", _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Errors, Does.Contain(named).And.Contain("--force"));
        Assert.That(Cli.Json(result).GetProperty("type").GetString(), Is.EqualTo("error"));
        Assert.That(Scratch.HashOf(_scratch["a.img"]), Is.EqualTo(before));
    }

    /// <summary>Regression: only its head and tail were looked at, and a sparse image with data between them was overwritten.</summary>
    [TestCase(5 << 20)]
    [TestCase((64 << 20) + 77)]
    [TestCase(126 << 20)]
    public void Mkfs_FindsDataInTheMiddleOfASparseImage(int offset)
    {
        using (FileStream file = File.Create(_scratch["a.img"]))
        {
            file.SetLength(128 << 20);
            file.Position = offset;
            file.WriteByte(1);
        }
        string before = Scratch.HashOf(_scratch["a.img"]);
        Assert.That(Cli.Run("mkfs", "--dry-run", _scratch["a.img"]).ExitCode, Is.EqualTo(1));
        CliResult result = Cli.Run("mkfs", _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Errors, Does.Contain($"at byte {offset}").And.Contain("--force"));
        Assert.That(Scratch.HashOf(_scratch["a.img"]), Is.EqualTo(before));
        CliResult forced = Cli.Run("mkfs", "--dry-run", "--force", "--json", _scratch["a.img"]);
        Assert.That(Cli.Json(forced).GetProperty("overwrites").GetString(), Does.Contain($"at byte {offset}"));
    }

    /// <summary>Regression: it was called data of an unknown kind at the end.</summary>
    [TestCase(0, 1 << 20, "a DeepLake filesystem whose beginning is gone", "lakectl repair DEVICE tells whether its archive brings them back")]
    [TestCase(4096, 4096, "a DeepLake filesystem whose first superblock is damaged", "lakectl verify")]
    public void Mkfs_RecognisesALake_ByItsLastBlock(int from, int zeroes, string said, string advice)
    {
        Assert.That(Cli.Run("mkfs", "--size", "128M", "--label", "Ein See", _scratch["a.img"]).ExitCode, Is.Zero);
        string uuid = Cli.Json(Cli.Run("stats", "--json", _scratch["a.img"])).GetProperty("lakes")[0].GetProperty("uuid").GetString()!;
        Overwrite(from, new byte[zeroes]);
        string before = Scratch.HashOf(_scratch["a.img"]);
        CliResult result = Cli.Run("mkfs", _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Errors, Does.Contain($"{said}: \"Ein See\", uuid {uuid}; the copy of its superblock at byte {(128 << 20) - 4096} is whole"));
        Assert.That(result.Errors, Does.Contain(advice).And.Contain("--force"));
        Assert.That(Scratch.HashOf(_scratch["a.img"]), Is.EqualTo(before));
        Assert.That(Cli.Run("mkfs", "--force", _scratch["a.img"]).ExitCode, Is.Zero);
        Cli.AssertClean(_scratch["a.img"]);
    }

    [Test]
    public void Mkfs_NamesALake_UnderWhatWasWrittenOverItsBeginning()
    {
        Cli.MakeLake(_scratch["a.img"]);
        byte[] other = new byte[1 << 20];
        other[510] = 0x55;
        other[511] = 0xaa;
        Overwrite(0, other);
        string said = Cli.Run("mkfs", _scratch["a.img"]).Errors;
        Assert.That(said, Does.Contain("partition table").And.Contain("left of a DeepLake filesystem whose beginning was overwritten"));
        // A last block that is not whole proves nothing.
        Overwrite((128 << 20) - 100, [1]);
        Assert.That(Cli.Run("mkfs", _scratch["a.img"]).Errors, Does.Contain("partition table").And.Not.Contain("DeepLake"));
    }

    [Test]
    public void Mkfs_DryRun_SaysWhereItLooked()
    {
        using (FileStream file = File.Create(_scratch["a.img"]))
        {
            file.SetLength(1L << 40);
        }
        CliResult hole = Cli.Run("mkfs", "--dry-run", _scratch["a.img"]);
        Assert.That(hole.ExitCode, Is.Zero, hole.Errors);
        Assert.That(hole.Output, Does.Contain("nothing was found there (looked at: all of it)"));
        Assert.That(Cli.Json(Cli.Run("mkfs", "--dry-run", "--json", _scratch["a.img"])).GetProperty("looked_at").GetString(), Is.EqualTo("all of it"));
    }

    /// <summary>Of an image whose blocks are all there a bounded part is read, and no more is claimed.</summary>
    [Test]
    public void Mkfs_OfAnImageWithoutHoles_ClaimsNoMoreThanItRead()
    {
        using (FileStream file = File.Create(_scratch["a.img"]))
        {
            for (int i = 0; i < 128; i++)
            {
                file.Write(new byte[1 << 20]);
            }
        }
        CliResult result = Cli.Run("mkfs", "--dry-run", _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        Assert.That(result.Output, Does.Contain("looked at: its last MiB, its first 64 MiB of data and 64 places after them"));
    }

    [Test]
    public void Mkfs_WithForce_ReplacesALake()
    {
        Cli.MakeLake(_scratch["a.img"]);
        CliResult first = Cli.Run("stats", "--json", _scratch["a.img"]);
        Assert.That(Cli.Run("mkfs", _scratch["a.img"]).Errors, Does.Contain("a DeepLake filesystem"));
        Assert.That(Cli.Run("mkfs", "--force", _scratch["a.img"]).ExitCode, Is.Zero);
        CliResult second = Cli.Run("stats", "--json", _scratch["a.img"]);
        string? Uuid(CliResult r) => Cli.Json(r).GetProperty("lakes")[0].GetProperty("uuid").GetString();
        Assert.That(Uuid(second), Is.Not.EqualTo(Uuid(first)));
        Cli.AssertClean(_scratch["a.img"]);
    }

    [Test]
    public void Mkfs_DryRun_ChangesNothing()
    {
        Assert.That(Cli.Run("mkfs", "--dry-run", "--size", "128M", _scratch["new.img"]).ExitCode, Is.Zero);
        Assert.That(File.Exists(_scratch["new.img"]), Is.False);
        Cli.MakeLake(_scratch["a.img"]);
        string before = Scratch.HashOf(_scratch["a.img"]);
        Assert.That(Cli.Run("mkfs", "--dry-run", "--force", _scratch["a.img"]).ExitCode, Is.Zero);
        Assert.That(Cli.Run("mkfs", "--dry-run", _scratch["a.img"]).ExitCode, Is.EqualTo(1), "refusals too");
        Assert.That(Scratch.HashOf(_scratch["a.img"]), Is.EqualTo(before));
    }

    [Test]
    public void Mkfs_RefusesALongLabelAndAnotherSize()
    {
        Assert.That(Cli.Run("mkfs", "--size", "128M", "--label", new string('x', 65), _scratch["a.img"]).ExitCode, Is.EqualTo(2));
        Assert.That(File.Exists(_scratch["a.img"]), Is.False);
        Cli.MakeLake(_scratch["a.img"]);
        Assert.That(Cli.Run("mkfs", "--force", "--size", "256M", _scratch["a.img"]).ExitCode, Is.EqualTo(2));
        Assert.That(new FileInfo(_scratch["a.img"]).Length, Is.EqualTo(128 << 20));
    }

    [Test]
    public void Commands_SayBusy_WhenAnotherLakedUsesTheImage()
    {
        Cli.MakeLake(_scratch["a.img"]);
        string before = Scratch.HashOf(_scratch["a.img"]);
        // An import that waits for its archive holds the image.
        using Process import = StartHolder();
        Assert.That(Cli.Run("mkfs", "--force", _scratch["a.img"]).ExitCode, Is.EqualTo(11));
        Assert.That(Cli.Run("verify", _scratch["a.img"]).ExitCode, Is.EqualTo(11));
        import.StandardInput.BaseStream.Write(new TarBuilder().Add('0', "file").ToArray());
        import.StandardInput.Close();
        Assert.That(Cli.Finish(import).ExitCode, Is.Zero);
        Assert.That(Scratch.HashOf(_scratch["a.img"]), Is.Not.EqualTo(before));
        Cli.AssertClean(_scratch["a.img"]);
    }

    [Test]
    public void Commands_SayBusy_WhenTheImageIsTheDiskOfAMachine()
    {
        Cli.MakeLake(_scratch["a.img"]);
        string before = Scratch.HashOf(_scratch["a.img"]);
        using (var machine = new FileStream(_scratch["a.img"], FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete))
        {
            // QEMU locks single bytes, never the file.
            machine.Lock(100, 1);
            Assert.That(Cli.Run("mkfs", "--force", _scratch["a.img"]).ExitCode, Is.EqualTo(11));
            Assert.That(Cli.Run("import", "/dev/shm", _scratch["a.img"]).ExitCode, Is.EqualTo(11));
            // Regression: that it would be formatted, and numbers of what was changing.
            AssertInUse("mkfs", "--force", "--dry-run", _scratch["a.img"]);
            AssertInUse("stats", _scratch["a.img"]);
            AssertInUse("verify", _scratch["a.img"]);
        }
        // Its locks of a disk that it writes are shared ones, too: of the right to write.
        using (var machine = new FileStream(_scratch["a.img"], FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))
        {
            machine.Lock(101, 1);
            AssertInUse("mkfs", "--force", "--dry-run", _scratch["a.img"]);
            AssertInUse("stats", _scratch["a.img"]);
            AssertInUse("verify", _scratch["a.img"]);
        }
        // One that only reads keeps nobody from reading.
        using (var machine = new FileStream(_scratch["a.img"], FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))
        {
            machine.Lock(100, 1);
            machine.Lock(201, 1);
            AssertInUse("mkfs", "--force", "--dry-run", _scratch["a.img"]);
            Assert.That(Cli.Run("stats", _scratch["a.img"]).ExitCode, Is.Zero);
            Assert.That(Cli.Run("verify", _scratch["a.img"]).ExitCode, Is.Zero);
        }
        Assert.That(Scratch.HashOf(_scratch["a.img"]), Is.EqualTo(before));
        Assert.That(Cli.Run("mkfs", "--force", _scratch["a.img"]).ExitCode, Is.Zero);
    }

    private static void AssertInUse(params string[] command)
    {
        CliResult result = Cli.Run(command);
        Assert.That(result.ExitCode, Is.EqualTo(11), string.Join(' ', command) + result.Output + result.Errors);
        Assert.That(result.Errors, Does.Contain("in use by another program").And.Contain("next:").And.Contain("virtual machine"));
    }

    private void Overwrite(int offset, byte[] bytes)
    {
        using FileStream file = File.OpenWrite(_scratch["a.img"]);
        file.Position = offset;
        file.Write(bytes);
    }

    // Asking whether the image is busy makes it busy for a moment: then the import is refused, and is begun again.
    private Process StartHolder()
    {
        Process import = Cli.Start("import", "-", _scratch["a.img"]);
        for (int i = 0; i < 200; i++)
        {
            if (import.HasExited)
            {
                Assert.That(import.ExitCode, Is.EqualTo(11), "only the question can be in its way");
                import.Dispose();
                import = Cli.Start("import", "-", _scratch["a.img"]);
            }
            Thread.Sleep(500);
            if (!import.HasExited && Cli.Run("stats", _scratch["a.img"]).ExitCode == 11)
            {
                return import;
            }
        }
        import.Kill();
        import.Dispose();
        throw new AssertionException("the import never opened the image");
    }
}
