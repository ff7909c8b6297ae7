// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Scrub;

/// <summary>Blocks that lie together in a file and on the device.</summary>
/// <param name="Ino">Which file.</param>
/// <param name="FileBlock">Where they begin in it.</param>
/// <param name="PhysBlock">Where they begin on the device.</param>
/// <param name="Blocks">How many of the file.</param>
/// <param name="IsShared">Others may map them, too.</param>
/// <param name="IsSkewed">They begin within a block of the device, and end in one more.</param>
/// <param name="Span">They are in a pack of so many device blocks; 0: they are not.</param>
public readonly record struct ScrubRun(
    ulong Ino, ulong FileBlock, ulong PhysBlock, uint Blocks, bool IsShared, bool IsSkewed = false, uint Span = 0)
{
    public uint DeviceBlocks => Span > 0 ? Span : Blocks + (IsSkewed ? 1u : 0u);

    /// <summary>
    /// A block of the device, with the first block of the file that has bytes of it; of a pack, with all that the file
    /// has in it.
    /// </summary>
    public ScrubRun DeviceBlock(uint at) => this with
    {
        FileBlock = FileBlock + (Span > 0 ? 0 : at) - (IsSkewed && at > 0 ? 1u : 0u),
        PhysBlock = PhysBlock + at,
        Blocks = Span > 0 ? Blocks : 1,
        IsSkewed = false,
        Span = 0,
    };
}
