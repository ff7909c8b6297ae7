// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Engine.Format;

/// <summary>A superblock copy that is of no use: where it is, or should be, and why.</summary>
internal readonly record struct UnusableCopy(long OffsetBytes, string Why)
{
    public string Name => Block == LakeFormat.SuperblockABlock ? "A" : "B";

    /// <summary>For a person.</summary>
    public string Place => $"at byte {OffsetBytes} of the device (block {Block})";

    private ulong Block => (ulong)OffsetBytes / LakeFormat.BlockSize;
}
