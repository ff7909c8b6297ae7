// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tree;

namespace DeepLake.Metadata.Tables;

/// <summary>How far the scrub of the lake is: one item, which is not there before the first pass.</summary>
public sealed class ScrubTable(BTree tree)
{
    private static readonly int HeadBytes = Unsafe.SizeOf<ScrubItem>();
    private static readonly int FindingBytes = Unsafe.SizeOf<ScrubFinding>();

    public bool TryGet(out ScrubItem item, out ScrubFinding[] findings)
    {
        (item, findings) = (default, []);
        if (!tree.TryGet(Keys.Scrub, out ReadOnlySpan<byte> data))
        {
            return false;
        }

        item = data.Length >= HeadBytes ? MemoryMarshal.Read<ScrubItem>(data) : default;
        if (item.Findings > LakeFormat.ScrubFindingsMax || data.Length != HeadBytes + ((int)item.Findings * FindingBytes))
        {
            throw new MetadataCorruptException($"the item of the scrub has {data.Length} bytes");
        }

        findings = MemoryMarshal.Cast<byte, ScrubFinding>(data[HeadBytes..]).ToArray();
        return true;
    }

    public void Put(in ScrubItem item, ReadOnlySpan<ScrubFinding> findings)
    {
        Span<byte> data = tree.Reserve(Keys.Scrub, HeadBytes + (findings.Length * FindingBytes));
        MemoryMarshal.Write(data, in item);
        MemoryMarshal.AsBytes(findings).CopyTo(data[HeadBytes..]);
    }
}
