// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>A new name of an inode; the name follows. The cookie is the seq.</summary>
[CStruct("lakefs_i_link")]
[StructLayout(LayoutKind.Sequential)]
public struct IntentLink
{
    public IntentHeader Header;
    public ulong Dir;
    public ulong Ino;
    public LakeTime Time;
    public ushort NameBytes;
    public UShort3 Pad;
}
