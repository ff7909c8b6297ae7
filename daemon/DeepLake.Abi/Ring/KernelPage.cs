// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>The page written by the kernel: heads of intents and requests, wanted and durable seq.</summary>
[CStruct("lakefs_kpage")]
[StructLayout(LayoutKind.Sequential)]
public struct KernelPage
{
    public ulong Magic;
    public uint AbiVersion;
    /// <summary>LAKEFS_CHAN_*.</summary>
    public ChannelState State;
    public ULong6 Pad0;
    /// <summary>Release: entries below are valid.</summary>
    public ulong IntentHead;
    public ULong7 Pad1;
    public ulong RequestHead;
    public ULong7 Pad2;
    /// <summary>Make durable up to here, now.</summary>
    public ulong WantedSeq;
    public ULong7 Pad3;
    /// <summary>Replies consumed.</summary>
    public ulong ReplyTail;
    public ULong7 Pad4;
    /// <summary>Last seq put into the intent ring.</summary>
    public ulong SentSeq;
    /// <summary>Last seq given by the kernel.</summary>
    public ulong LastSeq;
    /// <summary>As committed.</summary>
    public ulong DurableSeq;
    public ULong5 Pad5;
}
