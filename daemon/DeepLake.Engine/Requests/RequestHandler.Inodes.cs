// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.State;
using DeepLake.Metadata.Tables;
using DeepLake.Platform;

namespace DeepLake.Engine.Requests;

/// <summary>INODES: many inodes by number, each with its target and first extents.</summary>
internal sealed partial class RequestHandler
{
    private static readonly int InodesHeaderBytes = Unsafe.SizeOf<RequestInodes>();
    private static readonly int ReplyInodeBytes = Unsafe.SizeOf<ReplyInode>();
    private static readonly int ReplyExtentBytes = Unsafe.SizeOf<ReplyExtent>();

    /// <summary>
    /// In the order asked. What does not exist is left out; so is everything from the first one on that
    /// finds no room any more. Orphans exist: the kernel may hold one open.
    /// </summary>
    private int Inodes(ReadOnlySpan<byte> request, Span<byte> payload)
    {
        if (!TryRead(request, out RequestInodes value) || value.Count is 0 or > LakeRing.InodesMax
            || value.MaxExtents > LakeRing.InodesExtentsMax
            || request.Length < InodesHeaderBytes + ((int)value.Count * sizeof(ulong)))
        {
            return -(int)Errno.EINVAL;
        }

        ReadOnlySpan<byte> numbers = request.Slice(InodesHeaderBytes, (int)value.Count * sizeof(ulong));
        int used = 0;
        for (int at = 0; at < numbers.Length; at += sizeof(ulong))
        {
            ulong ino = MemoryMarshal.Read<ulong>(numbers[at..]);
            if (!state.Inodes.TryGet(ino, out InodeRecord record))
            {
                continue;
            }

            int wanted = FileType.IsRegular(record.Mode) ? (int)Math.Min(value.MaxExtents, record.Blocks) : 0;
            int most = ReplyInodeBytes + Padded((int)record.LinkBytes) + (wanted * ReplyExtentBytes);
            if (most > payload.Length - used)
            {
                return used > 0 ? used : -(int)Errno.EOVERFLOW;
            }

            int bytes = WriteReplyInode(record, wanted, payload[used..]);
            if (bytes < 0)
            {
                return bytes;
            }

            used += bytes;
        }

        return used;
    }

    private int WriteReplyInode(in InodeRecord record, int wanted, Span<byte> target)
    {
        int bytes = ReplyInodeBytes;
        if (record.LinkBytes > 0)
        {
            int padded = Padded((int)record.LinkBytes);
            if (state.Inodes.CopyLink(record, target[bytes..]) < 0)
            {
                return -(int)Errno.EUCLEAN;
            }

            target[(bytes + (int)record.LinkBytes)..(bytes + padded)].Clear();
            bytes += padded;
        }

        var reply = new ReplyInode { Inode = record };
        if (FileType.IsRegular(record.Mode))
        {
            ulong mapped = 0;
            ulong at = 0;
            while (reply.Extents < wanted && TryGetPiece(record.Ino, at, out Extent extent))
            {
                MemoryMarshal.Write(target[bytes..], ReplyOf(extent));
                bytes += ReplyExtentBytes;
                reply.Extents++;
                mapped += extent.Blocks;
                at = extent.FileEnd;
            }

            reply.Flags = mapped == record.Blocks ? LakeRing.InodeWhole : (ushort)0;
        }

        reply.Len = (uint)bytes;
        MemoryMarshal.Write(target, reply);
        return bytes;
    }

    private static int Padded(int bytes) => (bytes + 7) & ~7;
}
