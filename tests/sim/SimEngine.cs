// SPDX-License-Identifier: MPL-2.0
using DeepLake.Engine;
using DeepLake.Engine.Ingest;
using DeepLake.Hash;
using DeepLake.Storage;

namespace DeepLake.Sim;

/// <summary>The engine as its ingest has it. What fails in the engine is the lake's end, as in laked, not a failed read of data.</summary>
internal sealed class SimEngine(LakeEngine engine) : IIngestEngine
{
    public bool HasFailed { get; private set; }

    public ulong AppliedSeq => engine.AppliedSeq;

    public SealView? LookForSeal(ulong ino, ulong fileBlock, uint blocks) => Ask(() => engine.LookForSeal(ino, fileBlock, blocks));

    public ContentView? LookAtContent(ulong ino, ulong fileBlock) => Ask(() => engine.LookAtContent(ino, fileBlock));

    public bool PutObject(ulong ino, ulong dataSeq, ulong size, Blake3Hash id) => Ask(() => engine.PutObject(ino, dataSeq, size, id));

    public EqualFiles? FindEqual(ulong ino, ulong size, Blake3Hash id) => Ask(() => engine.FindEqual(ino, size, id));

    public EqualFiles? FindEqual(ulong ino) => Ask(() => engine.FindEqual(ino));

    public ShareView? LookForShare(ulong source, ulong target, ulong fileBlock, uint blocks) =>
        Ask(() => engine.LookForShare(source, target, fileBlock, blocks));

    /// <summary>The first of so many blocks for a pack; null when there are none in a row.</summary>
    public ulong? LeasePack(uint span) => Ask(() => engine.TryLeasePack(span, out ulong start) ? start : (ulong?)null);

    public void ReleasePack(ulong start, uint span) => Ask(() =>
    {
        engine.ReleasePack(start, span);
        return true;
    });

    private T Ask<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (StorageException)
        {
            HasFailed = true;
            throw;
        }
    }
}
