// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Every intent begins with this; Len counts all of it, a multiple of 8.</summary>
[CStruct("lakefs_intent_hdr")]
[StructLayout(LayoutKind.Sequential)]
public struct IntentHeader
{
    public uint Len;
    public IntentOp Op;
    public ushort Flags;
    public ulong Seq;
}
