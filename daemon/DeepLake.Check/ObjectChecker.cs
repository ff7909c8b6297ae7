// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tables;

namespace DeepLake.Check;

/// <summary>
/// Identities of files: each belongs to a regular file, says nothing of data that may still change, and what
/// names a file by its content names one that has an identity with these bytes. In key order an inode's
/// record and its map come before its object, and all objects before all names.
/// </summary>
internal sealed class ObjectChecker(CheckTarget target, Findings findings, ContentVerifier? content)
{
    private readonly Dictionary<ulong, ulong> _prefixes = [];

    public ulong Objects => (ulong)_prefixes.Count;

    public void Item(in ItemKey key, ReadOnlySpan<byte> data, InodeFacts facts, NamedInode named)
    {
        if (key.Offset != 0 || data.Length != Marshal.SizeOf<ObjectItem>())
        {
            findings.Add($"{named} has a malformed identity");
            return;
        }

        ObjectItem item = MemoryMarshal.Read<ObjectItem>(data);
        _prefixes[key.Object] = IdentityTable.PrefixOf(item.Id);
        findings.Require(item.DataSeq <= target.Counters.AppliedSeq, $"{named} has an identity as of a future intent");
        findings.Require(!facts.HasRecord || facts.IsRegular, $"{named} is no regular file but has an identity");
        if (!facts.HasRecord || facts.DataSeq != item.DataSeq || facts.Size != item.Size)
        {
            return;
        }

        findings.Require(!facts.HasUncheckedData, $"{named} has an identity that holds, and data that is not checked");
        content?.Compare(key.Object, item, facts, named);
    }

    public void Name(in ItemKey key, ReadOnlySpan<byte> data)
    {
        if (key.Object != ObjectIds.Identities || data.Length != sizeof(ulong))
        {
            findings.Add($"the identity {key.Offset:x16} is malformed");
            return;
        }

        ulong ino = MemoryMarshal.Read<ulong>(data);
        findings.Require(
            _prefixes.TryGetValue(ino, out ulong prefix) && prefix == key.Offset,
            $"the identity {key.Offset:x16} names inode {ino}, which has none that begins so");
    }
}
