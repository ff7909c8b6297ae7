// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Archive;

/// <summary>A base that is being written.</summary>
/// <param name="Source">The checkpoint.</param>
/// <param name="FirstNumber">Of its first segment.</param>
/// <param name="Seq">The newest intent in it.</param>
/// <param name="Pages">Of its tree, the meta page included.</param>
public sealed record ArchiveBase(SnapshotSource Source, ulong FirstNumber, ulong Seq, ulong Pages);
