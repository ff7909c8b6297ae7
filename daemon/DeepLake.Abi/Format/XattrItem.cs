// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Header of piece 0 of a stored xattr; name and value follow.</summary>
[CStruct("lakefs_xattr_item")]
[StructLayout(LayoutKind.Sequential)]
public struct XattrItem
{
    public uint ValueBytes;
    public ushort NameBytes;
    public ushort Pad;
}
