// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Every request begins with this; answered when every intent up to Barrier is applied.</summary>
[CStruct("lakefs_request_hdr")]
[StructLayout(LayoutKind.Sequential)]
public struct RequestHeader
{
    public uint Len;
    public RequestOp Op;
    public ushort Flags;
    /// <summary>Unique per attachment.</summary>
    public ulong Tag;
    public ulong Barrier;
}
