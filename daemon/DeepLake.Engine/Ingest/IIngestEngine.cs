// SPDX-License-Identifier: MPL-2.0
using DeepLake.Hash;

namespace DeepLake.Engine.Ingest;

/// <summary>What the ingest asks the engine of its lake, on whatever thread that has to be.</summary>
public interface IIngestEngine
{
    /// <summary>The newest intent that is applied.</summary>
    ulong AppliedSeq { get; }

    /// <inheritdoc cref="LakeEngine.LookForSeal"/>
    SealView? LookForSeal(ulong ino, ulong fileBlock, uint blocks);

    /// <inheritdoc cref="LakeEngine.LookAtContent"/>
    ContentView? LookAtContent(ulong ino, ulong fileBlock);

    /// <inheritdoc cref="LakeEngine.PutObject"/>
    bool PutObject(ulong ino, ulong dataSeq, ulong size, Blake3Hash id);

    /// <inheritdoc cref="LakeEngine.FindEqual(ulong, ulong, Blake3Hash)"/>
    EqualFiles? FindEqual(ulong ino, ulong size, Blake3Hash id);

    /// <inheritdoc cref="LakeEngine.FindEqual(ulong)"/>
    EqualFiles? FindEqual(ulong ino);

    /// <inheritdoc cref="LakeEngine.LookForShare"/>
    ShareView? LookForShare(ulong source, ulong target, ulong fileBlock, uint blocks);
}
