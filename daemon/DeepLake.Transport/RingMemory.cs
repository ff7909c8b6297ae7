// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Transport;

/// <summary>
/// Where the two mapped areas are. The read-only one holds the kernel page, intents and requests; the
/// other one the daemon page and replies. Does not own the memory.
/// </summary>
public sealed unsafe class RingMemory
{
    public RingMemory(byte* readOnlyArea, byte* readWriteArea)
    {
        Kernel = (KernelPage*)readOnlyArea;
        Intents = readOnlyArea + LakeRing.PageBytes;
        Requests = Intents + LakeRing.IntentRingBytes;
        Daemon = (DaemonPage*)readWriteArea;
        Replies = readWriteArea + LakeRing.PageBytes;
    }

    internal KernelPage* Kernel { get; }

    internal byte* Intents { get; }

    internal byte* Requests { get; }

    internal DaemonPage* Daemon { get; }

    internal byte* Replies { get; }
}
