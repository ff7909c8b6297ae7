// SPDX-License-Identifier: MPL-2.0
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Sim;

/// <summary>
/// Checkpoints. A ticket names its own map and the one before: { magic, then twice: number, pages, crc of
/// the map, slots of the map, each slot }, all 32 bits but magic and number.
/// </summary>
internal sealed partial class TwinPageStore
{
    private const ulong TicketMagic = 0x314e49575450; // "PTWIN1"
    private const int EntryBytes = 16;

    public CheckpointTicket Checkpoint()
    {
        ThrowIfFailed();
        CheckpointBegins?.Invoke();
        _lostRoom = 0;
        Drop(_previous);
        _previous = _last;
        if (Planted.Is(PlantedFault.PagesReusedOneCheckpointEarly))
        {
            Drop(_previous);
            _previous = TwinCheckpoint.None;
        }

        _hand = 0; // what is free is used again as soon as can be: that is what goes wrong
        WriteSome(int.MaxValue);
        byte[] map = EncodeMap();
        int[] slots = new int[MapSlots(_map.Count)];
        for (int i = 0; i < slots.Length; i++)
        {
            slots[i] = Allocate();
            Guarded(map.AsSpan(i * PageFormat.PageBytes, PageFormat.PageBytes), OffsetOf(slots[i]), isWrite: true);
        }

        try
        {
            _device.Flush();
        }
        catch (StorageException failure)
        {
            throw Latch(failure);
        }

        _last = new TwinCheckpoint(_last.Number + 1, _map.Count, Crc32C.Compute(map), slots, [.. slots, .. _map.Values.Select(p => p.Slot)]);
        Take(_last);
        Array.ForEach(slots, Drop); // of the checkpoint alone
        _changes = 0;
        return new CheckpointTicket(EncodeTicket());
    }

    private static int MapSlots(int pages) => ((pages * EntryBytes) + PageFormat.PageBytes - 1) / PageFormat.PageBytes;

    private byte[] EncodeMap()
    {
        byte[] map = new byte[MapSlots(_map.Count) * PageFormat.PageBytes];
        int at = 0;
        foreach ((ulong pageId, Place place) in _map)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(map.AsSpan(at), pageId);
            BinaryPrimitives.WriteInt32LittleEndian(map.AsSpan(at + 8), place.Slot);
            BinaryPrimitives.WriteUInt32LittleEndian(map.AsSpan(at + 12), place.Crc);
            at += EntryBytes;
        }

        return map;
    }

    private byte[] EncodeTicket()
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(TicketMagic);
        foreach (TwinCheckpoint checkpoint in new[] { _last, _previous })
        {
            writer.Write(checkpoint.Number);
            writer.Write(checkpoint.Pages);
            writer.Write(checkpoint.Crc);
            writer.Write(checkpoint.MapSlots.Length);
            writer.Write(MemoryMarshal.AsBytes<int>(checkpoint.MapSlots));
        }

        return stream.ToArray();
    }

    private void Load(CheckpointTicket ticket)
    {
        try
        {
            LoadWhole(ticket);
        }
        catch (EndOfStreamException)
        {
            throw StorageException.Corruption("page checkpoint ticket");
        }
    }

    private void LoadWhole(CheckpointTicket ticket)
    {
        using var reader = new BinaryReader(new MemoryStream(ticket.Bytes.ToArray()));
        if (reader.ReadUInt64() != TicketMagic)
        {
            throw StorageException.Corruption("page checkpoint ticket");
        }

        _last = LoadMap(reader, _map) ?? throw StorageException.Corruption("page checkpoint map");
        Take(_last);
        Array.ForEach(_map.Values.Select(p => p.Slot).ToArray(), Take);

        // nobody can open one that is damaged, so nothing of it needs keeping
        _previous = LoadMap(reader, []) ?? TwinCheckpoint.None;
        Take(_previous);
    }

    private TwinCheckpoint? LoadMap(BinaryReader reader, Dictionary<ulong, Place> map)
    {
        ulong number = reader.ReadUInt64();
        int pages = reader.ReadInt32();
        uint crc = reader.ReadUInt32();
        int[] slots = new int[reader.ReadInt32()];
        reader.Read(MemoryMarshal.AsBytes(slots.AsSpan()));
        byte[] bytes = new byte[slots.Length * PageFormat.PageBytes];
        for (int i = 0; i < slots.Length; i++)
        {
            Guarded(bytes.AsSpan(i * PageFormat.PageBytes, PageFormat.PageBytes), OffsetOf(slots[i]), isWrite: false);
        }

        if (Crc32C.Compute(bytes) != crc)
        {
            return null;
        }

        for (int i = 0; i < pages; i++)
        {
            ReadOnlySpan<byte> entry = bytes.AsSpan(i * EntryBytes, EntryBytes);
            map.Add(
                BinaryPrimitives.ReadUInt64LittleEndian(entry),
                new Place(BinaryPrimitives.ReadInt32LittleEndian(entry[8..]), BinaryPrimitives.ReadUInt32LittleEndian(entry[12..])));
        }

        return new TwinCheckpoint(number, pages, crc, slots, [.. slots, .. map.Values.Select(p => p.Slot)]);
    }
}
