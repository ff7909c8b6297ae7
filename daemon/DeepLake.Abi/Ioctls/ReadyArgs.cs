// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>READY: recovered; start the rings.</summary>
[CStruct("lakefs_ready")]
[StructLayout(LayoutKind.Sequential)]
public struct ReadyArgs
{
    /// <summary>Of the recovered state.</summary>
    public ulong Epoch;
    public ulong DurableSeq;
}
