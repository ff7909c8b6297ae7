// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>A point in time: seconds since 1970 and nanoseconds.</summary>
[CStruct("lakefs_time")]
[StructLayout(LayoutKind.Sequential)]
public struct LakeTime
{
    public long Sec;
    public uint Nsec;
    public uint Pad;
}
