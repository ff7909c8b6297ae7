// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>The page written by the daemon: tails, reply head, applied seq, sleeping.</summary>
[CStruct("lakefs_dpage")]
[StructLayout(LayoutKind.Sequential)]
public struct DaemonPage
{
    /// <summary>Intents copied out.</summary>
    public ulong IntentTail;
    public ULong7 Pad0;
    public ulong RequestTail;
    public ULong7 Pad1;
    /// <summary>Release: replies below are valid.</summary>
    public ulong ReplyHead;
    public ULong7 Pad2;
    /// <summary>Every intent up to here is applied.</summary>
    public ulong AppliedSeq;
    public ULong7 Pad3;
    /// <summary>1: in or about to enter poll().</summary>
    public uint Sleeping;
    /// <summary>LAKEFS_DAEMON_*.</summary>
    public uint Flags;
    public ulong Heartbeat;
    public ULong6 Pad5;
}
