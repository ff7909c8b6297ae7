// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Metadata.Tree;
using DeepLake.Platform;

namespace DeepLake.Sim;

/// <summary>Asks an engine for everything, as a kernel would, and compares it with a tree of the model.</summary>
internal sealed class StateComparer(LakeEngine engine)
{
    private readonly byte[] _payload = new byte[LakeRing.ReplyMax - 64];

    public void CompareAll(ModelTree tree)
    {
        EngineStats stats = engine.GetStats();
        Same(stats.Inodes, (ulong)tree.Inodes.Count, "inodes");
        Same(stats.Orphans, (ulong)tree.Inodes.Values.Count(i => i.Nlink == 0), "orphans");
        Same(stats.UsedBlocks - stats.ArchiveBlocks, (ulong)tree.Refs.Count, "used blocks");
        Same(stats.SharedBlocks, (ulong)tree.Refs.Values.Count(r => r > 1), "shared blocks");
        Same(stats.SavedBlocks, (ulong)tree.Refs.Values.Sum(r => r - 1), "saved blocks");
        ModelBlock[] blocks = [.. tree.Inodes.Values.SelectMany(i => i.Blocks.Values)];
        Same(stats.SealedBlocks, (ulong)blocks.Count(b => b.IsSealed), "sealed blocks");
        Same(stats.CheckedBlocks, (ulong)blocks.Count(b => b.IsChecked), "checked blocks");
        foreach (ModelInode inode in tree.Inodes.Values)
        {
            CompareInode(inode);
            CompareXattrs(inode);
            if (inode.IsDirectory)
            {
                CompareDirectory(inode, 4000);
                CompareParent(inode);
            }
            else if (inode.IsRegular)
            {
                CompareMap(inode, tree.Refs);
                CompareChecksums(inode);
            }
        }
    }

    public void CompareInode(ModelInode inode)
    {
        int bytes = AskIno(RequestOp.Inode, inode.Ino);
        CompareRecord(inode, bytes);
    }

    public void CompareParent(ModelInode inode)
    {
        int bytes = AskIno(RequestOp.Parent, inode.Ino);
        if (inode.Nlink == 0)
        {
            Same(bytes, -(int)Errno.ENOENT, $"the parent of {inode.Ino}");
            return;
        }

        Require(bytes >= Unsafe.SizeOf<InodeRecord>(), $"the parent of {inode.Ino}: {bytes}");
        Same(MemoryMarshal.Read<InodeRecord>(_payload).Ino, inode.Ino == 1 ? 1 : inode.Parent, $"the parent of {inode.Ino}");
    }

    public void CompareLookup(ModelInode dir, string name, ModelInode? inode)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        byte[] request = new byte[Unsafe.SizeOf<RequestName>() + bytes.Length];
        MemoryMarshal.Write(request, new RequestName
        {
            Header = new RequestHeader { Len = (uint)request.Length, Op = RequestOp.Lookup },
            Ino = dir.Ino,
            NameBytes = (ushort)bytes.Length,
        });
        bytes.CopyTo(request, Unsafe.SizeOf<RequestName>());
        int result = engine.HandleRequest(request, _payload, out _);
        if (inode is null)
        {
            Same(result, -(int)Errno.ENOENT, $"looking {name} up in {dir.Ino}");
            return;
        }

