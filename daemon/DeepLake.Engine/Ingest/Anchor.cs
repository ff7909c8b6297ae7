// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Ingest;

/// <summary>A chunk of a file by which equal pieces of other files are found (docs/chunking.md, "Anchors").</summary>
/// <param name="Fingerprint">The first 8 bytes of its BLAKE3.</param>
/// <param name="Pos">Where it begins in the file, in bytes.</param>
/// <param name="Bytes">How long it is.</param>
public readonly record struct Anchor(ulong Fingerprint, ulong Pos, int Bytes)
{
    public ulong End => Pos + (ulong)Bytes;
}
