// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tables;
using DeepLake.Platform;

namespace DeepLake.Engine.State;

/// <summary>Attributes, xattrs, maps and the end of an inode.</summary>
internal sealed partial class IntentApplier
{
    private const ulong FileBlocksMax = 1ul << 51;

    private void SetAttributes(ReadOnlySpan<byte> entry)
    {
        ref readonly IntentSetattr intent = ref Read<IntentSetattr>(entry);
        if ((intent.Valid & ~AttrMask.All) != 0)
        {
            Fault($"intent {_seq} sets unknown attributes 0x{intent.Valid:x}");
        }

        ulong removed = (intent.Valid & AttrMask.Size) != 0 ? CutTo(intent.Ino, intent.Size) : 0;
        ref InodeRecord inode = ref EditInode(intent.Ino);
        if ((intent.Valid & (AttrMask.Size | AttrMask.Mtime)) != 0 && inode.Blocks != 0)
        {
            Touched(intent.Ino);
        }

        if ((intent.Valid & AttrMask.Size) != 0)
        {
            inode.Blocks -= removed;
            inode.Size = intent.Size;
            inode.DataSeq = _seq;
        }

        if ((intent.Valid & AttrMask.Mode) != 0)
        {
            inode.Mode = (inode.Mode & FileType.Mask) | (intent.Mode & FileType.PermissionMask);
        }

        inode.Uid = (intent.Valid & AttrMask.Uid) != 0 ? intent.Uid : inode.Uid;
        inode.Gid = (intent.Valid & AttrMask.Gid) != 0 ? intent.Gid : inode.Gid;
        inode.Atime = (intent.Valid & AttrMask.Atime) != 0 ? intent.Atime : inode.Atime;
        inode.Mtime = (intent.Valid & AttrMask.Mtime) != 0 ? intent.Mtime : inode.Mtime;
        inode.Ctime = (intent.Valid & AttrMask.Ctime) != 0 ? intent.Ctime : inode.Ctime;
        inode.Flags = (intent.Valid & AttrMask.Flags) != 0 ? intent.InodeFlags : inode.Flags;
    }

    /// <summary>Frees what a smaller size leaves behind; how many blocks.</summary>
    private ulong CutTo(ulong ino, ulong size)
    {
        ref readonly InodeRecord inode = ref PeekInode(ino);
        if (!FileType.IsRegular(inode.Mode) || size > long.MaxValue)
        {
            Fault($"intent {_seq} gives inode {ino} the size {size}");
        }

        if (size >= inode.Size || inode.Blocks == 0 || Planted.Is(PlantedFault.SmallerSizeKeepsItsBlocks))
        {
            return 0;
        }

        ulong firstBlock = (size + LakeFormat.BlockSize - 1) / LakeFormat.BlockSize;
        return state.Extents.Punch(ino, firstBlock, ulong.MaxValue - firstBlock, this);
    }

    private void ChangeXattr(ReadOnlySpan<byte> entry)
    {
        ref readonly IntentXattr intent = ref Read<IntentXattr>(entry);
        ReadOnlySpan<byte> rest = entry[Unsafe.SizeOf<IntentXattr>()..];
        long bytes = intent.NameBytes + (long)intent.ValueBytes;
        if (bytes > rest.Length || intent.ValueBytes > LakeFormat.XattrValueMax || intent.NameBytes is 0 or > 255)
        {
            Fault($"xattr intent {_seq} is malformed");
        }

        ReadOnlySpan<byte> name = rest[..intent.NameBytes];
        ReadOnlySpan<byte> value = rest.Slice(intent.NameBytes, (int)intent.ValueBytes);
        PeekInode(intent.Ino);
        int added = 0;
        switch (intent.Action)
        {
            case XattrAction.Set:
                added = state.Xattrs.Set(intent.Ino, name, value) ? 1 : 0;
                break;
            case XattrAction.Remove:
                if (!state.Xattrs.Remove(intent.Ino, name))
                {
                    Fault($"intent {_seq} removes a xattr that inode {intent.Ino} does not have");
                }

                added = -1;
                break;
            default:
                Fault($"xattr intent {_seq} has the unknown action {(ushort)intent.Action}");
                break;
        }

        ref InodeRecord inode = ref EditInode(intent.Ino);
        inode.XattrCount += (uint)added;
        if (intent.SetMode != 0)
        {
            inode.Mode = (inode.Mode & FileType.Mask) | (intent.Mode & FileType.PermissionMask);
        }

        inode.Ctime = intent.Ctime;
    }

