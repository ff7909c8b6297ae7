// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using DeepLake.Abi;
using DeepLake.Engine.Format;
using DeepLake.Platform;
using DeepLake.Storage;
using DeepLake.Storage.Faster;
using NUnit.Framework;

namespace DeepLake.Cli.Tests;

/// <summary>Images of 128 MiB that are damaged in one way or another; what a repair did not ask for is not written.</summary>
[TestFixture]
public sealed class C090RepairTests : ScratchFixture
{
    private const int BlockBytes = 4096;

    private static readonly byte[] Marker = "a very recognisable content"u8.ToArray();

    private string Image => _scratch["a.img"];

    [Test]
    public void AWholeLake_IsLeftAlone()
    {
        MakeLake();
        AssertUnchanged(() =>
        {
            CliResult result = Cli.Run("repair", Image);
            Assert.That((result.ExitCode, result.Output), Is.EqualTo((0, $"{Image}: nothing to repair; 9 inodes, 9 names; data was not read (lakectl verify --full reads it)\n")));
            Assert.That(Cli.Json(Cli.Run("repair", "--json", Image)).GetProperty("outcome").GetString(), Is.EqualTo("unchanged"));
            AssertFails(1, "it is not rebuilt", "repair", "--rebuild", "--yes", Image);
        });
    }

    [TestCase("A")]
    [TestCase("B")]
    public void ASuperblockCopyThatIsDamaged_IsWrittenAnew_AndTheLakeStaysClean(string copy)
    {
        Dictionary<string, LakeNode> before = MakeLake();
        Flip(((copy == "A" ? 1 : (long)Superblock().DeviceBlocks - 1) * BlockBytes) + 100);
        AssertUnchanged(() =>
        {
            CliResult planned = Cli.Run("repair", "--dry-run", Image);
            Assert.That(planned.ExitCode, Is.Zero, planned.Errors);
            Assert.That(planned.Output, Does.Contain($"found   superblock copy {copy} is damaged").And.Contain("plan    write two checkpoints").And.Contain("nothing was changed"));
            AssertFails(1, "it is not rebuilt", "repair", "--rebuild", "--yes", Image);
        });
        CliResult result = Cli.Run("repair", Image);
        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        Assert.That(result.Output, Does.Contain("plan    write two checkpoints").And.Contain("repaired; 9 inodes"));
        AssertWholeAndQuiet(before);
    }

    [TestCase(0u)]
    [TestCase(1u)]
    public void TheNewestCheckpoint_OrTheOneBefore_ThatIsDamaged_IsWrittenAnew_AndTheLakeStaysClean(uint older)
    {
        Dictionary<string, LakeNode> before = MakeLake();
        Superblock superblock = Superblock();
        Flip(((long)superblock.Ticket[(int)((Newest() - older) & 1)].StartBlock * BlockBytes) + 20);
        CliResult health = Cli.Run("health", Image);
        Assert.That(health.ExitCode, Is.EqualTo(3), "either is told of");
        Assert.That(health.Output, Does.Contain(older == 0 ? "attention: the newest checkpoint was damaged" : "attention: the checkpoint before the newest is damaged"));
        CliResult result = Cli.Run("repair", "--json", Image);
        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        Assert.That(Cli.Json(result).GetProperty("kind").GetString(), Is.EqualTo("checkpoints"));
        Assert.That(Cli.Json(result).GetProperty("findings")[0].GetString(), Does.Contain("the checkpoint ticket at byte"));
        Assert.That(Cli.Json(result).GetProperty("stays_clean").GetBoolean(), Is.True);
        AssertWholeAndQuiet(before);
    }

