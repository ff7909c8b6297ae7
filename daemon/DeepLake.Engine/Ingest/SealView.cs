// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Engine.Ingest;

/// <summary>What maps a range of a file, as of an intent. The range begins where something is mapped.</summary>
public sealed record SealView
{
    public required ulong Ino { get; init; }

    public required uint Generation { get; init; }

    /// <summary>The newest intent that is in this view.</summary>
    public required ulong AppliedSeq { get; init; }

    /// <summary>Checksums of what is not newer prove nothing, unless it had been sealed by then.</summary>
    public required ulong UncleanSeq { get; init; }

    /// <summary>Metadata has no room: nothing should be asked for that makes it grow.</summary>
    public required bool MetadataIsFull { get; init; }

    public required ulong FileBlock { get; init; }

    public required uint Blocks { get; init; }

    /// <summary>In order; unwritten ones too.</summary>
    public required IReadOnlyList<SealPiece> Pieces { get; init; }

    public bool HasUnsealed => Pieces.Any(p => p.IsWritten && !p.IsSealed);

    public bool HasUnchecked => Pieces.Any(p => p.IsWritten && !p.IsChecked);

    public bool HasSealed => Pieces.Any(p => p.IsSealed);

    /// <summary>Whether all that is written lies where it lay in another view of the same range, and is sealed now.</summary>
    public bool IsSealedWhere(SealView before) => !HasUnsealed && Places().SequenceEqual(before.Places());

    /// <summary>Runs of blocks that lie together, in the file and on the device; there in bytes.</summary>
    private List<(ulong File, ulong FirstByte, ulong Blocks)> Places()
    {
        var runs = new List<(ulong File, ulong FirstByte, ulong Blocks)>();
        foreach (SealPiece piece in Pieces.Where(p => p.IsWritten))
        {
            ulong at = piece.Extent.FirstByte;
            (ulong file, ulong first, ulong blocks) = runs.Count > 0 ? runs[^1] : default;
            if (runs.Count > 0 && file + blocks == piece.FileBlock && first + (blocks * LakeFormat.BlockSize) == at)
            {
                runs[^1] = (file, first, blocks + piece.Blocks);
            }
            else
            {
                runs.Add((piece.FileBlock, at, piece.Blocks));
            }
        }

        return runs;
    }
}
