// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.State;
using DeepLake.Metadata.Tables;
using DeepLake.Platform;

namespace DeepLake.Engine.Requests;

/// <summary>
/// Answers what the kernel asks about the tree, from the state with every accepted intent in it. Reads
/// only; requests are hostile input. Results are payload bytes, or a negative errno.
/// </summary>
internal sealed partial class RequestHandler(LakeState state)
{
    private static readonly int InodeBytes = Unsafe.SizeOf<InodeRecord>();

    public int Handle(ReadOnlySpan<byte> request, Span<byte> payload, out uint flags)
    {
        flags = 0;
        RequestHeader header = MemoryMarshal.Read<RequestHeader>(request);
        return header.Op switch
        {
            RequestOp.Lookup => Lookup(request, payload),
            RequestOp.Inode => Inode(request, payload),
            RequestOp.Inodes => Inodes(request, payload),
            RequestOp.Readdir => ReadDirectory(request, payload, ref flags),
            RequestOp.Extents => Extents(request, payload, ref flags),
            RequestOp.Getxattr => GetXattr(request, payload),
            RequestOp.Listxattr => ListXattr(request, payload),
            RequestOp.Parent => Parent(request, payload),
            _ => -(int)Errno.EOPNOTSUPP,
        };
    }

    /// <summary>Inode record and symlink target, as LOOKUP, INODE and MOUNT return them.</summary>
    public int WriteInode(ulong ino, Span<byte> payload)
    {
        if (!state.Inodes.TryGet(ino, out InodeRecord record))
        {
            return -(int)Errno.ENOENT;
        }

        if (payload.Length < InodeBytes + (int)record.LinkBytes)
        {
            return -(int)Errno.EOVERFLOW;
        }

        MemoryMarshal.Write(payload, record);
        int link = state.Inodes.CopyLink(record, payload[InodeBytes..]);
        return link < 0 ? -(int)Errno.EUCLEAN : InodeBytes + link;
    }

    private static bool TryRead<T>(ReadOnlySpan<byte> request, out T value)
        where T : unmanaged
    {
        value = default;
        return request.Length >= Unsafe.SizeOf<T>() && MemoryMarshal.TryRead(request, out value);
    }

    private static bool TryReadName(ReadOnlySpan<byte> request, out RequestName value, out ReadOnlySpan<byte> name)
    {
        name = default;
        if (!TryRead(request, out value) || value.NameBytes is 0 or > 255
            || request.Length < Unsafe.SizeOf<RequestName>() + value.NameBytes)
        {
            return false;
        }

        name = request.Slice(Unsafe.SizeOf<RequestName>(), value.NameBytes);
        return true;
    }

    private int Lookup(ReadOnlySpan<byte> request, Span<byte> payload)
    {
        if (!TryReadName(request, out RequestName value, out ReadOnlySpan<byte> name))
        {
            return -(int)Errno.EINVAL;
        }

        return state.Directories.TryFind(value.Ino, name, out DirectoryEntry entry)
            ? WriteInode(entry.Ino, payload)
            : -(int)Errno.ENOENT;
    }

    private int Inode(ReadOnlySpan<byte> request, Span<byte> payload) =>
        TryRead(request, out RequestIno value) ? WriteInode(value.Ino, payload) : -(int)Errno.EINVAL;

    private int Parent(ReadOnlySpan<byte> request, Span<byte> payload)
    {
        if (!TryRead(request, out RequestIno value))
        {
            return -(int)Errno.EINVAL;
        }

        if (value.Ino == LakeFormat.RootIno)
        {
            return WriteInode(LakeFormat.RootIno, payload);
        }

        return state.Directories.TryGetParent(value.Ino, out ulong dir) ? WriteInode(dir, payload) : -(int)Errno.ENOENT;
    }