    [Test]
    public void ADamagedSegmentOfTheArchive_IsTold_AndWaitsForANewBase()
    {
        Dictionary<string, LakeNode> before = MakeLake();
        Flip(LastSegment() + 30);
        Assert.That(Cli.Run("verify", Image).ExitCode, Is.Zero);
        CliResult verify = Cli.Run("verify", "--full", Image);
        Assert.That(verify.ExitCode, Is.Zero, "no file is damaged");
        Assert.That(verify.Output, Does.Match("note: segment [0-9]+ of the archive, at block [0-9]+ of the device, is damaged: nothing is lost"));
        CliResult result = Cli.Run("repair", "--json", Image);
        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        Assert.That(Cli.Json(result).GetProperty("kind").GetString(), Is.EqualTo("checkpoints"));
        Assert.That(Cli.Json(result).GetProperty("stays_clean").GetBoolean(), Is.True);
        AssertWholeAndQuiet(before);
        Assert.That(Cli.Run("repair", Image).Output, Does.Contain("nothing to repair"));
        Assert.That(Cli.Run("health", Image).Output, Does.Contain("laked writes a base of the archive within minutes"));
    }

    /// <summary>Superblocks, log, page store, and the checksum table.</summary>
    [Test]
    public void ALakeOfWhichOnlyTheDataRegionIsLeft_IsRebuilt_WhenThatIsAskedFor()
    {
        Dictionary<string, LakeNode> before = MakeLake();
        ZeroMetadata();
        AssertUnchanged(() =>
        {
            AssertFails(1, "lakectl repair --rebuild", "repair", Image);
            AssertFails(1, "lakectl repair --rebuild", "repair", "--dry-run", Image);
            AssertFails(1, "lakectl repair --rebuild", "repair", "--yes", Image);
            AssertFails(2, "--yes", "repair", "--rebuild", Image);
            CliResult told = Cli.Run("repair", Image);
            Assert.That(told.Output, Does.Match("lake [0-9a-f-]{36} \"pond\"\n"));
            Assert.That(told.Output, Does.Match("found +this is not a DeepLake device"));
            Assert.That(told.Output, Does.Match(@"begins +with a base as of change \d+").And.Match(@"log +\d+ archived segments?\n").And.Match(@"until +change \d+; .*\d{4}-\d\d-\d\d"));
            CliResult dry = Cli.Run("repair", "--rebuild", "--dry-run", "--json", Image);
            Assert.That(dry.ExitCode, Is.Zero, dry.Errors);
            AssertProven(Cli.Json(dry), "planned");
        });
        CliResult result = Cli.Run("repair", "--rebuild", "--yes", "--json", Image);
        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        AssertProven(Cli.Json(result), "repaired");
        string[] types = [.. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(TypeOf)];
        Assert.That(types, Does.Contain("repair-plan").And.Contain("progress"));
        AssertWholeAndQuiet(before);
        AssertUnchanged(() => AssertFails(1, "it is not rebuilt", "repair", "--rebuild", "--yes", Image));
    }

    [Test]
    public void APageStoreThatIsGone_IsRebuilt_WithTheLogsHelp()
    {
        Dictionary<string, LakeNode> before = MakeLake();
        Zero(Superblock().Pages);
        AssertFails(1, "lakectl repair DEVICE", "verify", Image);
        CliResult result = Cli.Run("repair", "--rebuild", "--yes", "--json", Image);
        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        Assert.That(Cli.Json(result).GetProperty("mended_checksums").GetInt32(), Is.Zero);
        Assert.That(Cli.Json(result).GetProperty("source").GetProperty("complete").GetBoolean(), Is.True);
        AssertWholeAndQuiet(before);
    }

    [Test]
    public void ALogThatIsGone_IsTold_AndCostsNothing_OfALakeThatEndedCleanly()
    {
        Dictionary<string, LakeNode> before = MakeLake();
        Zero(Superblock().Wal);
        CliResult verify = Cli.Run("verify", Image);
        Assert.That(verify.ExitCode, Is.Zero, "nothing is lost");
        Assert.That(verify.Output, Does.Match("note: frame [0-9]+ of the log is damaged: nothing is lost"));
        Assert.That(Cli.Run("health", Image).Output, Does.Match("attention: frame [0-9]+ of the log is damaged"));
        CliResult repair = Cli.Run("repair", "--json", Image);
        Assert.That(repair.ExitCode, Is.Zero, repair.Errors);
        Assert.That(Cli.Json(repair).GetProperty("kind").GetString(), Is.EqualTo("checkpoints"));
        Assert.That(Cli.Json(repair).GetProperty("stays_clean").GetBoolean(), Is.True);
        Assert.That(Cli.Run("repair", Image).Output, Does.Contain("nothing to repair"));
        AssertWholeAndQuiet(before);
    }

