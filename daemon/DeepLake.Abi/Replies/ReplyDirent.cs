// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>One directory entry of a READDIR answer; the name follows, padded to 8.</summary>
[CStruct("lakefs_p_dirent")]
[StructLayout(LayoutKind.Sequential)]
public struct ReplyDirent
{
    public ulong Cookie;
    public ulong Ino;
    /// <summary>DT_*.</summary>
    public byte Type;
    public byte NameBytes;
    /// <summary>This struct + name, padded to 8.</summary>
    public ushort Len;
    public uint Pad;
}