        CompareRecord(inode, result);
    }

    public void CompareDirectory(ModelInode dir, uint maxBytes)
    {
        var request = new RequestReaddir
        {
            Header = new RequestHeader { Len = 48, Op = RequestOp.Readdir },
            Ino = dir.Ino,
            MaxBytes = maxBytes,
        };
        var expected = dir.Entries.OrderBy(e => e.Value.Cookie).ToArray();
        int index = 0;
        uint flags;
        do
        {
            int bytes = engine.HandleRequest(MemoryMarshal.AsBytes(new ReadOnlySpan<RequestReaddir>(in request)), _payload, out flags);
            Require(bytes >= 0, $"reading directory {dir.Ino}: {bytes}");
            for (int at = 0; at < bytes;)
            {
                var entry = MemoryMarshal.Read<ReplyDirent>(_payload.AsSpan(at));
                string name = Encoding.UTF8.GetString(_payload, at + Unsafe.SizeOf<ReplyDirent>(), entry.NameBytes);
                Require(index < expected.Length, $"directory {dir.Ino} shows {name}");
                Same((name, new ModelEntry(entry.Ino, entry.Cookie)), (expected[index].Key, expected[index].Value), $"directory {dir.Ino}");
                index++;
                request.Cookie = entry.Cookie;
                at += entry.Len;
            }
        }
        while ((flags & LakeRing.ReplyMore) != 0);
        Same(index, expected.Length, $"entries of directory {dir.Ino}");
    }

    /// <param name="inode">A regular file.</param>
    /// <param name="refs">Of the tree as of what the engine has applied; null when that is not known.</param>
    public void CompareMap(ModelInode inode, IReadOnlyDictionary<ulong, int>? refs)
    {
        int seen = 0;
        foreach ((ulong fileBlock, ulong phys, uint blocks, uint flags) in Lake.Extents(engine, inode.Ino))
        {
            for (uint i = 0; i < blocks; i++, seen++)
            {
                Require(inode.Blocks.TryGetValue(fileBlock + i, out ModelBlock block), $"inode {inode.Ino} maps block {fileBlock + i}");
                const uint told = ExtentFlags.Shared | ExtentFlags.Crc;
                Same((phys + i, flags & ~told), (block.Phys, block.Flags & ~told), $"inode {inode.Ino}, block {fileBlock + i}");
                bool isPlain = !block.IsSkewed && !block.IsPacked;
                Require(isPlain || (flags & ExtentFlags.Shared) != 0, $"inode {inode.Ino}, block {fileBlock + i} is skewed or packed and not told to be shared");
                Require(block.IsContinued == (!isPlain && i > 0), $"inode {inode.Ino}, block {fileBlock + i}: skewed or packed extents are cut elsewhere");
                // of one overwritten in place an extent may go on saying it: CompareChecksums looks at each
                Require(!block.HasCrc || (flags & ExtentFlags.Crc) != 0, $"inode {inode.Ino}, block {fileBlock + i}: nobody takes its checksum back");
                Require(
                    refs is null || refs[block.DeviceBlock] == 1 || block.IsUnwritten || (flags & ExtentFlags.Shared) != 0,
                    $"inode {inode.Ino}, block {fileBlock + i} is shared and not told so");
            }
        }

        Same(seen, inode.Blocks.Count, $"mapped blocks of inode {inode.Ino}");
    }

    public void CompareXattrs(ModelInode inode)
    {
        int bytes = AskIno(RequestOp.Listxattr, inode.Ino);
        Require(bytes >= 0, $"the xattrs of {inode.Ino}: {bytes}");
        string[] names = Encoding.UTF8.GetString(_payload, 0, bytes).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        Same(names.Length, inode.Xattrs.Count, $"xattrs of inode {inode.Ino}");
        foreach (string name in names)
        {
            Require(inode.Xattrs.TryGetValue(name, out byte[]? value), $"inode {inode.Ino} has the xattr {name}");
            byte[] key = Encoding.UTF8.GetBytes(name);
            byte[] request = new byte[Unsafe.SizeOf<RequestName>() + key.Length];
            MemoryMarshal.Write(request, new RequestName
            {
                Header = new RequestHeader { Len = (uint)request.Length, Op = RequestOp.Getxattr },
                Ino = inode.Ino,
                NameBytes = (ushort)key.Length,
            });
            key.CopyTo(request, Unsafe.SizeOf<RequestName>());
            int length = engine.HandleRequest(request, _payload, out _);
            Require(
                length == value.Length && _payload.AsSpan(0, length).SequenceEqual(value),
                $"the xattr {name} of inode {inode.Ino} has another value");
        }
    }

    /// <summary>Many at once, some of which do not exist.</summary>
    public void CompareMany(ModelInode[] inodes, uint maxExtents, ulong absent)
    {
        ulong[] asked = [.. inodes.Select(i => i.Ino), absent];
        byte[] request = new byte[Unsafe.SizeOf<RequestInodes>() + (asked.Length * 8)];
        MemoryMarshal.Write(request, new RequestInodes
        {
            Header = new RequestHeader { Len = (uint)request.Length, Op = RequestOp.Inodes },
            Count = (uint)asked.Length,
            MaxExtents = maxExtents,
        });
        MemoryMarshal.AsBytes<ulong>(asked).CopyTo(request.AsSpan(Unsafe.SizeOf<RequestInodes>()));
        int bytes = engine.HandleRequest(request, _payload, out _);
        int index = 0;
        for (int at = 0; at < bytes; index++)
        {
            var reply = MemoryMarshal.Read<ReplyInode>(_payload.AsSpan(at));
            Require(index < inodes.Length, $"inode {reply.Inode.Ino} is told of");
            Same(reply.Inode, Expected(inodes[index]), $"inode {inodes[index].Ino} among many");
            at += (int)reply.Len;
        }

        Same(index, inodes.Length, "inodes of many");
    }

    private static InodeRecord Expected(ModelInode inode) => new()
    {
        Ino = inode.Ino,
        Mode = inode.Mode,
        Nlink = inode.Nlink,
        Uid = inode.Uid,
        Gid = inode.Gid,
        Generation = inode.Generation,
        Size = inode.Size,
        Blocks = (ulong)inode.Blocks.Count,
        Atime = inode.Atime,
        Mtime = inode.Mtime,
        Ctime = inode.Ctime,
        Btime = inode.Btime,
        Flags = inode.Flags,
        XattrCount = (uint)inode.Xattrs.Count,
        LinkBytes = (uint)inode.Link.Length,
        LastSeq = inode.LastSeq,
        DataSeq = inode.DataSeq,
    };

    private static void Same(in InodeRecord told, in InodeRecord expected, string what)
    {
        ReadOnlySpan<byte> a = MemoryMarshal.AsBytes(new ReadOnlySpan<InodeRecord>(in told));
        ReadOnlySpan<byte> b = MemoryMarshal.AsBytes(new ReadOnlySpan<InodeRecord>(in expected));
        Require(a.SequenceEqual(b), $"{what}: the record differs at byte {a.CommonPrefixLength(b)}");
    }

    private static void Same<T>(T told, T expected, string what)
    {
        if (!EqualityComparer<T>.Default.Equals(told, expected))
        {
            throw new SimulationException($"{what}: {told}, it has to be {expected}");
        }
    }

    private static void Require([System.Diagnostics.CodeAnalysis.DoesNotReturnIf(false)] bool condition, string what)
    {
        if (!condition)
        {
            throw new SimulationException(what);
        }
    }

    private int AskIno(RequestOp op, ulong ino)
    {
        var request = new RequestIno { Header = new RequestHeader { Len = 32, Op = op }, Ino = ino };
        return engine.HandleRequest(MemoryMarshal.AsBytes(new ReadOnlySpan<RequestIno>(in request)), _payload, out _);
    }

    private void CompareRecord(ModelInode inode, int bytes)
    {
        int size = Unsafe.SizeOf<InodeRecord>();
        Require(bytes == size + inode.Link.Length, $"inode {inode.Ino} is answered with {bytes}");
        Same(MemoryMarshal.Read<InodeRecord>(_payload), Expected(inode), $"inode {inode.Ino}");
        Require(_payload.AsSpan(size, inode.Link.Length).SequenceEqual(inode.Link), $"the target of inode {inode.Ino} differs");
    }

    // no request tells them
    private void CompareChecksums(ModelInode inode)
    {
        int header = Unsafe.SizeOf<ExtentItem>();
        BTree tree = engine.TreeForCheck();
        var key = new TreeKey(inode.Ino, (uint)ItemType.Extent, 0);
        while (tree.TryGetAtOrAfter(key, out key, out ReadOnlySpan<byte> item) && key.Object == inode.Ino && key.Type == (uint)ItemType.Extent)
        {
            ReadOnlySpan<uint> crcs = MemoryMarshal.Cast<byte, uint>(item[header..]);
            for (int i = 0; i < crcs.Length; i++)
            {
                Same(crcs[i], inode.Blocks[key.Offset + (ulong)i].Crc, $"the checksum of inode {inode.Ino}, block {key.Offset + (ulong)i}");
            }

            key = new TreeKey(key.Object, key.Type, key.Offset + 1);
        }
    }
}