    /// <summary>Regression: it was taken for one that a power cut had left unfinished.</summary>
    [Test]
    public void ADamagedLastFrame_IsToldOf_WithWhatItCost()
    {
        Dictionary<string, LakeNode> before = MakeLake();
        LakeEditor.Unlink(Image, before["gone"].Inode.Ino, "gone", unmounts: false);
        Flip(LastFrame() + 80);
        CliResult verify = Cli.Run("verify", Image);
        Assert.That(verify.ExitCode, Is.EqualTo(3));
        Assert.That(verify.Output, Does.Match("problem: the log is damaged: its last frame, number [0-9]+, is damaged"));
        CliResult health = Cli.Run("health", Image);
        Assert.That(health.ExitCode, Is.EqualTo(3));
        Assert.That(health.Output, Does.Contain("damage: the log is damaged").And.Contain("compare what was changed last with a backup"));
        CliResult repair = Cli.Run("repair", Image);
        Assert.That(repair.ExitCode, Is.Zero, repair.Errors);
        Assert.That(repair.Output, Does.Contain("the log is damaged").And.Contain("write two checkpoints"));
        AssertWholeAndQuiet(before);
    }

    [Test]
    public void ALogThatIsGone_IsToldOf_WhenTheLakeDidNotEndCleanly()
    {
        Dictionary<string, LakeNode> before = MakeLake();
        LakeEditor.Unlink(Image, before["gone"].Inode.Ino, "gone", unmounts: false);
        Assert.That(Cli.Run("verify", Image).ExitCode, Is.Zero, "the log has it");
        Zero(Superblock().Wal);
        CliResult verify = Cli.Run("verify", Image);
        Assert.That(verify.ExitCode, Is.EqualTo(3));
        Assert.That(verify.Output, Does.Contain("problem: the log is damaged: nothing can be read where it ends").And.Contain("1 problem;"));
        CliResult health = Cli.Run("health", Image);
        Assert.That(health.ExitCode, Is.EqualTo(3));
        Assert.That(health.Output, Does.Contain(": damaged").And.Contain("damage: the log is damaged").And.Contain("compare what was changed last with a backup"));
        CliResult repair = Cli.Run("repair", Image);
        Assert.That(repair.ExitCode, Is.Zero, repair.Errors);
        Assert.That(repair.Output, Does.Contain("the log is damaged").And.Contain("write two checkpoints"));
        AssertWholeAndQuiet(before);
    }

    [Test]
    public void ADamagedBlockOfData_IsNamed_AndHasStatus3()
    {
        Dictionary<string, LakeNode> before = MakeLake();
        Flip(Find(Marker) + 3);
        ZeroRegionsBefore(Superblock().Sums.StartBlock);
        CliResult dry = Cli.Run("repair", "--rebuild", "--dry-run", Image);
        Assert.That(dry.ExitCode, Is.EqualTo(3), dry.Errors);
        CliResult result = Cli.Run("repair", "--rebuild", "--yes", Image);
        Assert.That(result.ExitCode, Is.EqualTo(3), result.Errors);
        Assert.That(result.Output, Does.Match(@"damaged inode \d+ \(/dir/file and 1 more name\): its bytes 0 to 4095 are damaged").And.Contain(": 1 damaged"));
        Assert.That(result.Errors, Does.Contain("not all of it is there and proven").And.Contain("next:"));
        Assert.That(Cli.Run("verify", Image).ExitCode, Is.Zero, "its structure is sound");
        Assert.That(LakeReader.ReadAll(Image).Keys, Is.EquivalentTo(before.Keys));
    }

    [Test]
    public void AChecksumTableThatIsGone_IsADamage_ForVerifyAndHealthToo()
    {
        MakeLake();
        Zero(Superblock().Sums);
        CliResult verify = Cli.Run("verify", Image);
        Assert.That(verify.ExitCode, Is.EqualTo(3));
        Assert.That(verify.Output, Does.Match("problem: the checksum table is gone in [0-9]+ of its blocks"));
        CliResult health = Cli.Run("health", Image);
        Assert.That(health.ExitCode, Is.EqualTo(3));
        Assert.That(health.Output, Does.Contain($"{Image}: damaged").And.Contain($"next: lakectl repair {Image}"));
    }

