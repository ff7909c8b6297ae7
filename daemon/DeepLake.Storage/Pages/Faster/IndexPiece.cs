// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Storage.Faster;

/// <summary>A run of bytes of an index slot and its checksum.</summary>
internal readonly record struct IndexPiece(long Offset, int Bytes, uint Crc32C);
