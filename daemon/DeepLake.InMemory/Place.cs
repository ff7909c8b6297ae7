// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.InMemory;

/// <summary>Where a path leads.</summary>
/// <param name="Dir">The directory that has, or would have, the name.</param>
/// <param name="Name">The name; empty for what is not named by it: the root, or "..".</param>
/// <param name="Inode">What is there; null: nothing.</param>
/// <param name="Above">The directories on the way from the root, and what is there if it is one.</param>
internal readonly record struct Place(ulong Dir, byte[] Name, InodeRecord? Inode, IReadOnlyList<ulong> Above);
