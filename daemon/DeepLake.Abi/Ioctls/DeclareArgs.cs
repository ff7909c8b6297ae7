// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>DECLARE: copy out what the mount holds.</summary>
[CStruct("lakefs_declare")]
[StructLayout(LayoutKind.Sequential)]
public struct DeclareArgs
{
    /// <summary>Of struct lakefs_declared[max].</summary>
    public ulong Addr;
    public ulong Max;
    /// <summary>Out: there are; > max: call again.</summary>
    public ulong Count;
    public ulong DurableSeq;
}