    private int ReadDirectory(ReadOnlySpan<byte> request, Span<byte> payload, ref uint flags)
    {
        if (!TryRead(request, out RequestReaddir value))
        {
            return -(int)Errno.EINVAL;
        }

        int limit = (int)Math.Min(value.MaxBytes, (uint)payload.Length);
        int used = state.Directories.CopyEntries(value.Ino, value.Cookie, payload[..limit], out bool more);
        flags |= more ? LakeRing.ReplyMore : 0;
        return more && used == 0 ? -(int)Errno.EINVAL : used;
    }

    private int Extents(ReadOnlySpan<byte> request, Span<byte> payload, ref uint flags)
    {
        if (!TryRead(request, out RequestExtents value) || value.MaxExtents == 0)
        {
            return -(int)Errno.EINVAL;
        }

        int size = Unsafe.SizeOf<ReplyExtent>();
        int limit = (int)Math.Min(value.MaxExtents, (uint)(payload.Length / size));
        int count = 0;
        ulong at = value.FileBlock;
        while (TryGetPiece(value.Ino, at, out Extent extent))
        {
            if (count == limit)
            {
                flags |= LakeRing.ReplyMore;
                break;
            }

            MemoryMarshal.Write(payload[(count++ * size)..], ReplyOf(extent));
            at = extent.FileEnd;
        }

        return count * size;
    }

    /// <summary>
    /// The first piece of a map at or after a block, as the kernel is told: cut where blocks begin or
    /// cease to be shared, and marked so; skewed and packed extents always are. Every answer that carries extents gets them here.
    /// </summary>
    public bool TryGetPiece(ulong ino, ulong fileBlock, out Extent piece)
    {
        if (!state.Extents.TryGetAt(ino, fileBlock, out piece))
        {
            return false;
        }

        if (piece.FileBlock < fileBlock)
        {
            piece = piece.Slice(fileBlock, piece.FileEnd);
        }

        if (!piece.IsPlain && !Planted.Is(PlantedFault.SkewedExtentToldUnshared))
        {
            // never written in place, whoever else refers to its blocks, which are not its own one for one
            piece = piece with { Flags = piece.Flags | ExtentFlags.Shared };
            return true;
        }

        uint refs = 1;
        ulong blocks = state.Counters.SharedBlocks == 0
            ? piece.Blocks
            : state.Shared.NextPiece(piece.PhysBlock, piece.Blocks, out refs);
        bool lately = false;
        if (refs == 1)
        {
            blocks = state.Space.NextLatelyShared(piece.PhysBlock, blocks, out lately);
        }

        // a block that was shared lately may be anybody's by now, preallocated too
        bool shared = (refs > 1 || lately) && (piece.Flags & ExtentFlags.Unwritten) == 0;
        piece = piece with { Blocks = (uint)blocks, Flags = piece.Flags | (shared ? ExtentFlags.Shared : 0) };
        return true;
    }

    private static ReplyExtent ReplyOf(in Extent extent) => new()
    {
        FileBlock = extent.FileBlock,
        PhysBlock = extent.PhysBlock,
        Blocks = extent.Blocks,
        Flags = extent.Flags,
    };

    private int GetXattr(ReadOnlySpan<byte> request, Span<byte> payload)
    {
        if (!TryReadName(request, out RequestName value, out ReadOnlySpan<byte> name))
        {
            return -(int)Errno.EINVAL;
        }

        int bytes = state.Xattrs.Get(value.Ino, name, payload);
        return bytes < 0 ? -(int)Errno.ENODATA : bytes > payload.Length ? -(int)Errno.EOVERFLOW : bytes;
    }

    private int ListXattr(ReadOnlySpan<byte> request, Span<byte> payload)
    {
        if (!TryRead(request, out RequestIno value))
        {
            return -(int)Errno.EINVAL;
        }

        int bytes = state.Xattrs.List(value.Ino, payload);
        return bytes < 0 ? -(int)Errno.EOVERFLOW : bytes;
    }
}
