// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Client;
using DeepLake.Engine;
using DeepLake.Platform;

namespace DeepLake.Scale;

/// <summary>
/// An engine that is given changes and requests as laked's loop gives them: a commit at half a frame, a
/// slice of a checkpoint a round, a round for so many bytes of intents.
/// </summary>
internal sealed class ServedLake
{
    private const int RoundBytes = 256 * 1024;
    private const int CommitBytes = LakeFormat.WalFrameMax / 2;

    private readonly byte[] _reply = GC.AllocateArray<byte>(LakeRing.ReplyMax, pinned: true);
    private int _uncommitted;
    private int _roundBytes;

    public ServedLake(LakeEngine engine)
    {
        Engine = engine;
        Client = new LakeClient(engine, Refuse, TimeProvider.System, new Random(1)) { IsGrouping = true };
    }

    public LakeEngine Engine { get; }

    /// <summary>Changes are made with it; <see cref="Changed"/> follows each.</summary>
    public LakeClient Client { get; }

    /// <summary>Bytes of intents since the last checkpoint.</summary>
    public long LogBytes { get; private set; }

    /// <summary>Called before a checkpoint is taken.</summary>
    public Action? Checkpointing { get; set; }

    public void Changed()
    {
        int now = Engine.UncommittedBytes;
        int added = Math.Max(0, now - _uncommitted);
        LogBytes += added;
        _roundBytes += added;
        _uncommitted = now;
        if (now >= CommitBytes)
        {
            Engine.Commit();
            _uncommitted = 0;
        }

        if (_roundBytes >= RoundBytes)
        {
            Round();
        }
    }

    private void Round()
    {
        _roundBytes = 0;
        if (Engine.CheckpointDue && !Engine.PrepareCheckpoint())
        {
            Checkpointing?.Invoke();
            Engine.Checkpoint();
            (LogBytes, _uncommitted) = (0, 0);
        }
    }

    /// <summary>Asks for the mount that begins an epoch.</summary>
    public void Mount() => Ask(new RequestMount { Header = HeaderOf<RequestMount>(RequestOp.Mount) }, out _);

    /// <summary>One reply of a directory's entries from a cookie on; the cookie is that of the last then.</summary>
    public ReadOnlySpan<byte> Entries(ulong dir, ref ulong cookie, out bool more, uint most = LakeRing.ReplyMax)
    {
        var request = new RequestReaddir { Header = HeaderOf<RequestReaddir>(RequestOp.Readdir), Ino = dir, Cookie = cookie, MaxBytes = most };
        ReadOnlySpan<byte> entries = Ask(request, out uint flags);
        more = (flags & LakeRing.ReplyMore) != 0;
        for (ReadOnlySpan<byte> rest = entries; !rest.IsEmpty;)
        {
            ReplyDirent entry = MemoryMarshal.Read<ReplyDirent>(rest);
            cookie = entry.Cookie;
            rest = rest[entry.Len..];
        }

        return entries;
    }

    /// <summary>Many inodes with their first extents; how many came.</summary>
    public int Inodes(ReadOnlySpan<ulong> inos)
    {
        Span<byte> request = stackalloc byte[Unsafe.SizeOf<RequestInodes>() + (LakeRing.InodesMax * sizeof(ulong))];
        int bytes = Unsafe.SizeOf<RequestInodes>() + (inos.Length * sizeof(ulong));
        MemoryMarshal.Write(request, new RequestInodes
        {
            Header = new RequestHeader { Len = (uint)bytes, Op = RequestOp.Inodes },
            Count = (uint)inos.Length,
            MaxExtents = LakeRing.InodesExtentsMax,
        });
        MemoryMarshal.AsBytes(inos).CopyTo(request[Unsafe.SizeOf<RequestInodes>()..]);
        ReadOnlySpan<byte> rest = Require(Engine.HandleRequest(request[..bytes], _reply, out _));
        int count = 0;
        for (; !rest.IsEmpty; count++)
        {
            rest = rest[(int)MemoryMarshal.Read<ReplyInode>(rest).Len..];
        }

        return count;
    }

    /// <summary>The directory that has an inode's name; the inode has one.</summary>
    public ulong ParentOf(ulong ino)
    {
        var request = new RequestIno { Header = HeaderOf<RequestIno>(RequestOp.Parent), Ino = ino };
        return MemoryMarshal.Read<InodeRecord>(Ask(request, out _)).Ino;
    }

    private ReadOnlySpan<byte> Ask<T>(scoped in T request, out uint flags)
        where T : unmanaged =>
        Require(Engine.HandleRequest(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in request)), _reply, out flags));

    private ReadOnlySpan<byte> Require(int result) => result >= 0 ? _reply.AsSpan(0, result) : throw Refuse((Errno)(-result), "be answered");

    private static RequestHeader HeaderOf<T>(RequestOp op)
        where T : unmanaged => new() { Len = (uint)Unsafe.SizeOf<T>(), Op = op };

    private static InvalidOperationException Refuse(Errno reason, string what) => new($"cannot {what}: {Linux.Describe(reason)}");
}
