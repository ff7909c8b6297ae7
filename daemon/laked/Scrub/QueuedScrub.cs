// SPDX-License-Identifier: MPL-2.0
using DeepLake.Engine;
using DeepLake.Engine.Scrub;

namespace DeepLake.Laked.Scrub;

/// <summary>The engine of a lake as the scrub's thread asks it: each question waits for the engine's thread.</summary>
/// <param name="run">Has something done there, and returns when that is done.</param>
internal sealed class QueuedScrub(Action<Action<LakeEngine>> run) : IScrubEngine
{
    public ScrubView LookForScrub(ScrubPosition from, uint blocks)
    {
        ScrubView view = ScrubView.Empty;
        run(engine => view = engine.LookForScrub(from, blocks));
        return view;
    }

    public ScrubPlace LookAtPlace(ulong ino, ulong fileBlock, ulong physBlock)
    {
        ScrubPlace place = default;
        run(engine => place = engine.LookAtPlace(ino, fileBlock, physBlock));
        return place;
    }

    public ScrubPosition FindHolders(ScrubPosition from, IReadOnlyList<(ulong PhysBlock, ulong Blocks)> ranges, List<ScrubRun> into)
    {
        ScrubPosition next = ScrubPosition.End;
        run(engine => next = engine.FindHolders(from, ranges, into));
        return next;
    }
}