    /// <summary>Regression: the data was lost though the file's identity proved it, and repair had no way to look.</summary>
    [Test]
    public void ADamagedChecksum_IsToldFromDamagedData_ByReadingIt()
    {
        Dictionary<string, LakeNode> before = MakeLake();
        byte[] whole = File.ReadAllBytes(Image);
        long block = Find(Marker) / BlockBytes;
        Superblock superblock = Superblock();
        Flip(((long)superblock.Sums.StartBlock * BlockBytes) + ((block - (long)superblock.Data.StartBlock) * sizeof(uint)));
        Assert.That(Cli.Run("verify", "--full", Image).ExitCode, Is.EqualTo(3));
        AssertUnchanged(() =>
        {
            CliResult dry = Cli.Run("repair", "--full", "--dry-run", Image);
            Assert.That(dry.ExitCode, Is.Zero, dry.Errors);
            Assert.That(dry.Output, Does.Contain("would be repaired").And.Contain("0 damaged, 1 checksums written anew").And.Contain("nothing was changed"));
        });
        CliResult result = Cli.Run("repair", "--full", Image);
        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        Assert.That(result.Output, Does.Contain($"{Image}: repaired;").And.Contain("0 damaged, 1 checksums written anew"));
        Assert.That(File.ReadAllBytes(Image).AsSpan().SequenceEqual(whole), Is.True, "nothing else was written");
        AssertWholeAndQuiet(before);
        Assert.That(Cli.Run("repair", "--full", Image).Output, Does.Contain("nothing to repair").And.Contain("0 damaged, 0 checksums"));
        Flip((block * BlockBytes) + 3);
        AssertUnchanged(() => AssertFails(3, "lakectl verify --full", "repair", "--full", Image));
    }

    /// <summary>Regression: all of it was unreadable, and repair said that there was nothing to repair.</summary>
    [Test]
    public void AChecksumTableThatIsGone_IsMended_AndNothingElseIsWritten()
    {
        Dictionary<string, LakeNode> before = MakeLake();
        byte[] whole = File.ReadAllBytes(Image);
        Zero(Superblock().Sums);
        AssertUnchanged(() =>
        {
            CliResult dry = Cli.Run("repair", "--dry-run", Image);
            Assert.That(dry.ExitCode, Is.Zero, dry.Errors);
            Assert.That(dry.Output, Does.Contain("found   the checksum table is gone").And.Contain("would be repaired").And.Contain("nothing was changed"));
            AssertFails(1, "it is not rebuilt", "repair", "--rebuild", "--yes", Image);
        });
        JsonElement json = Cli.Json(Cli.Run("repair", "--json", Image));
        Assert.That((json.GetProperty("kind").GetString(), json.GetProperty("outcome").GetString()), Is.EqualTo(("checksums", "repaired")));
        Assert.That((json.GetProperty("damaged_blocks").GetInt32(), json.GetProperty("unproven_blocks").GetInt32()), Is.EqualTo((0, 0)));
        Assert.That(File.ReadAllBytes(Image).AsSpan().SequenceEqual(whole), Is.True);
        AssertWholeAndQuiet(before);
    }

    [Test]
    public void AChecksumTableThatIsGone_IsNotMendedForDataThatTheIdentityDisproves()
    {
        MakeLake();
        Flip(Find(Marker) + 3);
        Zero(Superblock().Sums);
        CliResult result = Cli.Run("repair", Image);
        Assert.That(result.ExitCode, Is.EqualTo(3), result.Output + result.Errors);
        Assert.That(result.Output, Does.Match("compared: [1-9][0-9]* damaged, [1-9][0-9]* checksums written anew.*, 0 more"));
        CliResult verify = Cli.Run("verify", "--full", Image);
        Assert.That(verify.ExitCode, Is.EqualTo(3));
        Assert.That(verify.Output, Does.Contain("(/dir/file").And.Not.Contain("(/odd"));
    }

