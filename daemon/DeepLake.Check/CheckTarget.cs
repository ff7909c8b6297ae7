// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Check;

/// <summary>Copies the raw bytes of a metadata page into a span of 4096 bytes.</summary>
public delegate void ReadPage(ulong page, Span<byte> target);

/// <summary>Reads data blocks at a byte offset of the device.</summary>
public delegate void ReadData(Span<byte> target, long offset);

/// <summary>
/// What is checked: pages as they are in the state, where the tree begins, and what the superblock and
/// the engine claim. The checker shares no code that writes with the engine.
/// </summary>
public sealed record CheckTarget
{
    public required ReadPage ReadPage { get; init; }

    public ReadData? ReadData { get; init; }

    public required ulong Root { get; init; }

    public required uint Height { get; init; }

    public required ulong PageCount { get; init; }

    public required Region Data { get; init; }

    /// <summary>The checksum table.</summary>
    public required Region Sums { get; init; }

    public required Guid Uuid { get; init; }

    public required EngineState Counters { get; init; }

    /// <summary>
    /// Checksums in the tree say something about blocks that were mapped after this seq: before an unclean
    /// end a block may have been written in place, and what told of it be lost. Those in the table always do.
    /// </summary>
    public required ulong EvidenceAfter { get; init; }
}
