// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Metadata.Tables;
using DeepLake.Platform;

namespace DeepLake.Engine.State;

/// <summary>SEAL, CHECKED and UNSEAL: what is written of a range of a file changes its marks.</summary>
internal sealed partial class IntentApplier : IMarkedExtents
{
    private IntentOp _mark;
    private ulong _markedIno;

    /// <summary>Files whose data changed, and of which sealed data was replaced: for the ingest to look at.</summary>
    public ChangedFiles Changes { get; } = new();

    /// <summary>The flags that a written extent of the range has after the intent.</summary>
    public uint FlagsOf(in Extent extent)
    {
        uint flags = extent.Flags;
        switch (_mark)
        {
            case IntentOp.Seal:
                flags |= ExtentFlags.Sealed;
                break;
            case IntentOp.Checked when !extent.IsSealed:
                Fault($"intent {_seq} says block {extent.FileBlock} of inode {_markedIno} is checked, which is not sealed");
                break;
            case IntentOp.Checked:
                flags = (flags | ExtentFlags.Checked) & ~ExtentFlags.Crc;
                break;
            default:
                flags &= ~(ExtentFlags.Sealed | ExtentFlags.Checked);
                Unsealed(extent);
                break;
        }

        CountSealed(extent.Blocks, extent.Flags, flags);
        return flags;
    }

    private void Seal(ReadOnlySpan<byte> entry, IntentOp op)
    {
        ref readonly IntentSeal intent = ref Read<IntentSeal>(entry);
        if (!FileType.IsRegular(PeekInode(intent.Ino).Mode) || intent.FileBlock > FileBlocksMax
            || intent.Blocks is 0 or > LakeRing.SealBlocksMax)
        {
            Fault($"{op} intent {_seq} of inode {intent.Ino} is impossible: {intent.FileBlock}+{intent.Blocks}");
        }

        _mark = op;
        _markedIno = intent.Ino;
        state.Extents.Mark(intent.Ino, intent.FileBlock, intent.Blocks, this);
        ref InodeRecord inode = ref EditInode(intent.Ino);
        if (op == IntentOp.Unseal && !Planted.Is(PlantedFault.ObjectSurvivesAChange))
        {
            inode.DataSeq = _seq;
        }
    }

    /// <summary>
    /// Until this intent is durable nobody may write the blocks in place: a power cut would bring the marks
    /// back over new bytes.
    /// </summary>
    private void Unsealed(in Extent extent)
    {
        if (extent.IsSealed && !Planted.Is(PlantedFault.UnsealedBlocksForgotten))
        {
            state.Space.MarkUnshared(extent.PhysBlock, extent.Blocks, _seq);
        }
    }

    private void CountSealed(ulong blocks, uint before, uint after)
    {
        state.Counters.SealedBlocks += (after & ExtentFlags.Sealed) != 0 ? blocks : 0;
        state.Counters.SealedBlocks -= (before & ExtentFlags.Sealed) != 0 ? blocks : 0;
        state.Counters.CheckedBlocks += (after & ExtentFlags.Checked) != 0 ? blocks : 0;
        state.Counters.CheckedBlocks -= (before & ExtentFlags.Checked) != 0 ? blocks : 0;
    }

    /// <summary>Sealed blocks leave a map.</summary>
    private void SealedLeft(ulong blocks, uint flags)
    {
        if (!Planted.Is(PlantedFault.FreedSealedBlocksStayCounted))
        {
            CountSealed(blocks, flags, 0);
        }
    }

    private void Touched(ulong ino) => Changes.Add(ino);
}
