// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Engine.Archive;

namespace DeepLake.Laked.Ingest;

/// <summary>The archive of a lake's engine as another thread reaches it: each call waits for the engine's thread.</summary>
/// <param name="run">Has something done there, and returns when that is done.</param>
internal sealed class QueuedArchive(Action<Action<LakeEngine>> run) : IArchiveEngine
{
    public bool BaseIsWanted => Ask(engine => engine.BaseIsWanted);

    public ArchiveBase? BeginBase() => Ask(engine => engine.BeginBase());

    public bool TryLeaseSegment(uint blocks, out ArchiveEntry segment)
    {
        ArchiveEntry leased = default;
        bool isLeased = Ask(engine => engine.TryLeaseSegment(blocks, out leased));
        segment = leased;
        return isLeased;
    }

    public bool FinishBase(ArchiveBase finished, ReadOnlySpan<ArchiveEntry> parts)
    {
        ArchiveEntry[] all = parts.ToArray();
        return Ask(engine => engine.FinishBase(finished, all));
    }

    public bool EndReading() => Ask(engine => engine.EndReading());

    public void AbandonBase() => run(engine => engine.AbandonBase());

    private T Ask<T>(Func<LakeEngine, T> question)
    {
        T answer = default!;
        run(engine => answer = question(engine));
        return answer;
    }
}
