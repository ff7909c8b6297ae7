// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Archive;

/// <summary>A file with data of which nothing tells whether it is right.</summary>
/// <param name="Ino">Its inode.</param>
/// <param name="Blocks">How many blocks of it.</param>
public readonly record struct UnprovenFile(ulong Ino, ulong Blocks);
