// SPDX-License-Identifier: MPL-2.0
using System.Collections;
using DeepLake.Abi;
using DeepLake.Engine.State;

namespace DeepLake.Engine.Archive;

/// <summary>
/// Blocks that differ from their checksums, and what all files that have them tell: a pack, and the first and the last
/// block of a skewed extent, may belong to several, so that nothing can be said before the last file has been read.
/// Enumerated in the order of the device. Twelve bits a block, where there are any.
/// </summary>
internal sealed class DisputedBlocks : IEnumerable<ulong>
{
    private readonly BlockSet _all = new();
    private readonly BlockSet _proven = new();
    private readonly BlockSet _unknown = new();
    private readonly BlockSet _unsteady = new();
    private readonly BlockSet _disproven = new();
    private readonly Dictionary<ulong, byte[]> _folds = [];

    /// <param name="block">Of the device.</param>
    /// <param name="evidence">Of one file.</param>
    /// <param name="sum">Of what that file's proof has read. A block that is read otherwise later is disproven.</param>
    public void Add(ulong block, BlockEvidence evidence, uint sum)
    {
        if (_all.Add(block))
        {
            FoldOf(block) = Fold(sum);
        }
        else if (!IsAsRead(block, sum))
        {
            _unsteady.Add(block);
        }

        (evidence switch
        {
            BlockEvidence.ProvesAll => _proven,
            BlockEvidence.Nothing => _unknown,
            BlockEvidence.Disproves => _disproven,
            _ => _all,
        }).Add(block);
    }

    /// <summary>
    /// What they come to: one that proves all of the block decides; else a part that nobody proves, or one that is
    /// disproven, is not outweighed by others.
    /// </summary>
    public BlockEvidence this[ulong block] =>
        _unsteady.Contains(block) ? BlockEvidence.Disproves
        : _proven.Contains(block) ? BlockEvidence.ProvesAll
        : _disproven.Contains(block) ? BlockEvidence.Disproves
        : _unknown.Contains(block) ? BlockEvidence.Nothing
        : BlockEvidence.ProvesItsPart;

    /// <summary>Whether what is read of it now can be what the files' proofs have read: one in 256 others passes.</summary>
    public bool IsAsRead(ulong block, uint sum) => FoldOf(block) == Fold(sum);

    public IEnumerator<ulong> GetEnumerator() => _all.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static byte Fold(uint sum) => (byte)(sum ^ (sum >> 8) ^ (sum >> 16) ^ (sum >> 24));

    private ref byte FoldOf(ulong block)
    {
        if (!_folds.TryGetValue(block / LakeFormat.BitmapChunkBlocks, out byte[]? folds))
        {
            folds = new byte[LakeFormat.BitmapChunkBlocks];
            _folds.Add(block / LakeFormat.BitmapChunkBlocks, folds);
        }

        return ref folds[block % LakeFormat.BitmapChunkBlocks];
    }
}