    [Test]
    public void AFileThatNothingTellsOf_IsTakenAsItIs_AndNamed()
    {
        string tree = _scratch["tree"];
        Directory.CreateDirectory(tree);
        File.WriteAllBytes(Path.Combine(tree, "a"), RandomNumberGenerator.GetBytes(50_000));
        using (FileStream sparse = File.Create(Path.Combine(tree, "b"))) // hardly anything but holes: it gets no identity
        {
            sparse.SetLength(3L << 30);
            sparse.Position = 1 << 20;
            sparse.Write(Marker);
        }
        Cli.MakeLake(Image);
        Assert.That(Cli.Run("import", tree, Image).ExitCode, Is.Zero);
        ZeroMetadata();
        CliResult result = Cli.Run("repair", "--rebuild", "--yes", "--json", Image);
        Assert.That(result.ExitCode, Is.EqualTo(3), result.Errors);
        JsonElement json = Cli.Json(result);
        Assert.That((json.GetProperty("mended_checksums").GetInt32(), json.GetProperty("damaged_blocks").GetInt32()), Is.EqualTo((13, 0)));
        Assert.That(json.GetProperty("unproven_blocks").GetInt32(), Is.EqualTo(1));
        JsonElement file = json.GetProperty("unproven_files").EnumerateArray().Single();
        Assert.That((file.GetProperty("path").GetString(), file.GetProperty("blocks").GetInt32()), Is.EqualTo(("/b", 1)));
        Cli.AssertClean(Image);
    }

    [Test]
    public void APieceOfTheArchiveThatIsDamaged_EndsWhatComesBack_AndHasStatus3()
    {
        Dictionary<string, LakeNode> before = MakeLake();
        LakeEditor.Unlink(Image, before["gone"].Inode.Ino, "gone");
        Flip(LastSegment() + (2 * BlockBytes) + 70);
        AssertUnchanged(() => Assert.That(Cli.Run("repair", "--dry-run", Image).ExitCode, Is.Zero, "the lake itself is whole"));
        ZeroMetadata();
        CliResult result = Cli.Run("repair", "--rebuild", "--yes", Image);
        Assert.That(result.ExitCode, Is.EqualTo(3), result.Errors);
        Assert.That(result.Output, Does.Match(@"lost +what came after that: changes \d+ to \d+ are known of"));
        Assert.That(result.Output, Does.Match(@"note +segment \d+ of the archive, at block \d+, is damaged"));
        AssertWholeAndQuiet(before);
    }

    [Test]
    public void AnArchiveThatIsDamaged_IsToldAsThat()
    {
        MakeLake();
        Flip(LastSegment() + (2 * BlockBytes) + 70);
        ZeroMetadata();
        AssertUnchanged(() => AssertFails(1, "no segment of its archive is whole", "repair", "--rebuild", "--yes", Image));
    }

    /// <summary>A page whose checksum is right and whose inode counts a link too many.</summary>
    [Test]
    public void AStructureThatContradictsItself_IsRebuilt()
    {
        Dictionary<string, LakeNode> before = MakeLake();
        CountALinkTooMany();
        AssertFails(3, "lakectl repair", "verify", Image);
        AssertUnchanged(() =>
        {
            CliResult told = Cli.Run("repair", Image);
            Assert.That(told.ExitCode, Is.EqualTo(1), told.Output);
            Assert.That(told.Output, Does.Contain("links").And.Contain("the lake can be opened as it is"));
        });
        CliResult result = Cli.Run("repair", "--rebuild", "--yes", Image);
        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        AssertWholeAndQuiet(before);
    }

    [Test]
    public void WhatNeverWasALake_IsToldAsThat()
    {
        File.WriteAllBytes(Image, new byte[32 << 20]);
        AssertUnchanged(() =>
        {
            foreach (string[] options in (string[][])[[], ["--rebuild", "--yes"]])
            {
                CliResult result = Cli.Run(["repair", .. options, Image]);
                Assert.That(result.ExitCode, Is.EqualTo(1));
                Assert.That(result.Errors, Does.Contain("this is not a DeepLake device").And.Contain("no segment of an archive").And.Contain("nothing was changed").And.Contain("next: check the device name"));
            }
        });
        AssertFails(10, "does not exist", "repair", _scratch["nothing"]);
    }

