// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Ingest;

/// <summary>A range of two files that are equal, as of an intent. The range begins where one of them has something written.</summary>
public sealed record ShareView
{
    public required uint SourceGeneration { get; init; }

    public required uint TargetGeneration { get; init; }

    /// <summary>The newest intent that is in this view.</summary>
    public required ulong AppliedSeq { get; init; }

    /// <summary>Metadata has no room: nothing should be asked for that makes it grow.</summary>
    public required bool MetadataIsFull { get; init; }

    public required ulong FileBlock { get; init; }

    public required uint Blocks { get; init; }

    /// <summary>Both map the same blocks already.</summary>
    public required bool IsShared { get; init; }
}
