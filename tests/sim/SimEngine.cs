// SPDX-License-Identifier: MPL-2.0
using DeepLake.Engine;
using DeepLake.Engine.Ingest;
using DeepLake.Hash;
using DeepLake.Storage;

namespace DeepLake.Sim;

/// <summary>The engine as its ingest has it. What fails in a change of the engine is the engine's end, not a failed read of data.</summary>
internal sealed class SimEngine(LakeEngine engine) : IIngestEngine
{
    public bool HasFailed { get; private set; }

    public ulong AppliedSeq => engine.AppliedSeq;

    public SealView? LookForSeal(ulong ino, ulong fileBlock, uint blocks) => engine.LookForSeal(ino, fileBlock, blocks);

    public ContentView? LookAtContent(ulong ino, ulong fileBlock) => engine.LookAtContent(ino, fileBlock);

    public bool PutObject(ulong ino, ulong dataSeq, ulong size, Blake3Hash id)
    {
        try
        {
            return engine.PutObject(ino, dataSeq, size, id);
        }
        catch (StorageException)
        {
            HasFailed = true;
            throw;
        }
    }

    public EqualFiles? FindEqual(ulong ino, ulong size, Blake3Hash id) => engine.FindEqual(ino, size, id);

    public EqualFiles? FindEqual(ulong ino) => engine.FindEqual(ino);

    public ShareView? LookForShare(ulong source, ulong target, ulong fileBlock, uint blocks) =>
        engine.LookForShare(source, target, fileBlock, blocks);
}
