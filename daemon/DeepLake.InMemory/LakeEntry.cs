// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.InMemory;

/// <summary>An entry of a directory.</summary>
public sealed record LakeEntry(string Name, LakeFileKind Kind);
