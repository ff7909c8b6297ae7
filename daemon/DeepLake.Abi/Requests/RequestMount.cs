// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>A mount begins.</summary>
[CStruct("lakefs_r_mount")]
[StructLayout(LayoutKind.Sequential)]
public struct RequestMount
{
    public RequestHeader Header;
    public ulong Pad;
    public LakeTime Now;
}
