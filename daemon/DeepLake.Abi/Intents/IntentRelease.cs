// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>The last use of an orphan is over.</summary>
[CStruct("lakefs_i_release")]
[StructLayout(LayoutKind.Sequential)]
public struct IntentRelease
{
    public IntentHeader Header;
    public ulong Ino;
}
