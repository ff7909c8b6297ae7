// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Answer to MOUNT.</summary>
[CStruct("lakefs_p_mount")]
[StructLayout(LayoutKind.Sequential)]
public struct ReplyMount
{
    public ulong Epoch;
    /// <summary>The kernel goes on from here.</summary>
    public ulong LastSeq;
    public ulong WasClean;
    /// <summary>Intents replayed from the WAL.</summary>
    public ulong Replayed;
    public InodeRecord Root;
}
