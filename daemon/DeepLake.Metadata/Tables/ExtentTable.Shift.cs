// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Metadata.Tree;
using DeepLake.Platform;

namespace DeepLake.Metadata.Tables;

/// <summary>Moving extents to other file blocks; the device blocks stay theirs.</summary>
public sealed partial class ExtentTable
{
    private readonly byte[] _movedCrcs = new byte[LakeFormat.ExtentCrcBlocksMax * 4];

    /// <summary>Whether nothing maps any of [fileBlock, fileEnd).</summary>
    public bool IsHole(ulong ino, ulong fileBlock, ulong fileEnd) =>
        fileBlock >= fileEnd || !TryGetAt(ino, fileBlock, out Extent extent) || extent.FileBlock >= fileEnd;

    /// <summary>
    /// Moves what maps [fileBlock, +blocks) by that many blocks down, or up. What reaches over the ends
    /// of the range is cut there; what it moves to, the range itself apart, has to be a hole. The
    /// moves begin at the end they go towards, so that none meets the next. Returns the mapped blocks.
    /// </summary>
    public ulong Shift(ulong ino, ulong fileBlock, ulong blocks, ulong distance, bool up, IFreedBlocks cuts)
    {
        ulong end = fileBlock + blocks;
        CutAt(ino, fileBlock, cuts);
        CutAt(ino, end, cuts);
        ulong moved = 0;
        Extent extent;
        if (up)
        {
            for (ulong at = end; TryGetLastBefore(ino, at, out extent) && extent.FileBlock >= fileBlock; at = extent.FileBlock)
            {
                Move(ino, extent, extent.FileBlock + distance);
                moved += extent.Blocks;
            }
        }
        else
        {
            for (ulong at = fileBlock; TryGetAt(ino, at, out extent) && extent.FileBlock < end; at = extent.FileEnd)
            {
                Move(ino, extent, extent.FileBlock - distance);
                moved += extent.Blocks;
            }
        }

        ulong target = up ? fileBlock + distance : fileBlock - distance;
        JoinAt(ino, target);
        JoinAt(ino, target + blocks);
        return moved;
    }

    /// <summary>The last extent that begins before <paramref name="fileBlock"/>.</summary>
    public bool TryGetLastBefore(ulong ino, ulong fileBlock, out Extent extent)
    {
        extent = default;
        if (fileBlock == 0
            || !tree.TryGetAtOrBefore(Keys.Extent(ino, fileBlock - 1), out TreeKey key, out ReadOnlySpan<byte> data)
            || !Keys.Is(key, ino, ItemType.Extent))
        {
            return false;
        }

        extent = Parse(key, data);
        return true;
    }

    /// <summary>No extent begins before that block and ends behind it; but one that is not plain, without <paramref name="cuts"/>.</summary>
    private void CutAt(ulong ino, ulong fileBlock, IFreedBlocks? cuts)
    {
        if (!TryGetLastBefore(ino, fileBlock, out Extent extent) || extent.FileEnd <= fileBlock || (!extent.IsPlain && cuts is null))
        {
            return;
        }

        ReadOnlySpan<byte> crcs = TakeCrcs(ino, extent);
        Write(ino, extent.Slice(extent.FileBlock, fileBlock), CrcSlice(extent, crcs, extent.FileBlock, fileBlock));
        ulong from = Planted.Is(PlantedFault.CutExtentKeepsTheWrongChecksums) ? extent.FileBlock : fileBlock;
        Extent behind = extent.Slice(fileBlock, extent.FileEnd);
        Write(ino, behind, CrcSlice(extent, crcs, from, extent.FileEnd));
        if (extent.IsSkewed)
        {
            cuts!.CutWithin(behind.PhysBlock, 1);
        }
        else if (extent.IsPacked)
        {
            cuts!.CutWithin(extent.DeviceBlock, extent.DeviceBlocks);
        }
    }

    private void Move(ulong ino, in Extent extent, ulong to)
    {
        TreeKey key = Keys.Extent(ino, extent.FileBlock);
        if (tree.TryRekey(key, Keys.Extent(ino, to)))
        {
            return;
        }

        ReadOnlySpan<byte> crcs = TakeCrcs(ino, extent);
        tree.Delete(key);
        Write(ino, extent with { FileBlock = to }, crcs);
    }

    /// <summary>An extent that begins there and continues the one before becomes part of it.</summary>
    private void JoinAt(ulong ino, ulong fileBlock)
    {
        if (fileBlock == 0 || !TryGetAt(ino, fileBlock, out Extent extent) || extent.FileBlock != fileBlock
            || !TryGetEndingAt(ino, fileBlock, out Extent before) || !CanJoin(before, extent))
        {
            return;
        }

        ReadOnlySpan<byte> crcs = TakeCrcs(ino, extent);
        crcs.CopyTo(_movedCrcs);
        tree.Delete(Keys.Extent(ino, fileBlock));
        Insert(ino, extent, _movedCrcs.AsSpan(0, crcs.Length));
    }
}
