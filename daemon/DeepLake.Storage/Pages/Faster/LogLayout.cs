// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using FASTER.core;

namespace DeepLake.Storage.Faster;

/// <summary>
/// Where records lie in FASTER's log: {RecordInfo, key, value} of fixed size, back to back from the
/// first valid address of each FASTER page; none crosses into the next.
/// </summary>
internal readonly unsafe struct LogLayout(int pageBits)
{
    internal const int HeaderBytes = 8;
    internal const int KeyBytes = 8;
    internal const int RecordBytes = HeaderBytes + KeyBytes + PageFormat.PageBytes;

    /// <summary>FASTER leaves the first bytes of address space unused.</summary>
    internal const long FirstAddress = 64;

    /// <summary>Up to here an address is FASTER's way to say that there is none.</summary>
    internal const long NoAddress = 1;

    /// <summary>
    /// The header of a place for a record that FASTER gave up when it went to a new page. It leaves zeros there, which
    /// would look like a block that the device has lost; so they are marked when they are written.
    /// </summary>
    internal static readonly ulong GivenUp = MakeGivenUp();

    internal int PageBits => pageBits;

    internal long PageBytes => 1L << pageBits;

    internal int RecordsPerPage => (int)((PageBytes - FirstAddress) / RecordBytes);

    internal long PageStart(long address) => address & ~(PageBytes - 1);

    /// <summary>The address of the first record at or after this one.</summary>
    internal long FirstRecordAtOrAfter(long address)
    {
        long pageStart = PageStart(address);
        long first = Math.Max(pageStart, FirstAddress);
        long index = address <= first ? 0 : (address - first + RecordBytes - 1) / RecordBytes;
        long record = first + index * RecordBytes;
        return record + RecordBytes > pageStart + PageBytes ? pageStart + PageBytes : record;
    }

    /// <summary>End of the run of records of this page, at most <paramref name="limit"/>.</summary>
    internal long RunEnd(long record, long limit)
    {
        long first = Math.Max(PageStart(record), FirstAddress);
        long count = (PageStart(record) + PageBytes - first) / RecordBytes;
        return Math.Min(first + count * RecordBytes, limit);
    }

    /// <summary>
    /// Fills sectors that could not be read with what is no record to FASTER, wherever it takes one to begin: no
    /// older one follows, and no page has this id.
    /// </summary>
    internal static void GiveUp(Span<byte> sectors) => MemoryMarshal.Cast<byte, ulong>(sectors).Fill(GivenUp);

    private static ulong MakeGivenUp()
    {
        RecordInfo info = default; // not valid
        info.Tombstone = true;
        return *(ulong*)&info;
    }

    internal static bool IsLiveRecord(byte* record)
    {
        ref RecordInfo info = ref *(RecordInfo*)record;
        return *(ulong*)record != 0 && !info.Invalid && !info.Tombstone;
    }

    internal static ulong PageId(byte* record) => *(ulong*)(record + HeaderBytes);

    internal static Span<byte> Page(byte* record) => new(record + HeaderBytes + KeyBytes, PageFormat.PageBytes);
}
