// SPDX-License-Identifier: MPL-2.0
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using DeepLake.Abi;
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Laked.Ingest;
using DeepLake.Laked.Watch;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Laked.Tests;

/// <summary>A mounted lake in memory with an engine that a lock serves, and one who watches it.</summary>
internal sealed class PlayedMount : IDisposable
{
    private const long Bytes = 128L << 20;

    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Lock _lock = new();
    private readonly MemoryBlockDevice _device = new(Bytes);
    private LakeEngine _engine;

    internal PlayedMount(string uuid = "00112233-4455-6677-8899-aabbccddeeff")
    {
        LakeFormatter.Format(_device, new FormatOptions(new Guid(uuid), "test", Now));
        _engine = Open();
    }

    internal DurableFeed Feed { get; private set; } = new();

    internal ulong Data => _engine.Superblock.Data.StartBlock;

    /// <summary>The daemon dies, and another one comes.</summary>
    internal void Restart()
    {
        lock (_lock)
        {
            Feed.Close(FeedState.Stopped);
            _engine.Dispose();
            Feed = new DurableFeed();
            _engine = Open();
        }
    }

    internal void Unmount()
    {
        lock (_lock)
        {
            Feed.Close(FeedState.Unmounted);
            _engine.MarkClean();
        }
    }

    internal void Do(Action<LakeEngine> work)
    {
        lock (_lock)
        {
            work(_engine);
            Feed.Publish(_engine.NextLsn);
        }
    }

    internal void Commit() => Do(engine => engine.Commit());

    internal void Apply<T>(T intent, IntentOp op, params byte[][] parts)
        where T : unmanaged =>
        Do(engine => engine.Apply(Encode(intent, op, engine.AppliedSeq + 1, parts)));

    internal void Create(ulong dir, string name, ulong ino, uint mode = 0x81a4) =>
        Apply(new IntentCreate { Dir = dir, Ino = ino, Mode = mode, Uid = 5, Gid = 6, NameBytes = (ushort)name.Length }, IntentOp.Create, Name(name));

    internal void Map(ulong ino, ulong fileBlock, uint blocks = 1) =>
        Apply(new IntentMap { Ino = ino, FileBlock = fileBlock, PhysBlock = Data + (ino * 100) + fileBlock, Blocks = blocks, Size = (fileBlock + blocks) * 4096 }, IntentOp.Map);

    internal static byte[] Name(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>An entry, its parts padded to 8 bytes each.</summary>
    internal static byte[] Encode<T>(T intent, IntentOp op, ulong seq, params byte[][] parts)
        where T : unmanaged
    {
        int length = Unsafe.SizeOf<T>() + parts.Sum(p => (p.Length + 7) & ~7);
        byte[] entry = new byte[length];
        MemoryMarshal.Write(entry, in intent);
        var header = new IntentHeader { Len = (uint)length, Op = op, Seq = seq };
        MemoryMarshal.Write(entry, in header);
        int at = Unsafe.SizeOf<T>();
        foreach (byte[] part in parts)
        {
            part.CopyTo(entry, at);
            at += (part.Length + 7) & ~7;
        }

        return entry;
    }

    /// <summary>What was durable, from a cursor on.</summary>
    internal List<Change> Read(string cursor, bool all = false) => Read(cursor, out _, all);

    internal List<Change> Read(string cursor, out string end, bool all = false)
    {
        var changes = new List<Change>();
        using DurableFollower follower = Follow();
        var request = new WatchRequest { Cursor = cursor, Once = true, All = all };
        end = new WatchSession(request, "/dev/played", follower, Do, response => changes.AddRange(response.Progress.Changes.Changes)).Run(-1).Cursor;
        return changes;
    }

    /// <summary>Watches on a thread of its own.</summary>
    internal Watcher Watch(string cursor) => new(this, cursor);

    public void Dispose()
    {
        _engine.Dispose();
        _device.Dispose();
    }

    private DurableFollower Follow() => Feed.Follow(new GatedDevice(new Kept(_device)));

    private LakeEngine Open()
    {
        LakeEngine engine = LakeEngine.Open(_device, new DeviceCommitSink(_device), new EngineOptions { TreeCacheBytes = 1 << 20, PageStoreBytes = 6 << 20 });
        engine.BeginEpoch(default);
        Feed.Publish(engine.NextLsn);
        return engine;
    }

    // who has read the device is not to end it
    private sealed class Kept(IBlockDevice device) : IBlockDevice
    {
        public long LengthBytes => device.LengthBytes;

        public void Read(Span<byte> buffer, long offset) => device.Read(buffer, offset);

        public void Write(ReadOnlySpan<byte> buffer, long offset) => throw new InvalidOperationException("nobody who watches writes");

        public void Flush() => device.Flush();

        public void Dispose()
        {
        }
    }

    internal sealed class Watcher : IDisposable
    {
        private readonly BlockingCollection<ChangeBatch> _batches = [];
        private readonly DurableFollower _follower;
        private readonly int _client;

        internal Watcher(PlayedMount mount, string cursor)
        {
            _ = Linux.EventFd(out _client);
            _follower = mount.Follow();
            var request = new WatchRequest { Cursor = cursor };
            var session = new WatchSession(request, "/dev/played", _follower, mount.Do, response => _batches.Add(response.Progress.Changes));
            End = Task.Run(() => session.Run(_client));
        }

        internal Task<WatchEnd> End { get; }

        /// <summary>The next batch; null when none comes.</summary>
        internal ChangeBatch? Next(int milliseconds = 10_000) => _batches.TryTake(out ChangeBatch? batch, milliseconds) ? batch : null;

        internal void Leave() => Linux.Write(_client, [1, 0, 0, 0, 0, 0, 0, 0], out _);

        public void Dispose()
        {
            Leave();
            ((IAsyncResult)End).AsyncWaitHandle.WaitOne(TimeSpan.FromSeconds(10));
            _follower.Dispose();
            Linux.Close(_client);
        }
    }
}
