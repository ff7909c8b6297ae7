// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Metadata.Tree;
using DeepLake.Platform;

namespace DeepLake.Metadata.Tables;

/// <summary>Sealing: extents change their marks where they lie.</summary>
public sealed partial class ExtentTable
{
    private const uint Known = ExtentFlags.Crc | ExtentFlags.Unwritten | ExtentFlags.Sealed | ExtentFlags.Checked | ExtentFlags.Packed | ExtentFlags.SkewMask;

    /// <summary>
    /// Whether such flags can be on the device: skewed and packed are checked, checked is sealed and has no crcs,
    /// sealed is written.
    /// </summary>
    public static bool CanBe(uint flags) =>
        (flags & ~Known) == 0
        && ((flags & (ExtentFlags.SkewMask | ExtentFlags.Packed)) == 0 || (flags & ExtentFlags.Checked) != 0)
        && ((flags & ExtentFlags.Packed) == 0 || (flags & ExtentFlags.SkewMask & ~ExtentFlags.SpanMask) == 0)
        && ((flags & ExtentFlags.Sealed) != 0
            ? (flags & ExtentFlags.Unwritten) == 0 && (flags & (ExtentFlags.Checked | ExtentFlags.Crc)) != (ExtentFlags.Checked | ExtentFlags.Crc)
            : (flags & ExtentFlags.Checked) == 0);

    /// <summary>
    /// Gives the written extents of [fileBlock, +blocks) the flags that <paramref name="marks"/> says;
    /// they are cut at the ends of the range, and joined with their neighbours where both are the same
    /// then. Checksums go with the flag that says they are there. Skewed and packed extents stay as they are, and whole.
    /// </summary>
    public void Mark(ulong ino, ulong fileBlock, ulong blocks, IMarkedExtents marks)
    {
        ulong end = fileBlock + blocks < fileBlock ? ulong.MaxValue : fileBlock + blocks;
        CutAt(ino, fileBlock, cuts: null);
        CutAt(ino, end, cuts: null);
        for (ulong at = fileBlock; TryGetAt(ino, at, out Extent extent) && extent.FileBlock < end; at = extent.FileEnd)
        {
            if (!extent.IsUnwritten && (extent.IsPlain || Planted.Is(PlantedFault.UnsealTakesSkewedExtents)))
            {
                Remark(ino, extent, marks.FlagsOf(extent));
            }

            JoinAt(ino, extent.FileBlock);
        }

        JoinAt(ino, end);
    }

    private void Remark(ulong ino, in Extent extent, uint flags)
    {
        Extent marked = extent with { Flags = flags };
        if (extent.HasCrc && !marked.HasCrc)
        {
            Write(ino, marked, default);
        }
        else if (flags != extent.Flags && tree.TryGetForWrite(Keys.Extent(ino, extent.FileBlock), out Span<byte> data))
        {
            WriteHeader(data, marked);
        }
    }
}
