// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Sim;

/// <summary>A name's inode and its place in the order of reading.</summary>
internal readonly record struct ModelEntry(ulong Ino, ulong Cookie);
