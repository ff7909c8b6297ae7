// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>What the log's region is made of: a piece of a frame, or nothing (frame 0).</summary>
[CStruct("lakefs_wal_sector")]
[StructLayout(LayoutKind.Sequential)]
public struct WalSectorFormat
{
    public Byte504 Content;
    /// <summary>Low half of the frame's number.</summary>
    public uint Frame;
    /// <summary>Of the 508 bytes before.</summary>
    public uint Crc32c;
}
