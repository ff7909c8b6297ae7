// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Hash;

/// <summary>A part of a buffer.</summary>
public readonly record struct ByteRange(int Start, int Length);
