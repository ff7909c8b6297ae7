// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Engine.Ingest;

/// <summary>Blocks of a file that are to be those of another one.</summary>
/// <param name="SourcePos">Where they begin in the other file, in bytes.</param>
/// <param name="TargetBlock">Where they begin in the file.</param>
/// <param name="Blocks">How many.</param>
public readonly record struct PieceShare(ulong SourcePos, ulong TargetBlock, uint Blocks)
{
    /// <summary>Fewer are not worth an extent, which has a device block more than it has blocks.</summary>
    public const ulong SkewedLeast = 4;

    /// <summary>
    /// The next blocks that can be shared and are worth it, of a range in which both files are equal. Left
    /// out is what both have in common already, and blocks that the target shares with others: they would not
    /// become free. When the files' blocks do not lie over each other, also what does not lie in one piece
    /// of the source, as the kernel refuses it.
    /// </summary>
    /// <param name="target">The map of the range, all checked.</param>
    /// <param name="source">The map of the range in the source.</param>
    /// <param name="sourcePos">The byte of the source that is the first one of the range.</param>
    /// <param name="block">The first block of the range in the target.</param>
    /// <param name="end">The block behind it.</param>
    public static PieceShare? Next(SealView? target, SealView? source, ulong sourcePos, ulong block, ulong end)
    {
        ulong bytes = (end - block) * LakeFormat.BlockSize;
        bool isAligned = sourcePos % LakeFormat.BlockSize == 0;
        ulong least = isAligned ? 1 : SkewedLeast;
        List<DeviceRun> sources = DeviceRun.Pieces(source, sourcePos, sourcePos + bytes);
        ulong first = block; // of the run that is being made
        int from = 0;
        foreach (DeviceRun run in DeviceRun.Pieces(target, block * LakeFormat.BlockSize, end * LakeFormat.BlockSize))
        {
            ulong device = run.DevicePos;
            for (ulong at = run.FilePos / LakeFormat.BlockSize; at * LakeFormat.BlockSize < run.FileEnd; at++, device += LakeFormat.BlockSize)
            {
                ulong pos = sourcePos + ((at - block) * LakeFormat.BlockSize);
                while (from < sources.Count && sources[from].FileEnd <= pos)
                {
                    from++;
                }

                bool fits = from < sources.Count && sources[from].FilePos <= pos
                    && (isAligned || sources[from].FileEnd >= pos + LakeFormat.BlockSize)
                    && !run.IsShared && sources[from].DevicePos + (pos - sources[from].FilePos) != device;
                bool ends = !fits || at - first == LakeRing.CloneBlocksMax;
                if (ends && at - first >= least)
                {
                    return Of(sourcePos, block, first, at);
                }

                if (ends)
                {
                    first = fits ? at : at + 1;
                }
            }
        }

        return end > first && end - first >= least ? Of(sourcePos, block, first, end) : null;
    }

    private static PieceShare Of(ulong sourcePos, ulong block, ulong first, ulong end) =>
        new(sourcePos + ((first - block) * LakeFormat.BlockSize), first, (uint)(end - first));
}
