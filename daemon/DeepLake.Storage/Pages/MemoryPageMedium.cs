// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Storage;

/// <summary>
/// What survives a crash of a <see cref="MemoryPageStore"/>: the pages of its two newest checkpoints.
/// </summary>
public sealed class MemoryPageMedium(long capacityPages)
{
    private readonly (ulong Number, Dictionary<ulong, byte[]> Pages)?[] _kept = new (ulong, Dictionary<ulong, byte[]>)?[2];

    private (ulong Number, Dictionary<ulong, byte[]> Pages)? _held;

    public long CapacityPages { get; } = capacityPages;

    internal void Keep(ulong number, Dictionary<ulong, byte[]> pages) => _kept[number & 1] = (number, pages);

    /// <summary>A crash inside a checkpoint: its slot holds nothing usable.</summary>
    internal void Tear(ulong number) => _kept[number & 1] = null;

    internal bool Hold(ulong number)
    {
        if (_held is not null)
        {
            return false;
        }
        _held = (number, Find(number));
        return true;
    }

    internal bool Release()
    {
        bool wasHeld = _held is not null;
        _held = null;
        return wasHeld;
    }

    internal Dictionary<ulong, byte[]> Find(ulong number) =>
        _kept[number & 1] is { } kept && kept.Number == number
            ? kept.Pages
            : _held is { } held && held.Number == number
            ? held.Pages
            : throw StorageException.Corruption($"page checkpoint {number} is not there any more");
}
