// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>WAL only: a new mount epoch begins, or its clean end.</summary>
[CStruct("lakefs_wal_epoch")]
[StructLayout(LayoutKind.Sequential)]
public struct WalEpoch
{
    /// <summary>Seq 0.</summary>
    public IntentHeader Header;
    public ulong Epoch;
    public LakeTime Time;
    /// <summary>1: the mount before ended uncleanly.</summary>
    public uint Unclean;
    public uint Pad;
}
