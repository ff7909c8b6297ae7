// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;

namespace DeepLake.Platform;

/// <summary><c>struct statx</c>; its times have the layout of <see cref="LakeTime"/>.</summary>
[StructLayout(LayoutKind.Sequential, Size = 256)]
internal struct StatXBuffer
{
    internal uint Mask;
    internal uint BlockSize;
    internal ulong Attributes;
    internal uint LinkCount;
    internal uint Uid;
    internal uint Gid;
    internal ushort Mode;
    internal ushort Pad;
    internal ulong Ino;
    internal ulong Size;
    internal ulong Blocks;
    internal ulong AttributesMask;
    internal LakeTime Atime;
    internal LakeTime Btime;
    internal LakeTime Ctime;
    internal LakeTime Mtime;
    internal uint RdevMajor;
    internal uint RdevMinor;
    internal uint DevMajor;
    internal uint DevMinor;
}
