// SPDX-License-Identifier: MPL-2.0
using DeepLake.Engine.Ingest;

namespace DeepLake.InMemory;

/// <summary>Compression.</summary>
public sealed partial class InMemoryLake
{
    /// <summary>
    /// Does at once what the daemon does to files that nobody has changed for long: what was settled, and is not
    /// shared, is compressed as far as it is worth it. Reads and writes go on as before.
    /// </summary>
    /// <returns>How many bytes of files were compressed, in whole blocks, and into how many.</returns>
    public (long Bytes, long IntoBytes) Pack()
    {
        Begin("/");
        using var table = new ChecksumTable(Disk, Engine.Superblock);
        using var reader = new PieceReader(Disk, table);
        using var store = new PackStore(Engine, Client, Disk, table);
        var packs = new PackIngest(Engine, store, reader);
        var found = new List<ulong>();
        for (ulong ino = 0; ino != ulong.MaxValue;)
        {
            ino = Engine.FindPackable(ino, InodesOfALook, long.MaxValue, found);
        }

        foreach (ulong ino in found)
        {
            packs.Begin(ino);
            Complete(packs.Advance, () => (packs.IsDone, packs.IsWaiting));
        }

        packs.Finish();
        Complete(packs.Advance, () => (packs.IsDone, packs.IsWaiting));
        return (Bytes(packs.Packed), Bytes(packs.PackedInto));
    }

    /// <summary>
    /// Rewrites packs that are hardly used any more, as the daemon does when much of what is compressed has been
    /// changed or deleted.
    /// </summary>
    /// <returns>How many were found, in bytes what they took, and what files have of them.</returns>
    public (int Packs, long Bytes, long LiveBytes) CollectPacks()
    {
        Begin("/");
        using var table = new ChecksumTable(Disk, Engine.Superblock);
        using var reader = new PieceReader(Disk, table);
        using var store = new PackStore(Engine, Client, Disk, table);
        var collector = new PackCollector(Engine, store, reader);
        collector.Begin(isDryRun: false);
        Complete(collector.Advance, () => (collector.IsDone, collector.IsWaiting));
        return ((int)collector.Found.Packs, Bytes(collector.Found.DeviceBlocks), Bytes(collector.Found.LiveBlocks));
    }

    private void Complete(Action advance, Func<(bool IsDone, bool IsWaiting)> state)
    {
        while (!state().IsDone)
        {
            Client.BeginGroup();
            advance();
            if (state().IsWaiting)
            {
                throw new InvalidOperationException("packing waits for what has been done"); // what is asked for is applied at once
            }
        }
    }
}
