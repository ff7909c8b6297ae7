// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>SEAL, CHECKED, UNSEAL: what is written of a range changes its flags.</summary>
[CStruct("lakefs_i_seal")]
[StructLayout(LayoutKind.Sequential)]
public struct IntentSeal
{
    public IntentHeader Header;
    public ulong Ino;
    public ulong FileBlock;
    /// <summary>1 to <see cref="LakeRing.SealBlocksMax"/>.</summary>
    public ulong Blocks;
}
