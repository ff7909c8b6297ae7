// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Ingest;

/// <summary>A file's content as far as an identity is concerned, and a part of its map from some block on.</summary>
public sealed record ContentView
{
    /// <summary>The newest intent that is in this view.</summary>
    public required ulong AppliedSeq { get; init; }

    /// <summary>While this and the size stay what they are, the bytes do.</summary>
    public required ulong DataSeq { get; init; }

    public required ulong Size { get; init; }

    /// <summary>Blocks of the whole file, unwritten ones and those behind its end too.</summary>
    public required ulong MappedBlocks { get; init; }

    /// <summary>Its identity is known, and holds.</summary>
    public required bool HasObject { get; init; }

    /// <summary>Written blocks of this part, up to the file's end.</summary>
    public required ulong WrittenBlocks { get; init; }

    /// <summary>All of these are checked.</summary>
    public required bool IsChecked { get; init; }

    /// <summary>Where the next part begins; <see cref="ulong.MaxValue"/> when this was the last.</summary>
    public required ulong NextBlock { get; init; }
}
