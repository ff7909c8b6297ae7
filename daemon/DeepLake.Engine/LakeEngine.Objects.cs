// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.Ingest;
using DeepLake.Hash;
using DeepLake.Metadata.Tables;
using DeepLake.Platform;

namespace DeepLake.Engine;

/// <summary>What the contents of files are, and which are equal; on the engine's thread.</summary>
public sealed partial class LakeEngine
{
    private const int ExtentsOfALook = 4096;
    private const int UnwrittenLooks = 16;

    /// <summary>
    /// A file's content and the map of it from a block on, so many extents that it takes no time to speak of.
    /// Null when there is no such file.
    /// </summary>
    public ContentView? LookAtContent(ulong ino, ulong fileBlock)
    {
        if (!TryGetFile(ino, out InodeRecord inode))
        {
            return null;
        }

        ulong end = BlocksOf(inode.Size);
        ulong written = 0;
        ulong at = fileBlock;
        bool isChecked = true;
        int left = ExtentsOfALook;
        for (; left > 0 && _state.Extents.TryGetAt(ino, at, out Extent extent) && extent.FileBlock < end; left--)
        {
            if (!extent.IsUnwritten)
            {
                written += Math.Min(extent.FileEnd, end) - Math.Max(extent.FileBlock, at);
                isChecked &= extent.IsChecked || Planted.Is(PlantedFault.ObjectBeforeAllIsChecked);
            }

            at = extent.FileEnd;
        }

        return new ContentView
        {
            AppliedSeq = AppliedSeq,
            DataSeq = inode.DataSeq,
            Size = inode.Size,
            MappedBlocks = inode.Blocks,
            HasObject = TryGetHeld(ino, out _, out _),
            WrittenBlocks = written,
            IsChecked = isChecked,
            NextBlock = left == 0 ? at : ulong.MaxValue,
        };
    }

    /// <summary>
    /// Gives a file its identity, which is durable with what is applied. False, and nothing is done, when the
    /// file is not what it was, when something written in it is not checked (of a file in very many pieces
    /// only the first are looked at here), or when metadata has no room.
    /// </summary>
    public bool PutObject(ulong ino, ulong dataSeq, ulong size, Blake3Hash id) => PutObject(ino, dataSeq, size, id, 0);

    private bool PutObject(ulong ino, ulong dataSeq, ulong size, Blake3Hash id, uint flags)
    {
        int bytes = Unsafe.SizeOf<WalObject>();
        bool isServed = _checkpoints.Superblock.State == SuperblockState.Active; // nothing follows the clean mark
        if (size == 0 || !isServed || MetadataIsFull || LookAtContent(ino, 0) is not { IsChecked: true } now
            || now.DataSeq != dataSeq || now.Size != size || !TryMakeRoom(bytes, grows: true))
        {
            return false;
        }

        var entry = new WalObject
        {
            Header = new IntentHeader { Len = (uint)bytes, Op = IntentOp.WalObject },
            Ino = ino,
            Object = new ObjectItem { Size = size, DataSeq = dataSeq, Flags = flags },
        };
        id.CopyTo(entry.Object.Id);
        ReadOnlySpan<byte> span = MemoryMarshal.AsBytes(new ReadOnlySpan<WalObject>(in entry));
        _applier.Apply(span);
        Append(span, 0);
        return true;
    }

    /// <summary>
    /// Another file that has this content and does not map the same blocks, as far as one is known. The
    /// source is the one that has had it longer, unless the other one's blocks are shared or packed already.
    /// </summary>
    public EqualFiles? FindEqual(ulong ino, ulong size, Blake3Hash id)
    {
        Span<byte> bytes = stackalloc byte[Blake3Hash.SizeBytes];
        id.CopyTo(bytes);
        if (!_state.Identities.TryGet(IdentityTable.PrefixOf(bytes), out ulong other) || other == ino
            || !TryGetHeld(other, out InodeRecord inode, out ObjectItem item) || item.Size != size
            || !bytes.SequenceEqual((ReadOnlySpan<byte>)item.Id) || !TryGetFile(ino, out InodeRecord mine) || HaveTheSameEnds(ino, other, size))
        {
            return null;
        }

        bool isMineOlder = mine.DataSeq < inode.DataSeq;
        bool isMineFirst = IsPacked(ino) != IsPacked(other) ? IsPacked(ino) : isMineOlder && !IsShared(other);
        return isMineFirst ? new EqualFiles(ino, other) : new EqualFiles(other, ino);
    }

    /// <summary>The same of a file whose identity is known; null also when it is not.</summary>
    public EqualFiles? FindEqual(ulong ino) =>
        TryGetHeld(ino, out _, out ObjectItem item) ? FindEqual(ino, item.Size, Blake3Hash.Read(item.Id)) : null;

