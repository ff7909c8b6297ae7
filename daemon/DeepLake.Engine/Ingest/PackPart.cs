// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Ingest;

/// <summary>Blocks of a file that are to lie in a pack.</summary>
/// <param name="View">The map of the file when they were read.</param>
/// <param name="FileBlock">Where they begin in the file.</param>
/// <param name="Blocks">How many.</param>
/// <param name="Index">The number of the first of them in the pack.</param>
public sealed record PackPart(SealView View, ulong FileBlock, uint Blocks, uint Index)
{
    public ulong Ino => View.Ino;
}
