// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Subtree;

/// <summary>What is of one zone.</summary>
public readonly record struct ZoneTotals(ulong Inodes, ulong LogicalBytes, ulong MappedBlocks);
