// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using DeepLake.Abi;

namespace DeepLake.Transport;

/// <summary>Takes requests out of the ring, oldest first.</summary>
public sealed unsafe class RequestReader
{
    private readonly RingConsumer _ring;

    public RequestReader(RingMemory memory) => _ring = new RingConsumer(
        memory.Requests,
        LakeRing.RequestRingBytes,
        &memory.Kernel->RequestHead,
        &memory.Daemon->RequestTail,
        Unsafe.SizeOf<RequestHeader>(),
        LakeRing.RequestMax);

    public bool HasEntries => _ring.HasEntries;

    /// <summary>Copies the next request, header first; <paramref name="buffer"/> holds LakeRing.RequestMax bytes.</summary>
    public ReadStatus TryRead(Span<byte> buffer, out int length) => _ring.TryRead(buffer, out length);

    /// <summary>Gives the room of everything read back to the kernel.</summary>
    public void Publish() => _ring.Publish();
}
