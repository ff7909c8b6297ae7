// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Superblock, one block; copies A and B are written alternately (generation odd: A, even: B).</summary>
[CStruct("lakefs_sb")]
[StructLayout(LayoutKind.Sequential)]
public struct Superblock
{
    public ulong Magic;
    public uint FormatVersion;
    public uint Crc32c;
    public ulong Generation;
    public ulong Compat;
    public ulong RoCompat;
    public ulong Incompat;
    public Byte16 Uuid;
    /// <summary>UTF-8, zero padded.</summary>
    public Byte64 Label;
    /// <summary>4096.</summary>
    public uint BlockSize;
    /// <summary>LAKEFS_STATE_*.</summary>
    public SuperblockState State;
    public ulong DeviceBlocks;
    /// <summary>Of the newest mount.</summary>
    public ulong Epoch;
    public ulong MountCount;
    public ulong CreatedSec;
    /// <summary>Wall time of this superblock.</summary>
    public ulong WrittenSec;
    /// <summary>Reserved: boot pin table.</summary>
    public Region Pin;
    /// <summary>Page store ticket slots.</summary>
    public Region2 Ticket;
    public Region Wal;
    /// <summary>Page store index slots.</summary>
    public Region2 Index;
    /// <summary>Page store log, circular.</summary>
    public Region Pages;
    /// <summary>Checksum table: a crc32c for each block of <see cref="Data"/>.</summary>
    public Region Sums;
    /// <summary>Anchor table: where pieces of content were seen.</summary>
    public Region Anchors;
    /// <summary>File data.</summary>
    public Region Data;
    /// <summary>Last seq inside the checkpoint.</summary>
    public ulong CheckpointSeq;
    /// <summary>First frame to replay.</summary>
    public ulong CheckpointWalLsn;
    /// <summary>Its byte offset inside the region.</summary>
    public ulong CheckpointWalOffset;
    public uint TicketBytes;
    public uint TicketCrc32c;
    /// <summary>1 = BLAKE3-256 (object ids).</summary>
    public byte HashAlgorithm;
    public Byte7 Pad1;
    /// <summary>Random; no file can pass for a segment of the archive without it.</summary>
    public Byte32 ArchiveKey;
    public Byte3688 Reserved;
}
