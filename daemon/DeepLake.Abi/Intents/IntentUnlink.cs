// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>A name goes away (rmdir too); the name follows.</summary>
[CStruct("lakefs_i_unlink")]
[StructLayout(LayoutKind.Sequential)]
public struct IntentUnlink
{
    public IntentHeader Header;
    public ulong Dir;
    public ulong Ino;
    public LakeTime Time;
    public ushort NameBytes;
    public UShort3 Pad;
}
