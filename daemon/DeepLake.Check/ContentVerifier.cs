// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Hash;
using DeepLake.Metadata.Tables;

namespace DeepLake.Check;

/// <summary>
/// Takes the identity of each file from its checked blocks, as they are read in the order of its map, and
/// compares it with the one that it has. Files that are given none cost nothing: their holes may be so large
/// that hashing them would take hours.
/// </summary>
internal sealed class ContentVerifier(Findings findings)
{
    private readonly Blake3Hasher _hasher = new();
    private ulong _ino;
    private ulong _at;
    private bool _isWhole;

    /// <summary>The next block of a file; <paramref name="isGood"/>: it is what its checksum says.</summary>
    public void Take(ulong ino, ulong fileBlock, ReadOnlySpan<byte> block, InodeFacts facts, bool isGood)
    {
        Begin(ino);
        ulong from = fileBlock * LakeFormat.BlockSize;
        _isWhole &= isGood && from >= _at && ObjectTable.IsWorthIt(facts.Size, facts.Blocks);
        if (from >= facts.Size || !_isWhole)
        {
            return;
        }

        _hasher.AppendZeros((long)(from - _at));
        int bytes = (int)Math.Min((ulong)block.Length, facts.Size - from);
        _hasher.Append(block[..bytes]);
        _at = from + (ulong)bytes;
    }

    /// <summary>After the last block. What was found to be damaged, or is not checked, is told elsewhere.</summary>
    public void Compare(ulong ino, in ObjectItem item, InodeFacts facts, NamedInode named)
    {
        Begin(ino);
        if (!_isWhole || facts.HasUncheckedData || !ObjectTable.IsWorthIt(item.Size, Math.Min(facts.Blocks, facts.BlocksFound)))
        {
            return;
        }

        _hasher.AppendZeros((long)(item.Size - _at));
        Blake3Hash expected = Blake3Hash.Read(item.Id);
        Blake3Hash found = _hasher.Finish();
        findings.Require(
            found == expected,
            $"{named}: its content is not the one that its identity says, although each of its blocks matches its checksum: its BLAKE3 is {found}, the identity is {expected}");
    }

    private void Begin(ulong ino)
    {
        if (_ino == ino)
        {
            return;
        }

        _hasher.Reset();
        (_ino, _at, _isWhole) = (ino, 0, true);
    }
}
