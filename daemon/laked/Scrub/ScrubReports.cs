// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Engine.Scrub;

namespace DeepLake.Laked.Scrub;

/// <summary>How far a scrub is and what it found, as the protocol gives it.</summary>
internal static class ScrubReports
{
    private const int RangesMost = 100;
    private const int PathsMost = 8;
    private const uint LooksMost = 4096;

    /// <summary>On the engine's thread, which knows the paths.</summary>
    internal static ScrubReport Of(string device, ScrubRecord record, LakeEngine engine)
    {
        ScrubItem item = record.Item;
        var report = new ScrubReport
        {
            Device = device,
            State = StateOf(item),
            Pass = item.Pass,
            BegunSec = item.BegunSec,
            DoneBytes = item.Blocks * LakeFormat.BlockSize,
            TotalBytes = engine.GetStats().CheckedBlocks * LakeFormat.BlockSize,
            DamagedBlocks = item.Damaged,
            EndedPass = item.EndedPass,
            EndedSec = item.EndedSec,
            EndedBytes = item.EndedBlocks * LakeFormat.BlockSize,
            EndedDamagedBlocks = item.EndedDamaged,
            BytesPerSecond = item.BytesPerSecond,
            LeftOut = record.LeftOut + (ulong)Math.Max(0, record.Findings.Count - RangesMost),
        };
        report.Damaged.AddRange(record.Findings.Take(RangesMost).Select(f => Range(f, engine)));
        return report;
    }

    /// <summary>The same of blocks that programs have met.</summary>
    internal static IEnumerable<DamagedRange> Of(IReadOnlyList<DamagedReads.Met> reads, LakeEngine engine)
    {
        foreach (DamagedReads.Met met in reads.Take(RangesMost))
        {
            foreach (ScrubRun holder in met.Holders ?? [])
            {
                var finding = new ScrubFinding { Ino = holder.Ino, FileBlock = holder.FileBlock, PhysBlock = met.Block, Blocks = holder.Blocks, FoundSec = met.LastSec };
                DamagedRange range = Range(finding, engine);
                (range.Kind, range.Times) = ("read", met.Times);
                yield return range;
            }
        }
    }

    private static string StateOf(in ScrubItem item) => item.State switch
    {
        ScrubStage.Running => "running",
        ScrubStage.Stopped => "stopped",
        _ => item.Pass == 0 ? "never" : "done",
    };

    private static DamagedRange Range(ScrubFinding finding, LakeEngine engine)
    {
        ulong first = finding.FileBlock * LakeFormat.BlockSize;
        var range = new DamagedRange
        {
            Ino = finding.Ino,
            FirstByte = first,
            LastByte = first + (finding.Blocks * LakeFormat.BlockSize) - 1,
            DeviceBlock = finding.PhysBlock,
            Kind = finding.Kind == ScrubKind.Unreadable ? "unreadable" : "differs",
            FoundSec = finding.FoundSec,
            IsGone = !IsMapped(finding, engine),
        };
        range.Paths.AddRange(engine.PathsOf(finding.Ino, PathsMost));
        return range;
    }

    private static bool IsMapped(in ScrubFinding finding, LakeEngine engine)
    {
        for (uint i = 0; i < Math.Min(finding.Blocks, LooksMost); i++)
        {
            if (engine.LookAtPlace(finding.Ino, finding.FileBlock + i, finding.PhysBlock + i).IsMapped)
            {
                return true;
            }
        }

        return false;
    }
}
