// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Scrub;

/// <summary>What the scrub asks the engine of its lake, on whatever thread that has to be.</summary>
public interface IScrubEngine
{
    /// <inheritdoc cref="LakeEngine.LookForScrub"/>
    ScrubView LookForScrub(ScrubPosition from, uint blocks);

    /// <inheritdoc cref="LakeEngine.LookAtPlace"/>
    ScrubPlace LookAtPlace(ulong ino, ulong fileBlock, ulong physBlock);

    /// <inheritdoc cref="LakeEngine.FindHolders"/>
    ScrubPosition FindHolders(ScrubPosition from, IReadOnlyList<(ulong PhysBlock, ulong Blocks)> ranges, List<ScrubRun> into);
}
