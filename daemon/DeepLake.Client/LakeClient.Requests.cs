// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Platform;

namespace DeepLake.Client;

/// <summary>What it asks of the engine; nothing is changed.</summary>
public sealed partial class LakeClient
{
    private const int NameRequestBytes = 256;

    /// <summary>What a name in a directory names; false when there is none.</summary>
    public bool TryLookup(ulong dir, ReadOnlySpan<byte> name, out InodeRecord record)
    {
        int result = AskByName(RequestOp.Lookup, dir, name);
        if (result == -(int)Errno.ENOENT)
        {
            record = default;
            return false;
        }

        record = MemoryMarshal.Read<InodeRecord>(Require(result, "look a name up"));
        return true;
    }

    public InodeRecord GetInode(ulong ino) => MemoryMarshal.Read<InodeRecord>(AskForInode(ino));

    /// <summary>False when there is no such inode.</summary>
    public bool TryGetInode(ulong ino, out InodeRecord record)
    {
        var request = new RequestIno { Header = NewHeader<RequestIno>(RequestOp.Inode), Ino = ino };
        int result = engine.HandleRequest(MemoryMarshal.AsBytes(new ReadOnlySpan<RequestIno>(in request)), _reply, out _);
        record = result == -(int)Errno.ENOENT ? default : MemoryMarshal.Read<InodeRecord>(Require(result, "read an inode"));
        return result >= 0;
    }

    /// <summary>Where a symbolic link leads; empty for anything else.</summary>
    public byte[] ReadLink(ulong ino) => AskForInode(ino)[Unsafe.SizeOf<InodeRecord>()..].ToArray();

    /// <summary>All entries of a directory, in the order in which they were made.</summary>
    public List<DirectoryItem> ReadDirectory(ulong ino)
    {
        var items = new List<DirectoryItem>();
        var request = new RequestReaddir { Header = NewHeader<RequestReaddir>(RequestOp.Readdir), Ino = ino, MaxBytes = (uint)_reply.Length };
        while (true)
        {
            int result = engine.HandleRequest(MemoryMarshal.AsBytes(new ReadOnlySpan<RequestReaddir>(in request)), _reply, out uint flags);
            ReadOnlySpan<byte> rest = Require(result, "read a directory");
            while (!rest.IsEmpty)
            {
                ReplyDirent entry = MemoryMarshal.Read<ReplyDirent>(rest);
                items.Add(new DirectoryItem(rest.Slice(Unsafe.SizeOf<ReplyDirent>(), entry.NameBytes).ToArray(), entry.Ino, entry.Type));
                request.Cookie = entry.Cookie;
                rest = rest[entry.Len..];
            }

            if ((flags & LakeRing.ReplyMore) == 0)
            {
                return items;
            }
        }
    }

    /// <summary>An attribute's value; null: there is no such attribute.</summary>
    public byte[]? GetXattr(ulong ino, ReadOnlySpan<byte> name)
    {
        int bytes = AskByName(RequestOp.Getxattr, ino, name);
        return bytes < 0 ? null : _reply.AsSpan(0, bytes).ToArray();
    }

    /// <summary>The names of all attributes, each ended by a NUL.</summary>
    public byte[] ListXattrs(ulong ino)
    {
        var request = new RequestIno { Header = NewHeader<RequestIno>(RequestOp.Listxattr), Ino = ino };
        return Ask(request, "list attributes").ToArray();
    }

    private ReadOnlySpan<byte> AskForInode(ulong ino)
    {
        var request = new RequestIno { Header = NewHeader<RequestIno>(RequestOp.Inode), Ino = ino };
        return Ask(request, "read an inode");
    }

    private int AskByName(RequestOp op, ulong ino, ReadOnlySpan<byte> name)
    {
        Span<byte> request = stackalloc byte[Unsafe.SizeOf<RequestName>() + NameRequestBytes];
        request.Clear();
        var fixedPart = new RequestName
        {
            Header = new RequestHeader { Len = (uint)request.Length, Op = op },
            Ino = ino,
            NameBytes = (ushort)name.Length,
        };
        MemoryMarshal.Write(request, in fixedPart);
        name.CopyTo(request[Unsafe.SizeOf<RequestName>()..]);
        return engine.HandleRequest(request, _reply, out _);
    }
}
