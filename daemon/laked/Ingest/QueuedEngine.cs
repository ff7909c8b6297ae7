// SPDX-License-Identifier: MPL-2.0
using DeepLake.Engine;
using DeepLake.Engine.Ingest;
using DeepLake.Hash;

namespace DeepLake.Laked.Ingest;

/// <summary>The engine of a lake as another thread asks it: each question waits for the engine's thread.</summary>
/// <param name="run">Has something done there, and returns when that is done.</param>
internal sealed class QueuedEngine(Action<Action<LakeEngine>> run) : IIngestEngine
{
    public ulong AppliedSeq => Ask(engine => engine.AppliedSeq);

    public SealView? LookForSeal(ulong ino, ulong fileBlock, uint blocks) => Ask(engine => engine.LookForSeal(ino, fileBlock, blocks));

    public ContentView? LookAtContent(ulong ino, ulong fileBlock) => Ask(engine => engine.LookAtContent(ino, fileBlock));

    public bool PutObject(ulong ino, ulong dataSeq, ulong size, Blake3Hash id) => Ask(engine => engine.PutObject(ino, dataSeq, size, id));

    public EqualFiles? FindEqual(ulong ino, ulong size, Blake3Hash id) => Ask(engine => engine.FindEqual(ino, size, id));

    public EqualFiles? FindEqual(ulong ino) => Ask(engine => engine.FindEqual(ino));

    public ShareView? LookForShare(ulong source, ulong target, ulong fileBlock, uint blocks) =>
        Ask(engine => engine.LookForShare(source, target, fileBlock, blocks));

    private T Ask<T>(Func<LakeEngine, T> question)
    {
        T answer = default!;
        run(engine => answer = question(engine));
        return answer;
    }
}
