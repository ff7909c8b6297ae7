// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Blocks of a file that do not match their checksums, or cannot be read.</summary>
[CStruct("lakefs_scrub_finding")]
[StructLayout(LayoutKind.Sequential)]
public struct ScrubFinding
{
    public ulong Ino;
    public ulong FileBlock;
    public ulong PhysBlock;
    /// <summary>Unix time.</summary>
    public ulong FoundSec;
    public ulong Pass;
    public uint Blocks;
    public ScrubKind Kind;
}
