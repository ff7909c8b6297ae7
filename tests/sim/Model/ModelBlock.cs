// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Sim;

/// <summary>One block of a file.</summary>
/// <param name="Phys">Where it lies on the device.</param>
/// <param name="Flags">Extent flags without SHARED.</param>
/// <param name="Crc">Its checksum, when the flags say so.</param>
/// <param name="Base">What was written when it was mapped: unique in a simulation.</param>
/// <param name="IsMarked">The kernel believes it to be shared; only in the kernel's own tree.</param>
internal readonly record struct ModelBlock(ulong Phys, uint Flags, uint Crc, ulong Base, bool IsMarked)
{
    public bool IsUnwritten => (Flags & ExtentFlags.Unwritten) != 0;

    public bool HasCrc => (Flags & ExtentFlags.Crc) != 0;

    public bool IsSealed => (Flags & ExtentFlags.Sealed) != 0;

    public bool IsChecked => (Flags & ExtentFlags.Checked) != 0;
}
