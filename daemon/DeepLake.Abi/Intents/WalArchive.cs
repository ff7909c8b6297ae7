// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>WAL only: segments come to the archive or leave it; <see cref="ArchiveEntry"/> follow.</summary>
[CStruct("lakefs_wal_archive")]
[StructLayout(LayoutKind.Sequential)]
public struct WalArchive
{
    /// <summary>Seq 0.</summary>
    public IntentHeader Header;
    /// <summary>The frame that follows them.</summary>
    public ulong NextLsn;
    /// <summary>Its byte offset inside the log's region.</summary>
    public ulong NextOffset;
    /// <summary>The newest intent up to there.</summary>
    public ulong ArchivedSeq;
    /// <summary>Segments with smaller numbers go; 0: none.</summary>
    public ulong RemoveBelow;
    /// <summary>Of the frames in them; a base: 0.</summary>
    public ulong LogBytes;
    public uint Count;
    public ArchiveKind Kind;
}
