// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>One initial xattr of a create; name and value follow, padded to 8.</summary>
[CStruct("lakefs_xattr_rec")]
[StructLayout(LayoutKind.Sequential)]
public struct XattrRecord
{
    public uint ValueBytes;
    public ushort NameBytes;
    public ushort Pad;
}
