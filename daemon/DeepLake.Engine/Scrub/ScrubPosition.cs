// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Scrub;

/// <summary>A block of a file, or one behind what is mapped of it; files are in the order of their inode numbers.</summary>
public readonly record struct ScrubPosition(ulong Ino, ulong FileBlock)
{
    public static readonly ScrubPosition End = new(ulong.MaxValue, 0);

    public bool IsEnd => Ino == ulong.MaxValue;
}
