// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Metadata.Tables;

/// <summary>What a name refers to: its readdir cookie, inode number and DT_* type.</summary>
public readonly record struct DirectoryEntry(ulong Cookie, ulong Ino, byte Type);
