// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Metadata.Tables;

/// <summary>One mapped range of a file; in 4096-byte blocks.</summary>
public readonly record struct Extent(ulong FileBlock, ulong PhysBlock, uint Blocks, uint Flags, ulong BirthSeq)
{
    public ulong FileEnd => FileBlock + Blocks;

    public bool HasCrc => (Flags & ExtentFlags.Crc) != 0;

    public bool IsUnwritten => (Flags & ExtentFlags.Unwritten) != 0;

    public bool IsSealed => (Flags & ExtentFlags.Sealed) != 0;

    public bool IsChecked => (Flags & ExtentFlags.Checked) != 0;
}