    [Test]
    public void TheLakeThatWasThereBefore_DoesNotComeBack_InPlaceOfTheNewOne()
    {
        MakeLake();
        Assert.That(Cli.Run("mkfs", "--force", "-L", "second", Image).ExitCode, Is.Zero);
        new TarBuilder().Add('0', "new", content: Marker).WriteTo(_scratch["second.tar"]);
        Assert.That(Cli.Run("import", _scratch["second.tar"], Image).ExitCode, Is.Zero);
        ZeroMetadata();
        CliResult result = Cli.Run("repair", "--rebuild", "--yes", Image);
        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        Assert.That(result.Output, Does.Contain("\"second\""));
        Assert.That(LakeReader.ReadAll(Image).Keys, Is.EquivalentTo(new[] { "", "new" }));
    }

    /// <summary>Its superblocks say which lake this is, and that one has nothing to come back.</summary>
    [Test]
    public void TheLakeThatWasThereBefore_DoesNotComeBack_InPlaceOfAnEmptyOne()
    {
        MakeLake();
        Assert.That(Cli.Run("mkfs", "--force", Image).ExitCode, Is.Zero);
        Zero(Superblock().Pages);
        AssertUnchanged(() => AssertFails(1, "cannot be rebuilt", "repair", "--rebuild", "--yes", Image));
    }

    [Test]
    public void WhatWasDeleted_DoesNotComeBack()
    {
        Dictionary<string, LakeNode> before = MakeLake();
        LakeEditor.Unlink(Image, before["gone"].Inode.Ino, "gone");
        before = LakeReader.ReadAll(Image);
        Assert.That(before.Keys, Does.Not.Contain("gone").And.Contain("odd"));
        ZeroMetadata();
        Assert.That(Cli.Run("repair", "--rebuild", "--yes", Image).ExitCode, Is.Zero);
        AssertWholeAndQuiet(before);
    }

    /// <summary>Killed when it has begun to write, wherever that is.</summary>
    [TestCase("KILL")]
    [TestCase("INT")]
    public void ARebuildThatIsKilled_IsBegunAgain(string signal)
    {
        Dictionary<string, LakeNode> before = MakeLake();
        ZeroMetadata();
        using Process repair = Cli.Start("repair", "--rebuild", "--yes", "--json", Image);
        repair.StandardInput.Close();
        int worker = Cli.Child(repair.Id);
        while (repair.StandardOutput.ReadLine() is { } line && !line.Contains("reading the base", StringComparison.Ordinal))
        {
        }
        Cli.Signal(signal == "INT" ? repair.Id : worker, signal);
        int status = Cli.Finish(repair).ExitCode;
        Assert.That(status, Is.AnyOf(0, 1, 130), "it may have been done");
        CliResult left = Cli.Run("verify", Image);
        Assert.That(left.ExitCode == 0 || (status != 0 && left.ExitCode == 1), left.Output + left.Errors);
        CliResult again = Cli.Run("repair", "--rebuild", "--yes", Image);
        Assert.That(again.ExitCode, Is.EqualTo(0).Or.EqualTo(1), again.Errors);
        Assert.That(again.ExitCode == 0 || Cli.Run("repair", Image).ExitCode == 0, again.Errors);
        AssertWholeAndQuiet(before);
    }

    [Test]
    public void AnImageInUse_IsRefused()
    {
        MakeLake();
        using DirectBlockDevice device = DirectBlockDevice.Open(Image, readOnly: false);
        Assert.That(Linux.Lock(device.FileDescriptor, LockOperation.Exclusive | LockOperation.NonBlock), Is.EqualTo(Errno.None));
        AssertFails(11, "in use", "repair", Image);
        AssertFails(11, "in use", "repair", "--dry-run", Image);
    }

