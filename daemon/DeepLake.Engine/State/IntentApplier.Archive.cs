// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Storage;

namespace DeepLake.Engine.State;

/// <summary>Segments of the archive, which come and go by entries of the daemon's own.</summary>
internal sealed partial class IntentApplier
{
    /// <summary>What each segment of the log costs who reads it back, beside its bytes.</summary>
    private const ulong CostOfSegment = 64 << 10;

    /// <summary>A rebuild makes do without them: what it finds on the device it enters itself.</summary>
    public bool SkipsArchive { get; init; }

    private void ChangeArchive(ReadOnlySpan<byte> entry)
    {
        WalArchive change = Read<WalArchive>(entry);
        int bytes = Unsafe.SizeOf<ArchiveEntry>();
        ReadOnlySpan<byte> rest = entry[Unsafe.SizeOf<WalArchive>()..];
        if (change.Kind is not (ArchiveKind.Log or ArchiveKind.Base) || change.NextLsn == 0 || change.Count == 0
            || change.LogBytes > (change.Kind == ArchiveKind.Log ? change.Count * (ulong)WalFormat.MaxFrameBytes : 0)
            || (ulong)rest.Length != (ulong)change.Count * (ulong)bytes)
        {
            Fault($"an entry about {change.Count} segments of the archive has {entry.Length} bytes");
        }

        if (SkipsArchive)
        {
            return;
        }

        bool isNew = false;
        ReadOnlySpan<ArchiveEntry> segments = MemoryMarshal.Cast<byte, ArchiveEntry>(rest);
        foreach (ref readonly ArchiveEntry segment in segments)
        {
            isNew |= AddSegment(segment, change.Kind);
        }

        RemoveSegments(change.RemoveBelow);
        if (!isNew)
        {
            return; // applied before: a recovery's checkpoint may lie within the frame
        }

        ref EngineState counters = ref state.Counters;
        counters.ArchiveCost += change.LogBytes;
        // behind a base the log is archived on from where it was, so that the base before it still leads here
        bool goesOn = change.Kind == ArchiveKind.Log ? counters.ArchiveLsn < change.NextLsn : counters.ArchiveLsn == 0;
        if (change.Kind == ArchiveKind.Base)
        {
            counters.ArchiveBase = segments[0].Number;
            counters.ArchiveCost = 0;
        }

        if (goesOn)
        {
            counters.ArchiveLsn = change.NextLsn;
            counters.ArchiveOffset = change.NextOffset;
            counters.ArchiveSeq = change.ArchivedSeq;
        }
    }

    private bool AddSegment(in ArchiveEntry segment, ArchiveKind kind)
    {
        ref EngineState counters = ref state.Counters;
        ArchiveItem item = segment.Item;
        if (item.Kind != kind || segment.Number == 0 || item.Blocks == 0 || !state.Space.Contains(item.Block, item.Blocks))
        {
            Fault($"segment {segment.Number} of the archive is impossible: blocks {item.Block}+{item.Blocks}");
        }

        if (state.Archive.TryGet(segment.Number, out ArchiveItem known))
        {
            if (known.Block != item.Block || known.Blocks != item.Blocks)
            {
                Fault($"segment {segment.Number} of the archive comes twice");
            }

            return false;
        }

        if (!state.Space.MarkUsed(item.Block, item.Blocks))
        {
            Fault($"segment {segment.Number} of the archive has blocks {item.Block}+{item.Blocks}, which are in use");
        }

        state.Archive.Put(segment.Number, item);
        counters.ArchiveNumber = Math.Max(counters.ArchiveNumber, segment.Number + 1);
        counters.ArchiveBlocks += item.Blocks;
        counters.ArchiveCost += CostOfSegment;
        return true;
    }

    private void RemoveSegments(ulong below)
    {
        while (state.Archive.TryNext(0, out ulong number, out ArchiveItem item) && number < below)
        {
            if (!state.Space.Contains(item.Block, item.Blocks) || !state.Space.MarkFreed(item.Block, item.Blocks, _seq, isOfFile: false))
            {
                Fault($"segment {number} of the archive leaves, but its blocks {item.Block}+{item.Blocks} were not in use");
            }

            state.Archive.Delete(number);
            state.Counters.ArchiveBlocks -= item.Blocks;
        }
    }
}
