// SPDX-License-Identifier: MPL-2.0
using System.Collections;
using DeepLake.Engine.State;

namespace DeepLake.Engine.Archive;

/// <summary>
/// Blocks that differ from their checksums, and what all files that have them tell: a pack, and the first and the last
/// block of a skewed extent, may belong to several, so that nothing can be said before the last file has been read.
/// Enumerated in the order of the device. Four bits a block, where there are any.
/// </summary>
internal sealed class DisputedBlocks : IEnumerable<ulong>
{
    private readonly BlockSet _all = new();
    private readonly BlockSet _proven = new();
    private readonly BlockSet _unknown = new();
    private readonly BlockSet _disproven = new();

    public void Add(ulong block, BlockEvidence evidence)
    {
        _all.Add(block);
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
        _proven.Contains(block) ? BlockEvidence.ProvesAll
        : _disproven.Contains(block) ? BlockEvidence.Disproves
        : _unknown.Contains(block) ? BlockEvidence.Nothing
        : BlockEvidence.ProvesItsPart;

    public IEnumerator<ulong> GetEnumerator() => _all.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
