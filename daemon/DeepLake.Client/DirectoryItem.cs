// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Client;

/// <summary>An entry of a directory.</summary>
/// <param name="Name">Bytes, without a NUL.</param>
/// <param name="Ino">What it names.</param>
/// <param name="DirentType">DT_* of Linux.</param>
public readonly record struct DirectoryItem(byte[] Name, ulong Ino, byte DirentType);
