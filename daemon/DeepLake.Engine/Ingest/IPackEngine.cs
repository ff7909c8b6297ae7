// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Scrub;

namespace DeepLake.Engine.Ingest;

/// <summary>What packing asks the engine of its lake, on whatever thread that has to be.</summary>
public interface IPackEngine
{
    /// <summary>The newest intent that is applied.</summary>
    ulong AppliedSeq { get; }

    /// <inheritdoc cref="LakeEngine.LookForSeal"/>
    SealView? LookForSeal(ulong ino, ulong fileBlock, uint blocks);

    /// <summary>A file whose content is known; null when there is no such file, or it is not.</summary>
    PackCandidate? LookForPack(ulong ino);

    /// <summary>
    /// So many free blocks in a row, which nobody else gets until <see cref="ReleasePack"/>: not even when the last
    /// map that referred to them does so no more. False when there are none, or metadata has no room.
    /// </summary>
    bool TryLeasePack(uint blocks, out ulong start);

    /// <summary>All that was asked of the kernel for such blocks is applied; those in no map are free.</summary>
    void ReleasePack(ulong start, uint blocks);

    /// <inheritdoc cref="LakeEngine.FindUses"/>
    ScrubPosition FindUses(ScrubPosition from, SharedWindow[] windows, List<WindowUse> into);

    /// <inheritdoc cref="LakeEngine.CountPacked"/>
    ScrubPosition CountPacked(ScrubPosition from, ulong start, byte[] live, byte[] spans);

    /// <inheritdoc cref="LakeEngine.FindPackUses"/>
    ScrubPosition FindPackUses(ScrubPosition from, ulong[] packs, List<PackUse> into);

    /// <summary>The blocks of the device that hold data.</summary>
    Region DataRegion { get; }

    /// <summary>Notes that a file was packed as far as it is worth it; false when it has changed, or metadata has no room.</summary>
    bool MarkPacked(ulong ino, ulong dataSeq);
}
