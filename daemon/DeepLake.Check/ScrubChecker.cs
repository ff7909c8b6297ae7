// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;

namespace DeepLake.Check;

/// <summary>
/// The item of the scrub: its form, and that what it names can be. The files it names may be gone, or be
/// other ones by now; that is not its fault.
/// </summary>
internal static class ScrubChecker
{
    public static void Item(in ItemKey key, ReadOnlySpan<byte> data, Region blocks, Findings findings)
    {
        int head = Marshal.SizeOf<ScrubItem>();
        ScrubItem item = data.Length >= head ? MemoryMarshal.Read<ScrubItem>(data) : default;
        if (key.Object != ObjectIds.State || key.Offset != 0 || item.Findings > LakeFormat.ScrubFindingsMax
            || data.Length != head + ((int)item.Findings * Marshal.SizeOf<ScrubFinding>()))
        {
            findings.Add($"the item of the scrub is malformed");
            return;
        }

        findings.Require(
            item.State <= ScrubStage.Stopped && item.Pass > 0 && item.EndedPass <= item.Pass,
            $"the scrub is in state {(uint)item.State} of pass {item.Pass}, after pass {item.EndedPass}");
        foreach (ScrubFinding found in MemoryMarshal.Cast<byte, ScrubFinding>(data[head..]))
        {
            findings.Require(
                found.Kind is ScrubKind.Differs or ScrubKind.Unreadable && found.Pass <= item.Pass && found.Blocks > 0
                && found.PhysBlock >= blocks.StartBlock && found.Blocks <= blocks.Blocks
                && found.PhysBlock - blocks.StartBlock <= blocks.Blocks - found.Blocks,
                $"a finding of the scrub is impossible: {found.Blocks} blocks at {found.PhysBlock}");
        }
    }
}