    /// <summary>Every kind of file; with the root, nine inodes.</summary>
    private Dictionary<string, LakeNode> MakeLake()
    {
        byte[] capability = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0xff, 0, 0x80, 0, 0, 0, 0, 0];
        new TarBuilder()
            .Add('5', "dir/", mode: 0x5c0, uid: 1000, gid: 1001, mtime: 1_222_222_222)
            .Pax(("mtime", "1333333333.123456789"u8.ToArray()), ("SCHILY.xattr.security.capability", capability), ("SCHILY.xattr.user.note", "a\nb=c"u8.ToArray()))
            .Add('0', "dir/file", mode: 0x9ed, uid: 123, gid: 456, content: [.. Marker, .. RandomNumberGenerator.GetBytes(300_001)])
            .Add('1', "hard", link: "dir/file")
            .Add('2', "soft", mode: 0x1ff, uid: 3, link: "dir/nowhere")
            .Add('3', "null", mode: 0x1b6, device: (1, 3))
            .Add('6', "pipe", mode: 0x180)
            .Add('0', "odd", mode: 0x124, uid: 77, content: RandomNumberGenerator.GetBytes(10_000))
            .Add('0', "same", content: Marker)
            .Add('0', "gone", content: RandomNumberGenerator.GetBytes(9_000))
            .WriteTo(_scratch["t.tar"]);
        CliResult made = Cli.Run("mkfs", "--size", "128M", "-L", "pond", Image);
        Assert.That(made.ExitCode, Is.Zero, made.Errors);
        CliResult imported = Cli.Run("import", _scratch["t.tar"], Image);
        Assert.That(imported.ExitCode, Is.Zero, imported.Errors);
        return LakeReader.ReadAll(Image);
    }

    private void AssertWholeAndQuiet(Dictionary<string, LakeNode> expected)
    {
        CliResult verify = Cli.Run("verify", "--full", "--json", Image);
        Assert.That(verify.ExitCode, Is.Zero, verify.Output + verify.Errors);
        Assert.That(Cli.Json(verify).GetProperty("notes").EnumerateArray(), Is.Empty);
        Dictionary<string, LakeNode> lake = LakeReader.ReadAll(Image);
        Assert.That(lake.Keys, Is.EquivalentTo(expected.Keys));
        foreach ((string path, LakeNode node) in expected)
        {
            InodeRecord inode = lake[path].Inode;
            Assert.That(Bytes(inode), Is.EqualTo(Bytes(node.Inode)), path);
            Assert.That(lake[path].Content.AsSpan().SequenceEqual(node.Content), path);
            Assert.That(lake[path].Target, Is.EqualTo(node.Target), path);
            Assert.That(lake[path].Xattrs, Is.EquivalentTo(node.Xattrs), path);
        }
    }

    private static byte[] Bytes(InodeRecord inode) => MemoryMarshal.AsBytes(new ReadOnlySpan<InodeRecord>(in inode)).ToArray();

    private static void AssertProven(JsonElement repair, string outcome)
    {
        Assert.Multiple(() =>
        {
            Assert.That(repair.GetProperty("outcome").GetString(), Is.EqualTo(outcome));
            Assert.That(repair.GetProperty("label").GetString(), Is.EqualTo("pond"));
            Assert.That(repair.GetProperty("inodes").GetInt32(), Is.EqualTo(9));
            Assert.That(repair.GetProperty("damaged_blocks").GetInt32(), Is.Zero);
            Assert.That(repair.GetProperty("unproven_blocks").GetInt32(), Is.Zero);
            Assert.That(repair.GetProperty("mended_checksums").GetInt32(), Is.EqualTo(74 + 3 + 1 + 3), "the checksum table was gone, too");
        });
    }

    private static string TypeOf(string line)
    {
        using JsonDocument json = JsonDocument.Parse(line);
        return json.RootElement.GetProperty("type").GetString()!;
    }

    private static void AssertFails(int status, string text, params string[] arguments)
    {
        CliResult result = Cli.Run(arguments);
        Assert.That(result.ExitCode, Is.EqualTo(status), result.Output + result.Errors);
        Assert.That(result.Errors, Does.Contain(text).And.Contain("next:"));
    }

    private void AssertUnchanged(Action action)
    {
        string before = Scratch.HashOf(Image);
        action();
        Assert.That(Scratch.HashOf(Image), Is.EqualTo(before), "nothing may be written");
    }

    private Superblock Superblock()
    {
        using FileStream file = File.OpenRead(Image);
        byte[] block = new byte[BlockBytes];
        file.Position = BlockBytes;
        file.ReadExactly(block);
        return MemoryMarshal.Read<Superblock>(block);
    }

    /// <summary>The generation of the newest superblock copy.</summary>
    private ulong Newest()
    {
        using FileStream file = File.OpenRead(Image);
        using var reader = new BinaryReader(file);
        file.Position = file.Length - BlockBytes + 16;
        return Math.Max(Superblock().Generation, reader.ReadUInt64());
    }

    private void ZeroMetadata() => ZeroRegionsBefore(Superblock().Data.StartBlock);

    /// <summary>And copy B of the superblock.</summary>
    private void ZeroRegionsBefore(ulong block)
    {
        ulong blocks = Superblock().DeviceBlocks;
        Zero(new Region { StartBlock = 0, Blocks = block });
        Zero(new Region { StartBlock = blocks - 1, Blocks = 1 });
    }

    private void Zero(Region region)
    {
        using FileStream file = File.OpenWrite(Image);
        file.Position = (long)region.StartBlock * BlockBytes;
        file.Write(new byte[(long)region.Blocks * BlockBytes]);
    }

    /// <summary>Where the frame of the log begins that has the highest number.</summary>
    private long LastFrame()
    {
        byte[] image = File.ReadAllBytes(Image);
        Region log = Superblock().Wal;
        (ulong lsn, long place) = (0, 0);
        for (ulong block = log.StartBlock; block < log.StartBlock + log.Blocks; block++)
        {
            WalFrame frame = MemoryMarshal.Read<WalFrame>(image.AsSpan((int)block * BlockBytes));
            (lsn, place) = frame.Magic == LakeFormat.WalMagic && frame.Lsn > lsn ? (frame.Lsn, (long)block * BlockBytes) : (lsn, place);
        }

        return place;
    }

    private long LastSegment()
    {
        int at = File.ReadAllBytes(Image).AsSpan().LastIndexOf("LAKEARC1"u8);
        Assert.That((at % BlockBytes, at > 0), Is.EqualTo((0, true)));
        return at;
    }

    private long Find(byte[] what) => File.ReadAllBytes(Image).AsSpan().IndexOf(what);

    private void Flip(long offset)
    {
        using FileStream file = new(Image, FileMode.Open, FileAccess.ReadWrite);
        file.Position = offset;
        int old = file.ReadByte();
        file.Position = offset;
        file.WriteByte((byte)(old ^ 1));
    }

    /// <summary>In each version of the page that holds an inode of somebody's.</summary>
    private void CountALinkTooMany()
    {
        const int ownerOffset = 16, linksOffset = 12;
        byte[] image = File.ReadAllBytes(Image);
        Region pages = Superblock().Pages;
        int start = (int)pages.StartBlock * BlockBytes;
        int end = start + UnmaskLog(image.AsSpan(start));
        byte[] owner = BitConverter.GetBytes(77u);
        int changed = 0;
        for (int at = start; at + BlockBytes <= end; at += 8)
        {
            Span<byte> page = image.AsSpan(at, BlockBytes);
            ulong id = BitConverter.ToUInt64(page[8..]);
            if (id is 0 or > 1000 || !PageFormat.IsIntact(id, page))
            {
                continue;
            }
            for (int i = 32; i + 152 <= BlockBytes; i++)
            {
                if (page.Slice(i + ownerOffset, 4).SequenceEqual(owner) && BitConverter.ToUInt32(page[(i + 8)..]) == 0x8124)
                {
                    page[i + linksOffset]++;
                    changed++;
                }
            }
            PageFormat.Seal(id, page);
        }
        Assert.That(changed, Is.GreaterThan(0));
        UnmaskLog(image.AsSpan(start)); // masked again
        File.WriteAllBytes(Image, image);
    }

    // All of the page log, whose first lap it is in; returns where it ends.
    private int UnmaskLog(Span<byte> log)
    {
        using DirectBlockDevice device = DirectBlockDevice.Open(Image, readOnly: true);
        StoreTicket ticket = StoreTicket.Decode(SuperblockStore.ReadTicket(device, SuperblockStore.ReadAll(device)[0]));
        int end = (int)ticket.TailAddress;
        new LogMask(ticket.Salts).Apply(0, log[..end]);
        return end;
    }
}