    /// <summary>
    /// The next range of two equal files in which one of them has something written, up to so many blocks.
    /// Null when there is none before their end, or they are not known to be equal any more.
    /// </summary>
    public ShareView? LookForShare(ulong source, ulong target, ulong fileBlock, uint blocks)
    {
        if (source == target || !TryGetHeld(source, out InodeRecord first, out ObjectItem a)
            || !TryGetHeld(target, out InodeRecord second, out ObjectItem b)
            || a.Size != b.Size || !((ReadOnlySpan<byte>)a.Id).SequenceEqual((ReadOnlySpan<byte>)b.Id))
        {
            return null;
        }

        ulong end = BlocksOf(a.Size);
        ulong start = Math.Min(FirstMapped(source, fileBlock), FirstMapped(target, fileBlock));
        if (start >= end)
        {
            return null;
        }

        ulong count = Math.Min(blocks, end - start);
        return new ShareView
        {
            SourceGeneration = first.Generation,
            TargetGeneration = second.Generation,
            AppliedSeq = AppliedSeq,
            MetadataIsFull = MetadataIsFull,
            FileBlock = start,
            Blocks = (uint)count,
            IsShared = PlacesOf(source, start, start + count).SequenceEqual(PlacesOf(target, start, start + count)),
        };
    }

    private static ulong BlocksOf(ulong size) => (size / LakeFormat.BlockSize) + (size % LakeFormat.BlockSize == 0 ? 0ul : 1ul);

    /// <summary>A regular file that has a name.</summary>
    private bool TryGetFile(ulong ino, out InodeRecord inode) =>
        _state.Inodes.TryGet(ino, out inode) && FileType.IsRegular(inode.Mode) && inode.Nlink > 0;

    /// <summary>A file whose identity is known and holds.</summary>
    private bool TryGetHeld(ulong ino, out InodeRecord inode, out ObjectItem item)
    {
        item = default;
        return TryGetFile(ino, out inode) && _state.Objects.TryGet(ino, out item) && ObjectTable.Holds(item, inode);
    }

    // Sharing goes from the front: what has the first and the last block in common has all.
    private bool HaveTheSameEnds(ulong a, ulong b, ulong size)
    {
        ulong end = BlocksOf(size);
        return FirstPlace(a, end) == FirstPlace(b, end) && LastPlace(a, end) == LastPlace(b, end);
    }

    /// <summary>Where the first written block is, in the file and, in bytes, on the device.</summary>
    private (ulong File, ulong FirstByte) FirstPlace(ulong ino, ulong end)
    {
        ulong at = 0;
        for (int looks = 0; looks < UnwrittenLooks && _state.Extents.TryGetAt(ino, at, out Extent extent) && extent.FileBlock < end; looks++)
        {
            if (!extent.IsUnwritten)
            {
                return (extent.FileBlock, extent.FirstByte);
            }

            at = extent.FileEnd;
        }

        return default;
    }

    private (ulong File, ulong FirstByte) LastPlace(ulong ino, ulong end)
    {
        for (int looks = 0; looks < UnwrittenLooks && _state.Extents.TryGetLastBefore(ino, end, out Extent extent); looks++)
        {
            if (!extent.IsUnwritten)
            {
                ulong last = Math.Min(extent.FileEnd, end) - 1;
                return (last, extent.Slice(last, last + 1).FirstByte);
            }

            end = extent.FileBlock;
        }

        return default;
    }

    // Packing goes from the front.
    private bool IsPacked(ulong ino) => _state.Extents.TryGetAt(ino, 0, out Extent extent) && extent.IsPacked;

    private bool IsShared(ulong ino)
    {
        ulong at = 0;
        for (int looks = 0; looks < UnwrittenLooks && _requests.TryGetPiece(ino, at, out Extent piece); looks++)
        {
            if (!piece.IsUnwritten)
            {
                return (piece.Flags & ExtentFlags.Shared) != 0;
            }

            at = piece.FileEnd;
        }

        return false;
    }

    private ulong FirstMapped(ulong ino, ulong fileBlock) =>
        _state.Extents.TryGetAt(ino, fileBlock, out Extent extent) ? Math.Max(extent.FileBlock, fileBlock) : ulong.MaxValue;

    /// <summary>The written runs of a range, those joined that lie together in the file and, in bytes, on the device.</summary>
    private List<(ulong File, ulong FirstByte, ulong Blocks)> PlacesOf(ulong ino, ulong from, ulong end)
    {
        var runs = new List<(ulong File, ulong FirstByte, ulong Blocks)>();
        for (ulong at = from; _state.Extents.TryGetAt(ino, at, out Extent extent) && extent.FileBlock < end; at = extent.FileEnd)
        {
            if (extent.IsUnwritten)
            {
                continue;
            }

            Extent part = extent.Slice(Math.Max(extent.FileBlock, from), Math.Min(extent.FileEnd, end));
            (ulong File, ulong FirstByte, ulong Blocks) last = runs.Count > 0 ? runs[^1] : default;
            if (runs.Count > 0 && last.File + last.Blocks == part.FileBlock && last.FirstByte + (last.Blocks * LakeFormat.BlockSize) == part.FirstByte)
            {
                runs[^1] = (last.File, last.FirstByte, last.Blocks + part.Blocks);
            }
            else
            {
                runs.Add((part.FileBlock, part.FirstByte, part.Blocks));
            }
        }

        return runs;
    }
}
