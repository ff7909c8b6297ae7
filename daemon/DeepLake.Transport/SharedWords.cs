// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Transport;

/// <summary>The single words that both sides publish beside the rings.</summary>
public sealed unsafe class SharedWords(RingMemory memory)
{
    private ulong _heartbeat;

    public bool HasValidMagic => Volatile.Read(ref memory.Kernel->Magic) == LakeRing.Magic;

    public uint AbiVersion => Volatile.Read(ref memory.Kernel->AbiVersion);

    public ChannelState State => (ChannelState)Volatile.Read(ref *(uint*)&memory.Kernel->State);

    /// <summary>The kernel wants everything up to here durable, now.</summary>
    public ulong WantedSeq => Volatile.Read(ref memory.Kernel->WantedSeq);

    /// <summary>The kernel has intents that found no room in the ring.</summary>
    public bool KernelHoldsIntents => Volatile.Read(ref memory.Kernel->LastSeq) > Volatile.Read(ref memory.Kernel->SentSeq);

    /// <summary>The last seq that the kernel has given.</summary>
    public ulong LastSeq => Volatile.Read(ref memory.Kernel->LastSeq);

    /// <summary>Every intent up to <paramref name="seq"/> is applied: their inodes may leave the kernel's memory.</summary>
    public void PublishApplied(ulong seq) => Volatile.Write(ref memory.Daemon->AppliedSeq, seq);

    /// <summary>Metadata has no room (or has again): programs are refused what would make it grow.</summary>
    public void PublishFull(bool isFull) => Volatile.Write(ref memory.Daemon->Flags, isFull ? LakeRing.DaemonFull : 0);

    public void Beat() => Volatile.Write(ref memory.Daemon->Heartbeat, ++_heartbeat);

    /// <summary>
    /// Says that this side is about to poll. The full barrier pairs with the kernel's between publishing
    /// and testing this word: after it the caller looks at the rings once more, then polls.
    /// </summary>
    public void BeginSleep()
    {
        Volatile.Write(ref memory.Daemon->Sleeping, 1);
        Interlocked.MemoryBarrier();
    }

    public void EndSleep() => Volatile.Write(ref memory.Daemon->Sleeping, 0);
}
