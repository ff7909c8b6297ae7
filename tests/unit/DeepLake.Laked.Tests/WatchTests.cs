// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Control;
using DeepLake.Laked.Control;
using DeepLake.Laked.Watch;
using NUnit.Framework;

namespace DeepLake.Laked.Tests;

/// <summary>The stream of durable changes that a client gets, docs/watch.md.</summary>
[TestFixture]
public sealed class WatchTests
{
    private PlayedMount _mount = null!;

    [SetUp]
    public void Mount() => _mount = new PlayedMount();

    [TearDown]
    public void Unmount() => _mount.Dispose();

    [Test]
    public void Changes_ComeInTheirOrder_WithTheirNames_AndWhereTheyAreNow()
    {
        _mount.Create(1, "dir", 20, 0x41ed);
        _mount.Create(20, "file", 21);
        _mount.Map(21, 0);
        _mount.Apply(
            new IntentRename { SrcDir = 20, DstDir = 1, Ino = 21, SrcBytes = 4, DstBytes = 5 }, IntentOp.Rename, PlayedMount.Name("file"), PlayedMount.Name("moved"));
        _mount.Apply(new IntentSetattr { Ino = 21, Valid = AttrMask.Mode | AttrMask.Uid, Mode = 0x81ff, Uid = 7 }, IntentOp.Setattr);
        _mount.Commit();
        List<Change> changes = _mount.Read(WatchSession.Oldest);
        Assert.That(changes.Select(c => c.Op), Is.EqualTo(new[] { "create", "create", "write", "rename", "setattr" }));
        Assert.That(changes.Select(c => c.Seq), Is.EqualTo(new[] { 1, 2, 3, 4, 5 }));
        Assert.Multiple(() =>
        {
            Assert.That((changes[0].Kind, changes[0].Mode, changes[0].Uid, changes[0].Gid), Is.EqualTo(("directory", 0x1edu, 5u, 6u)));
            Assert.That((changes[1].Dir, changes[1].Name.ToStringUtf8(), changes[1].DirNow), Is.EqualTo((20ul, "file", "/dir")));
            Assert.That((changes[2].FirstByte, changes[2].EndByte, changes[2].Size, changes[2].PathNow), Is.EqualTo((0ul, 4096ul, 4096ul, "/moved")));
            Assert.That((changes[3].DirNow, changes[3].ToDirNow, changes[3].ToName.ToStringUtf8()), Is.EqualTo(("/dir", "/", "moved")));
            Assert.That((changes[4].Mode, changes[4].Uid, changes[4].HasGid, changes[4].HasSize), Is.EqualTo((0x1ffu, 7u, false, false)));
        });
    }

    [Test]
    public void FromEachCursor_WhatFollowsComesOnce_AfterADeathAndAnUnmount()
    {
        MakeSome();
        List<Change> all = _mount.Read(WatchSession.Oldest, out string end);
        Assert.That(all, Has.Count.GreaterThan(30));
        foreach (Action happens in new Action[] { () => { }, _mount.Restart, UnmountAndMount })
        {
            happens();
            for (int i = 0; i < all.Count; i++)
            {
                Assert.That(_mount.Read(all[i].Cursor).Select(Shown), Is.EqualTo(all.Skip(i + 1).Select(Shown)));
            }

            Assert.That(_mount.Read(end), Is.Empty);
        }

        _mount.Create(1, "later", 90);
        _mount.Commit();
        Assert.That(_mount.Read(end).Single().Name.ToStringUtf8(), Is.EqualTo("later"));
    }

    [Test]
    public void WritesOfOneFileInARow_AreOneChange_IfOneFrameHasThem()
    {
        _mount.Create(1, "a", 20);
        _mount.Create(1, "b", 21);
        _mount.Map(20, 5);
        _mount.Map(20, 2);
        var range = new BlockRange { Start = 9, Count = 1 };
        _mount.Apply(new IntentOverwrite { Ino = 20, Count = 1 }, IntentOp.Overwrite, MemoryMarshal.AsBytes(new ReadOnlySpan<BlockRange>(in range)).ToArray());
        _mount.Map(21, 0);
        _mount.Map(20, 0);
        _mount.Commit();
        _mount.Map(20, 1);
        _mount.Commit();
        Change[] writes = [.. _mount.Read(WatchSession.Oldest).Where(c => c.Op == "write")];
        Assert.That(
            writes.Select(c => (c.Ino, c.FirstByte / 4096, c.EndByte / 4096, c.Entries)),
            Is.EqualTo(new[] { (20ul, 2ul, 10ul, 3u), (21ul, 0ul, 1ul, 1u), (20ul, 0ul, 1ul, 1u), (20ul, 1ul, 2ul, 1u) }));
        Assert.That(writes[0].Size, Is.EqualTo(6 * 4096));
    }

