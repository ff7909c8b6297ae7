// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Header of a WAL frame; the payload follows. In the log both are cut into sectors.</summary>
[CStruct("lakefs_wal_frame")]
[StructLayout(LayoutKind.Sequential)]
public struct WalFrame
{
    public uint Magic;
    /// <summary>2.</summary>
    public ushort Version;
    /// <summary>0.</summary>
    public ushort Flags;
    /// <summary>First 8 bytes of the uuid.</summary>
    public ulong LakeTag;
    public ulong Epoch;
    /// <summary>+1 per frame.</summary>
    public ulong Lsn;
    /// <summary>0 when it holds no intent.</summary>
    public ulong FirstSeq;
    public ulong LastSeq;
    public uint PayloadBytes;
    public uint EntryCount;
    public uint Crc32c;
    /// <summary>Checksum of the frame before it; 0 begins a chain.</summary>
    public uint PrevCrc32c;
}
