// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>FAIL: the daemon cannot go on with this lake.</summary>
[CStruct("lakefs_fail")]
[StructLayout(LayoutKind.Sequential)]
public struct FailArgs
{
    /// <summary>Negative errno.</summary>
    public int Error;
    public uint Pad;
    /// <summary>NUL terminated.</summary>
    public Byte120 Reason;
}