    [Test]
    public void WhatTheDaemonDoesItself_IsLeftOut_UnlessAskedFor()
    {
        _mount.Create(1, "a", 20);
        _mount.Map(20, 0);
        _mount.Apply(new IntentSeal { Ino = 20, Blocks = 1 }, IntentOp.Seal);
        _mount.Map(20, 1);
        _mount.Commit();
        Assert.That(_mount.Read(WatchSession.Oldest).Select(c => c.Op), Is.EqualTo(new[] { "create", "write", "write" }));
        List<Change> all = _mount.Read(WatchSession.Oldest, all: true);
        Assert.That(all.Select(c => c.Op), Is.EqualTo(new[] { "epoch", "create", "write", "seal", "write" }));
        Assert.That(_mount.Read(all[3].Cursor).Select(c => c.Op), Is.EqualTo(new[] { "write" }), "cursors of both are the same");
    }

    [Test]
    public void AFollower_GetsWhatComes_AndIsToldOfTheEnd()
    {
        MakeSome();
        using PlayedMount.Watcher watcher = _mount.Watch("");
        ChangeBatch first = watcher.Next()!;
        Assert.That((first.Changes.Count, first.Device), Is.EqualTo((0, "/dev/played")));
        _mount.Create(1, "new", 90);
        Assert.That(watcher.Next(300), Is.Null, "it is not durable yet");
        _mount.Commit();
        ChangeBatch batch = watcher.Next()!;
        Assert.That(batch.Changes.Single().Name.ToStringUtf8(), Is.EqualTo("new"));
        Assert.That(batch.Cursor, Is.EqualTo(batch.Changes[0].Cursor));
        _mount.Unmount();
        Assert.That(watcher.End.Wait(10_000), Is.True);
        Assert.That((watcher.End.Result.Unmounted, watcher.End.Result.Cursor), Is.EqualTo((true, batch.Cursor)));
    }

    [Test]
    public void AFollowerWhoseClientLeaves_Ends_AndADaemonThatStopsCutsIt()
    {
        using (PlayedMount.Watcher watcher = _mount.Watch(""))
        {
            watcher.Next();
            watcher.Leave();
            Assert.That(() => watcher.End.Wait(10_000), Throws.InnerException.TypeOf<ClientGoneException>());
        }

        using PlayedMount.Watcher other = _mount.Watch("");
        other.Next();
        _mount.Restart();
        Assert.That(() => other.End.Wait(10_000), Throws.InnerException.TypeOf<IOException>());
    }

    [Test]
    public void CursorsThatAreNoGood_AreRefusedWithTheReason()
    {
        MakeSome();
        string cursor = _mount.Read(WatchSession.Oldest)[10].Cursor;
        using var other = new PlayedMount("99112233-4455-6677-8899-aabbccddeeff");
        Assert.Multiple(() =>
        {
            Assert.That(Refusal(other, cursor).Message, Does.Contain("another lake"));
            Assert.That(Refusal(_mount, cursor[..^1]), Has.Property("Code").EqualTo(ErrorCode.ErrorUsage));
            Assert.That(Refusal(_mount, "yesterday").Message, Is.EqualTo("yesterday is no cursor"));
            Assert.That(Refusal(_mount, new string('A', 100_000)).Message, Is.EqualTo("that is no cursor"));
        });
        using var fresh = new PlayedMount(); // the same lake, restored from an old copy
        CommandException future = Refusal(fresh, _mount.Read(WatchSession.Oldest)[^1].Cursor);
        Assert.That(future.Message, Does.Contain("from the future"));
    }

    [Test]
    public void ACursorThatIsTooOld_IsRefused_AndTheOldestIsNamed()
    {
        MakeSome();
        string cursor = _mount.Read(WatchSession.Oldest)[0].Cursor;
        _mount.Do(engine => engine.PauseArchive("a test"));
        for (int i = 0; i < 3; i++)
        {
            _mount.Do(engine => engine.Checkpoint());
        }

        CommandException gone = Refusal(_mount, cursor);
        Assert.That(gone.Code, Is.EqualTo(ErrorCode.ErrorPartial));
        Assert.That(gone.Message, Does.Contain($"cursor {cursor} (change 1) are not kept any more"));
        string oldest = gone.NextStep.Split("--since ")[1].Split(',')[0];
        _mount.Create(1, "later", 90);
        _mount.Commit();
        Assert.That(_mount.Read(oldest).Select(c => c.Name.ToStringUtf8()), Does.Contain("later"));
    }

    private static CommandException Refusal(PlayedMount mount, string cursor) => Assert.Throws<CommandException>(() => mount.Read(cursor))!;

    private static string Shown(Change change) => change.ToString();

    private void UnmountAndMount()
    {
        _mount.Unmount();
        _mount.Restart();
    }

    private void MakeSome()
    {
        for (ulong ino = 20; ino < 40; ino++)
        {
            _mount.Create(1, $"file {ino}", ino);
            _mount.Map(ino, 0);
            _mount.Map(ino, 1);
            if (ino % 3 == 0)
            {
                _mount.Commit();
            }
        }

        _mount.Commit();
    }
}
