// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>An xattr is set or removed; name and value follow.</summary>
[CStruct("lakefs_i_xattr")]
[StructLayout(LayoutKind.Sequential)]
public struct IntentXattr
{
    public IntentHeader Header;
    public ulong Ino;
    public LakeTime Ctime;
    public uint Mode;
    public ushort SetMode;
    /// <summary>LAKEFS_XATTR_*.</summary>
    public XattrAction Action;
    public uint ValueBytes;
    public ushort NameBytes;
    public ushort Pad;
}
