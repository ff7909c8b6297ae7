// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Engine.Changes;

namespace DeepLake.Laked.Watch;

/// <summary>The engine of a lake as one who reads its changes asks it: each question waits for the engine's thread.</summary>
/// <param name="run">Has something done there, and returns when that is done.</param>
internal sealed class QueuedLog(Action<Action<LakeEngine>> run) : IChangeLog
{
    public LogView LookAtLog()
    {
        LogView? view = null;
        run(engine => view = engine.LookAtLog());
        return view!;
    }

    public bool TryFindLogSegment(ref ulong number, out ArchiveEntry segment)
    {
        bool isFound = false;
        ulong from = number;
        ArchiveEntry found = default;
        run(engine => isFound = engine.TryFindLogSegment(ref from, out found));
        (number, segment) = (from, found);
        return isFound;
    }
}
