// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Engine.Ingest;
using DeepLake.Engine.Scrub;
using DeepLake.Hash;

namespace DeepLake.Laked.Ingest;

/// <summary>The engine of a lake as another thread asks it: each question waits for the engine's thread.</summary>
/// <param name="run">Has something done there, and returns when that is done.</param>
internal sealed class QueuedEngine(Action<Action<LakeEngine>> run) : IIngestEngine, IPackEngine
{
    public ulong AppliedSeq => Ask(engine => engine.AppliedSeq);

    public SealView? LookForSeal(ulong ino, ulong fileBlock, uint blocks) => Ask(engine => engine.LookForSeal(ino, fileBlock, blocks));

    public ContentView? LookAtContent(ulong ino, ulong fileBlock) => Ask(engine => engine.LookAtContent(ino, fileBlock));

    public bool PutObject(ulong ino, ulong dataSeq, ulong size, Blake3Hash id) => Ask(engine => engine.PutObject(ino, dataSeq, size, id));

    public EqualFiles? FindEqual(ulong ino, ulong size, Blake3Hash id) => Ask(engine => engine.FindEqual(ino, size, id));

    public EqualFiles? FindEqual(ulong ino) => Ask(engine => engine.FindEqual(ino));

    public ShareView? LookForShare(ulong source, ulong target, ulong fileBlock, uint blocks) =>
        Ask(engine => engine.LookForShare(source, target, fileBlock, blocks));

    public PackCandidate? LookForPack(ulong ino) => Ask(engine => engine.LookForPack(ino));

    public bool TryLeasePack(uint blocks, out ulong start)
    {
        ulong leased = 0;
        bool isLeased = Ask(engine => engine.TryLeasePack(blocks, out leased));
        start = leased;
        return isLeased;
    }

    public void ReleasePack(ulong start, uint blocks) => run(engine => engine.ReleasePack(start, blocks));

    public ScrubPosition FindUses(ScrubPosition from, SharedWindow[] windows, List<WindowUse> into) =>
        Ask(engine => engine.FindUses(from, windows, into));

    public ScrubPosition CountPacked(ScrubPosition from, ulong start, byte[] live, byte[] spans) =>
        Ask(engine => engine.CountPacked(from, start, live, spans));

    public ScrubPosition FindPackUses(ScrubPosition from, ulong[] packs, List<PackUse> into) =>
        Ask(engine => engine.FindPackUses(from, packs, into));

    public Region DataRegion => Ask(engine => engine.DataRegion);

    public bool MarkPacked(ulong ino, ulong dataSeq) => Ask(engine => engine.MarkPacked(ino, dataSeq));

    private T Ask<T>(Func<LakeEngine, T> question)
    {
        T answer = default!;
        run(engine => answer = question(engine));
        return answer;
    }
}