    private void Map(ReadOnlySpan<byte> entry)
    {
        ref readonly IntentMap intent = ref Read<IntentMap>(entry);
        ReadOnlySpan<byte> rest = entry[Unsafe.SizeOf<IntentMap>()..];
        bool hasCrcs = (intent.Flags & ExtentFlags.Crc) != 0;
        ReadOnlySpan<byte> crcs = hasCrcs ? TakePadded(ref rest, CrcBytes(intent)) : default;
        ref readonly InodeRecord found = ref PeekInode(intent.Ino);
        CheckMap(intent, found);

        _keptBlocks = 0;
        ulong removed = found.Blocks == 0 ? 0 : state.Extents.Punch(intent.Ino, intent.FileBlock, intent.Blocks, this, intent.PhysBlock);
        if (!state.Space.MarkUsed(intent.PhysBlock, intent.Blocks, _keptBlocks))
        {
            Fault($"map intent {_seq} of inode {intent.Ino} uses blocks {intent.PhysBlock}+{intent.Blocks}, which others use");
        }

        state.Extents.Insert(
            intent.Ino, new Extent(intent.FileBlock, intent.PhysBlock, intent.Blocks, intent.Flags, _seq), crcs);
        CountMapped(intent.Blocks - _keptBlocks, intent.Flags);
        ref InodeRecord inode = ref EditInode(intent.Ino);
        inode.Blocks = inode.Blocks - removed + intent.Blocks;
        inode.DataSeq = _seq;
        Touched(intent.Ino);
        inode.Size = Math.Max(inode.Size, intent.Size);
        inode.Mtime = intent.Mtime;
        inode.Ctime = intent.Ctime;
    }

    private static int CrcBytes(in IntentMap intent)
    {
        if (intent.Blocks > LakeRing.MapBlocksMax)
        {
            Fault($"a map intent carries checksums of {intent.Blocks} blocks");
        }

        return (int)intent.Blocks * 4;
    }

    private void CheckMap(in IntentMap intent, in InodeRecord inode)
    {
        const uint known = ExtentFlags.Crc | ExtentFlags.Unwritten;
        if (!FileType.IsRegular(inode.Mode) || intent.Blocks is 0 or > int.MaxValue || (intent.Flags & ~known) != 0
            || (intent.Flags & known) == known || intent.FileBlock > FileBlocksMax || intent.Size > long.MaxValue
            || !state.Space.Contains(intent.PhysBlock, intent.Blocks))
        {
            Fault($"map intent {_seq} of inode {intent.Ino} is impossible: {intent.FileBlock}+{intent.Blocks} at {intent.PhysBlock}");
        }
    }

    private void Unmap(ReadOnlySpan<byte> entry)
    {
        ref readonly IntentUnmap intent = ref Read<IntentUnmap>(entry);
        if (!FileType.IsRegular(PeekInode(intent.Ino).Mode) || intent.FileBlock > FileBlocksMax)
        {
            Fault($"unmap intent {_seq} of inode {intent.Ino} is impossible");
        }

        ulong removed = state.Extents.Punch(intent.Ino, intent.FileBlock, intent.Blocks, this);
        Touched(intent.Ino);
        ref InodeRecord inode = ref EditInode(intent.Ino);
        inode.Blocks -= removed;
        inode.DataSeq = _seq;
        inode.Mtime = intent.Mtime;
        inode.Ctime = intent.Ctime;
    }

    private void Overwrite(ReadOnlySpan<byte> entry)
    {
        ref readonly IntentOverwrite intent = ref Read<IntentOverwrite>(entry);
        ReadOnlySpan<byte> rest = entry[Unsafe.SizeOf<IntentOverwrite>()..];
        if (intent.Count is 0 or > LakeRing.OverwriteMax)
        {
            Fault($"overwrite intent {_seq} of inode {intent.Ino} tells of {intent.Count} ranges");
        }

        PeekInode(intent.Ino);
        Touched(intent.Ino);
        ReadOnlySpan<byte> ranges = TakePadded(ref rest, (int)intent.Count * Unsafe.SizeOf<BlockRange>());
        if (!state.Extents.DropCrcs(intent.Ino, MemoryMarshal.Cast<byte, BlockRange>(ranges)))
        {
            Fault($"overwrite intent {_seq} of inode {intent.Ino}: sealed blocks were written in place");
        }

        // its attributes stay what they are: no newest seq
        state.Inodes.Edit(intent.Ino).DataSeq = _seq;
    }

    private void Release(ReadOnlySpan<byte> entry)
    {
        ref readonly IntentRelease intent = ref Read<IntentRelease>(entry);
        ref readonly InodeRecord inode = ref PeekInode(intent.Ino);
        if (inode.Nlink != 0)
        {
            Fault($"intent {_seq} releases inode {intent.Ino}, which has {inode.Nlink} links");
        }

        Destroy(inode);
    }

    private void Destroy(InodeRecord inode)
    {
        RemoveOrphan(inode.Ino);
        if (inode.Blocks > 0)
        {
            state.Extents.Punch(inode.Ino, 0, ulong.MaxValue, this);
        }

        RemoveObject(inode.Ino);
        if (inode.XattrCount > 0)
        {
            state.Xattrs.RemoveAll(inode.Ino);
        }

        state.Inodes.Delete(inode);
        state.Counters.InodeCount--;
    }
}
