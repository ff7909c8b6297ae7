// SPDX-License-Identifier: MPL-2.0
using System.Text;
using System.Text.Json;
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Cli.Tests;

[TestFixture]
public sealed class C030VerifyTests : ScratchFixture
{
    private const int BlockBytes = 4096;

    [SetUp]
    public void SetUp() => Cli.MakeLake(_scratch["a.img"]);

    [Test]
    public void Verify_ReadsOnly()
    {
        string before = Scratch.HashOf(_scratch["a.img"]);
        Cli.AssertClean(_scratch["a.img"]);
        Assert.That(Cli.Run("stats", _scratch["a.img"]).ExitCode, Is.Zero);
        Assert.That(Scratch.HashOf(_scratch["a.img"]), Is.EqualTo(before));
    }

    [Test]
    public void Verify_OfSomethingElse_SaysThatItIsNoLake()
    {
        File.WriteAllBytes(_scratch["other"], new byte[1 << 20]);
        CliResult result = Cli.Run("verify", _scratch["other"]);
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Errors, Does.Contain("next:"));
    }

    [Test]
    public void Verify_OfATruncatedImage_Fails()
    {
        using (FileStream file = File.OpenWrite(_scratch["a.img"]))
        {
            file.SetLength(100 << 20);
        }
        CliResult result = Cli.Run("verify", _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.Not.Zero);
        Assert.That(result.Errors, Does.Contain("next:"));
    }

    [Test]
    public void Verify_WithOneDamagedSuperblock_UsesTheOther()
    {
        Damage(_scratch["a.img"], BlockBytes + 100);
        Cli.AssertClean(_scratch["a.img"]);
        // Regression: nothing was said of it.
        CliResult told = Cli.Run("verify", _scratch["a.img"]);
        Assert.That(told.ExitCode, Is.Zero, "a power cut may leave it so");
        Assert.That(told.Output, Does.Contain("note: superblock copy A is damaged, at byte 4096 of the device (block 1): the superblock does not match its checksum; copy B is whole").And.Contain("clean"));
        Assert.That(Notes(_scratch["a.img"]), Has.Length.EqualTo(1));
    }

    /// <summary>Regression: only "the superblock does not match its checksum" was said.</summary>
    [Test]
    public void Verify_WithBothSuperblocksDamaged_SaysWhereAndWhat()
    {
        Damage(_scratch["a.img"], BlockBytes + 100);
        Damage(_scratch["a.img"], (128 << 20) - BlockBytes + 100);
        CliResult result = Cli.Run("verify", _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Errors, Does.Contain(
            "both superblock copies are damaged: copy A, at byte 4096 of the device (block 1): the superblock does not match its checksum; "
            + "copy B, at byte 134213632 of the device (block 32767): the superblock does not match its checksum\n  next: lakectl repair DEVICE tells what can be brought back"));
        Assert.That(result.Errors, Does.Not.Contain("size"));
        // Copy B is not where the device ends now: it may be whole.
        using (FileStream file = File.OpenWrite(_scratch["a.img"]))
        {
            file.SetLength(200 << 20);
        }
        result = Cli.Run("stats", _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Errors, Does.Contain("copy B, at byte 209711104 of the device (block 51199): there is no superblock there\n  next: if the device was made larger or smaller"));
    }

    /// <summary>
    /// Regression: a lake was said to have been unmounted "not cleanly", as the copy that is left was written
    /// while it was mounted.
    /// </summary>
    [Test]
    public void WhetherALakeIsClean_IsNotKnown_WhenTheCopyThatTellsIsDamaged()
    {
        new TarBuilder().Add('0', "file", content: new byte[20_000]).WriteTo(_scratch["t.tar"]);
        Assert.That(Cli.Run("import", _scratch["t.tar"], _scratch["a.img"]).ExitCode, Is.Zero);
        const long last = (128 << 20) - BlockBytes;
        bool isA = Generation(BlockBytes) > Generation(last);
        (long newest, long older) = isA ? (BlockBytes, last) : (last, (long)BlockBytes);
        Damage(_scratch["a.img"], newest + 100);
        string lost = isA ? "A" : "B";
        Assert.That(Cli.Run("stats", _scratch["a.img"]).Output, Does.Match(
            $"  unmounted   not known whether cleanly: superblock copy {lost}, which would tell, was found damaged; [0-9]+ changes replayed\n").And.Not.Contain("not cleanly"));
        var lake = Cli.Json(Cli.Run("stats", "--json", _scratch["a.img"])).GetProperty("lakes")[0];
        Assert.That(lake.GetProperty("was_clean").ValueKind, Is.EqualTo(JsonValueKind.Null));
        CliResult verify = Cli.Run("verify", _scratch["a.img"]);
        Assert.That(verify.ExitCode, Is.Zero);
        Assert.That(verify.Output, Does.Contain($"note: whether it was unmounted cleanly is not known: superblock copy {lost}, which would tell, was found damaged\n"));
        Assert.That(Cli.Json(Cli.Run("verify", "--json", _scratch["a.img"])).GetProperty("unmounted_cleanly").ValueKind, Is.EqualTo(JsonValueKind.Null));
        // The other one does not tell.
        Damage(_scratch["a.img"], newest + 100);
        Damage(_scratch["a.img"], older + 100);
        Assert.That(Cli.Run("stats", _scratch["a.img"]).Output, Does.Match("  unmounted   cleanly\n"));
        Assert.That(Cli.Json(Cli.Run("verify", "--json", _scratch["a.img"])).GetProperty("unmounted_cleanly").GetBoolean());
    }

    /// <summary>
    /// Regression: the checkpoint before was taken for the whole lake when the log between the two was damaged, too.
    /// </summary>
    [Test]
    public void Verify_WithADamagedTicketAndLog_NeverTakesLessForTheLake()
    {
        const int firstTicket = 64, secondTicket = 72, log = 80;
        new TarBuilder().Add('0', "file", content: new byte[20_000]).WriteTo(_scratch["t.tar"]);
        Assert.That(Cli.Run("import", _scratch["t.tar"], _scratch["a.img"]).ExitCode, Is.Zero);
        foreach (int ticket in (int[])[firstTicket, secondTicket])
        {
            for (int frame = log; frame < log + 6; frame++)
            {
                File.Copy(_scratch["a.img"], _scratch["b.img"], overwrite: true);
                Damage(_scratch["b.img"], (ticket * BlockBytes) + 20);
                Damage(_scratch["b.img"], (frame * BlockBytes) + 70);
                CliResult result = Cli.Run("verify", "--json", _scratch["b.img"]);
                if (result.Output.Contains("\"inodes\"", StringComparison.Ordinal))
                {
                    Assert.That(Cli.Json(result).GetProperty("inodes").GetInt32(), Is.EqualTo(2), $"ticket {ticket}, frame {frame}");
                }
            }
        }
    }

    [Test]
    public void Verify_WithADamagedNewestCheckpoint_SaysSo()
    {
        new TarBuilder().Add('0', "file", content: new byte[20_000]).WriteTo(_scratch["t.tar"]);
        Assert.That(Cli.Run("import", _scratch["t.tar"], _scratch["a.img"]).ExitCode, Is.Zero);
        Damage(_scratch["a.img"], (64 * BlockBytes) + 20);
        Damage(_scratch["a.img"], (72 * BlockBytes) + 20);
        File.Copy(_scratch["a.img"], _scratch["both.img"]);
        Assert.That(Cli.Run("verify", _scratch["both.img"]).ExitCode, Is.EqualTo(1));
        Damage(_scratch["a.img"], (64 * BlockBytes) + 20);
        CliResult first = Cli.Run("verify", "--json", _scratch["a.img"]);
        Damage(_scratch["a.img"], (64 * BlockBytes) + 20);
        Damage(_scratch["a.img"], (72 * BlockBytes) + 20);
        CliResult second = Cli.Run("verify", "--json", _scratch["a.img"]);
        CliResult older = first.ExitCode == 0 ? first : second, newest = first.ExitCode == 0 ? second : first;
        Assert.That(older.ExitCode, Is.Zero);
        Assert.That(newest.ExitCode, Is.EqualTo(3));
        Assert.That(newest.Output, Does.Match(@"newest checkpoint is damaged: the checkpoint ticket at byte (262144|294912) of the device .* Nothing is lost"));
        Assert.That(Cli.Json(newest).GetProperty("inodes").GetInt32(), Is.EqualTo(2));
        // Regression: after "Nothing is lost" came that it is damaged, and to restore a backup.
        if (newest == first)
        {
            Damage(_scratch["a.img"], (64 * BlockBytes) + 20);
            Damage(_scratch["a.img"], (72 * BlockBytes) + 20);
        }
        CliResult told = Cli.Run("verify", _scratch["a.img"]);
        Assert.That(told.ExitCode, Is.EqualTo(3));
        Assert.That(told.Output, Does.Contain("a.img: readable, and nothing is lost: 1 problem; 2 inodes"));
        Assert.That(told.Errors, Does.Contain("a.img: its newest checkpoint is damaged, and the one before it was used\n  next: mount it and unmount it").And.Not.Contain("backup"));
        Mount();
        Assert.That(Cli.Run("stats", _scratch["a.img"]).Output, Does.Match("  unmounted   cleanly\n").And.Not.Match("note"));
        Cli.AssertClean(_scratch["a.img"]);
    }

    // Mounts it and unmounts it, as far as the daemon is concerned.
    private void Mount()
    {
        using DirectBlockDevice device = DirectBlockDevice.Open(_scratch["a.img"]);
        using LakeEngine engine = LakeEngine.Open(device, new DeviceCommitSink(device), new EngineOptions());
        engine.BeginEpoch(new LakeTime { Sec = 1 });
        engine.MarkClean();
    }

    [Test]
    public void Stats_ThatCannotBeWritten_IsAnErrorAndNoTrace()
    {
        CliResult result = Cli.RunInto("/dev/full", "stats", _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Errors, Does.Contain("cannot be written").And.Not.Contain("   at "));
    }

    [Test]
    public void Verify_Full_FindsAFlippedBitOfData_AndWithoutFullDoesNotLook()
    {
        byte[] marker = Encoding.ASCII.GetBytes("a very recognisable content");
        new TarBuilder()
            .Add('5', "a/")
            .Add('5', "a/d\u001b[1m/")
            .Add('0', "a/d\u001b[1m/file", content: [.. marker, .. new byte[20_000]])
            .Add('1', "other", link: "a/d\u001b[1m/file")
            .WriteTo(_scratch["t.tar"]);
        Assert.That(Cli.Run("import", _scratch["t.tar"], _scratch["a.img"]).ExitCode, Is.Zero);
        Cli.AssertClean(_scratch["a.img"]);
        byte[] image = File.ReadAllBytes(_scratch["a.img"]);
        Damage(_scratch["a.img"], image.AsSpan().IndexOf(marker) + 3);
        Assert.That(Cli.Run("verify", _scratch["a.img"]).ExitCode, Is.Zero);
        CliResult result = Cli.Run("verify", "--full", "--json", _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.EqualTo(3));
        Assert.That(Cli.Json(result).GetProperty("clean").GetBoolean(), Is.False);
        Assert.That(Cli.Json(result).GetProperty("problem_count").GetInt32(), Is.EqualTo(1));
        // Regression: only the inode's number was told.
        CliResult told = Cli.Run("verify", "--full", _scratch["a.img"]);
        Assert.That(told.Output, Does.Match(
            @"problem: inode \d+ \(/a/d\\x1b\[1m/file and 1 more name\): its bytes 0 to 4095 are damaged \(at byte \d+ of the device, block \d+\): they do not match"));
    }

    [Test]
    public void Verify_OfAWholeLake_HasNoNotes_AlsoOnADeviceThatHasGrown()
    {
        Assert.That(Notes(_scratch["a.img"]), Is.Empty);
        using (FileStream file = File.OpenWrite(_scratch["a.img"]))
        {
            file.SetLength(200 << 20);
        }
        Assert.That(Notes(_scratch["a.img"]), Is.Empty, "copy B is where the lake ends");
    }

    [Test]
    public void Verify_OfAZeroedSuperblockB_SaysThatThereIsNone()
    {
        using (FileStream file = File.OpenWrite(_scratch["a.img"]))
        {
            file.Position = (128 << 20) - BlockBytes;
            file.Write(new byte[BlockBytes]);
        }
        Assert.That(Notes(_scratch["a.img"]), Has.One.Contains("copy B is damaged, at byte 134213632 of the device (block 32767): there is no superblock there"));
    }

    /// <summary>Regression: only verify told of it.</summary>
    [Test]
    public void Stats_OfADamagedSuperblock_SaySoAndWork()
    {
        Assert.That(Cli.Run("stats", _scratch["a.img"]).Output, Does.Not.Contain("note"));
        Assert.That(StatsNotes(), Is.Empty);
        Damage(_scratch["a.img"], BlockBytes + 100);
        CliResult result = Cli.Run("stats", _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.Zero);
        Assert.That(result.Output, Does.Match("  note +superblock copy A is damaged, at byte 4096 of the device"));
        Assert.That(StatsNotes(), Is.EqualTo(Notes(_scratch["a.img"])));
    }

    /// <summary>Regression: what only a daemon counts, and what only a mount has, was shown as 0.</summary>
    [Test]
    public void Stats_OfALakeThatIsNotMounted_ShowOnlyWhatItHas()
    {
        CliResult result = Cli.Run("stats", "--bytes", _scratch["a.img"]);
        Assert.That(result.Output, Does.Not.Match("commits|served|leased|reserved|quarantined|being freed|durable"));
        Assert.That(result.Output, Does.Match(@"data +0 used, (\d+) free: \1 in all\n").And.Match("metadata +[1-9]"));
        var lake = Cli.Json(Cli.Run("stats", "--json", _scratch["a.img"])).GetProperty("lakes")[0];
        var counters = lake.GetProperty("counters");
        Assert.That(counters.TryGetProperty("commits", out _) || counters.TryGetProperty("checkpoints", out _), Is.False);
        Assert.That(
            lake.GetProperty("used_blocks").GetInt64() + lake.GetProperty("free_blocks").GetInt64()
            + counters.GetProperty("leased_blocks").GetInt64() + counters.GetProperty("quarantined_blocks").GetInt64(),
            Is.EqualTo(lake.GetProperty("data_blocks").GetInt64()), "as the help says");
    }

    /// <summary>Regression: "recovering ..." was printed for lakes that had been unmounted cleanly.</summary>
    [Test]
    public void Recovering_IsSaid_WhenThereIsSomethingToReplay()
    {
        Assert.That(Cli.Run("verify", _scratch["a.img"]).Errors, Does.Not.Contain("recovering").And.Contain("checking the structure ..."));
        Assert.That(Cli.Run("stats", _scratch["a.img"]).Errors, Is.Empty);
        new TarBuilder().Add('0', "file", content: new byte[20_000]).WriteTo(_scratch["t.tar"]);
        Assert.That(Cli.Run("import", _scratch["t.tar"], _scratch["a.img"]).ExitCode, Is.Zero);
        Assert.That(Cli.Run("verify", _scratch["a.img"]).Errors, Does.Not.Contain("recovering"));
        // Without the newest checkpoint, the log after the one before it.
        ulong last = (128 << 20) - BlockBytes;
        Damage(_scratch["a.img"], Generation(BlockBytes) > Generation((long)last) ? BlockBytes + 100 : (long)last + 100);
        Assert.That(Cli.Run("verify", _scratch["a.img"]).Errors, Does.StartWith("recovering ...\nchecking the structure ...\n"));
        CliResult stats = Cli.Run("stats", _scratch["a.img"]);
        Assert.That(stats.Errors, Is.EqualTo("recovering ...\n"));
        // (what came behind that checkpoint is the daemon's own: identities, the archive)
        Assert.That(stats.Output, Does.Contain("; 0 changes replayed"));
    }

    private ulong Generation(long superblock)
    {
        using FileStream file = File.OpenRead(_scratch["a.img"]);
        file.Position = superblock + 16;
        using var reader = new BinaryReader(file);
        return reader.ReadUInt64();
    }

    private string[] StatsNotes()
    {
        var lake = Cli.Json(Cli.Run("stats", "--json", _scratch["a.img"])).GetProperty("lakes")[0];
        return [.. lake.GetProperty("notes").EnumerateArray().Select(n => n.GetString()!)];
    }

    private static string[] Notes(string image)
    {
        CliResult result = Cli.Run("verify", "--json", image);
        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        return [.. Cli.Json(result).GetProperty("notes").EnumerateArray().Select(n => n.GetString()!)];
    }

    private static void Damage(string path, long offset)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = offset;
        int old = file.ReadByte();
        file.Position = offset;
        file.WriteByte((byte)(old ^ 1));
    }
}
