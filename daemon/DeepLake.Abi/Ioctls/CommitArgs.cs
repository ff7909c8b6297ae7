// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>COMMIT: one write with PREFLUSH and FUA, then everything up to DurableSeq is durable.</summary>
[CStruct("lakefs_commit")]
[StructLayout(LayoutKind.Sequential)]
public struct CommitArgs
{
    /// <summary>Page aligned.</summary>
    public ulong Addr;
    /// <summary>Bytes, multiple of 4096.</summary>
    public ulong Offset;
    public ulong DurableSeq;
    /// <summary>Multiple of 4096, &lt;= 1 MiB.</summary>
    public uint Len;
    public uint Flags;
}
