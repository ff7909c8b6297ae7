// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using DeepLake.Abi;

namespace DeepLake.Transport;

/// <summary>Takes intents out of the ring, in seq order.</summary>
public sealed unsafe class IntentReader
{
    private readonly RingConsumer _ring;

    public IntentReader(RingMemory memory) => _ring = new RingConsumer(
        memory.Intents,
        LakeRing.IntentRingBytes,
        &memory.Kernel->IntentHead,
        &memory.Daemon->IntentTail,
        Unsafe.SizeOf<IntentHeader>(),
        LakeRing.IntentMax);

    /// <summary>Bytes that were read and not given back yet.</summary>
    public ulong UnpublishedBytes => _ring.UnpublishedBytes;

    public bool HasEntries => _ring.HasEntries;

    /// <summary>Copies the next intent, header first; <paramref name="buffer"/> holds LakeRing.IntentMax bytes.</summary>
    public ReadStatus TryRead(Span<byte> buffer, out int length) => _ring.TryRead(buffer, out length);

    /// <summary>Gives the room of everything read back to the kernel.</summary>
    public void Publish() => _ring.Publish();
}
