// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using System.Text;
using DeepLake.Abi;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine.Format;

/// <summary>
/// The two superblock copies and the page store's ticket slots. A new generation goes to copy A when
/// odd, B when even, after its ticket is durable; so the other copy always names the checkpoint before.
/// </summary>
internal static class SuperblockStore
{
    private const int CrcOffset = 12;

    /// <summary>The valid copies, newest first; at least one.</summary>
    /// <exception cref="LakeFormatException">
    /// Neither copy is usable, or one is whole and of another version: that is no damage, and the other one may be
    /// older. Says why.
    /// </exception>
    public static List<Superblock> ReadAll(IBlockDevice device) => ReadAll(device, out _);

    /// <param name="device">The lake's.</param>
    /// <param name="unusable">The copies that are not.</param>
    public static List<Superblock> ReadAll(IBlockDevice device, out List<UnusableCopy> unusable)
    {
        var valid = new List<Superblock>();
        unusable = [];
        List<LakeFormatException> failures = [];
        for (int copy = 0; copy < 2; copy++)
        {
            long offset = copy == 0 ? LakeLayout.Bytes(LakeFormat.SuperblockABlock) : LastBlock(device, valid);
            try
            {
                valid.Add(Read(device, offset));
            }
            catch (LakeFormatException failure)
            {
                unusable.Add(new UnusableCopy(offset, failure.Errno == Errno.EINVAL ? "there is no superblock there" : failure.Message));
                failures.Add(failure);
            }
        }

        if (valid.Count == 0)
        {
            throw NoneIsUsable(unusable, failures);
        }

        if (failures.Find(f => f.Errno == Errno.EPROTONOSUPPORT) is { } foreign)
        {
            throw new LakeFormatException(foreign.Errno, $"{foreign.Message} (superblock copy {unusable[0].Name}, which is whole)", foreign.NextStep);
        }

        if (valid.Count == 2 && UuidOf(valid[0]) != UuidOf(valid[1]))
        {
            // as the kernel has it
            unusable.Add(new UnusableCopy(LakeLayout.Bytes(valid[0].DeviceBlocks - 1), $"it is of another lake, {UuidOf(valid[1])}"));
            valid.RemoveAt(1);
        }

        valid.Sort((a, b) => b.Generation.CompareTo(a.Generation));
        return valid;
    }

    public static Guid UuidOf(in Superblock superblock) => new(superblock.Uuid, bigEndian: true);

    public static string LabelOf(in Superblock superblock) =>
        Encoding.UTF8.GetString(((ReadOnlySpan<byte>)superblock.Label).TrimEnd((byte)0));

    public static CheckpointTicket ReadTicket(IBlockDevice device, in Superblock superblock)
    {
        Region slot = superblock.Ticket[(int)(superblock.Generation & 1)];
        byte[] bytes = new byte[LakeFormat.TicketMax];
        device.Read(bytes, LakeLayout.Bytes(slot.StartBlock));
        ReadOnlySpan<byte> ticket = bytes.AsSpan(0, (int)superblock.TicketBytes);
        if (Crc32C.Compute(ticket) != superblock.TicketCrc32c)
        {
            throw StorageException.Corruption(
                $"the checkpoint ticket at byte {LakeLayout.Bytes(slot.StartBlock)} of the device (generation {superblock.Generation}) does not match its checksum");
        }

        return new CheckpointTicket(ticket);
    }

    /// <summary>Null when it is damaged.</summary>
    public static CheckpointTicket? TryReadTicket(IBlockDevice device, in Superblock superblock)
    {
        try
        {
            return ReadTicket(device, superblock);
        }
        catch (StorageException failure) when (failure.IsCorruption)
        {
            return null;
        }
    }

    /// <summary>Makes the ticket durable, then the superblock that names it.</summary>
    public static void Publish(ICommitSink sink, ref Superblock superblock, CheckpointTicket ticket, ulong durableSeq)
    {
        superblock.TicketBytes = (uint)ticket.Bytes.Length;
        superblock.TicketCrc32c = Crc32C.Compute(ticket.Bytes);
        if (Planted.Is(PlantedFault.SuperblockBeforeTicket))
        {
            PublishCopy(sink, ref superblock, durableSeq);
        }

        PublishTicket(sink, superblock, ticket, durableSeq);
        PublishCopy(sink, ref superblock, durableSeq);
    }

    private static void PublishTicket(ICommitSink sink, in Superblock superblock, CheckpointTicket ticket, ulong durableSeq)
    {
        int bytes = (ticket.Bytes.Length + LakeFormat.BlockSize - 1) / LakeFormat.BlockSize * LakeFormat.BlockSize;
        using var buffer = new AlignedBuffer(bytes, zeroed: true);
        ticket.Bytes.CopyTo(buffer.Span);
        Region slot = superblock.Ticket[(int)(superblock.Generation & 1)];
        sink.Commit(buffer.Span, LakeLayout.Bytes(slot.StartBlock), durableSeq);
    }

    private static void PublishCopy(ICommitSink sink, ref Superblock superblock, ulong durableSeq)
    {
        using var block = new AlignedBuffer(LakeFormat.BlockSize);
        Encode(ref superblock, block.Span);
        ulong at = (superblock.Generation & 1) == 1 ? LakeFormat.SuperblockABlock : superblock.DeviceBlocks - 1;
        sink.Commit(block.Span, LakeLayout.Bytes(at), durableSeq);
    }

    private static void Encode(ref Superblock superblock, Span<byte> block)
    {
        superblock.Crc32c = 0;
        MemoryMarshal.Write(block, superblock);
        superblock.Crc32c = Crc32C.Compute(block);
        MemoryMarshal.Write(block[CrcOffset..], superblock.Crc32c);
    }

    // Copy B is in the lake's last block, also when the device has grown; without copy A only the device's is known.
    private static long LastBlock(IBlockDevice device, List<Superblock> valid)
    {
        ulong blocks = valid.Count > 0 ? valid[0].DeviceBlocks : (ulong)device.LengthBytes / LakeFormat.BlockSize;
        return LakeLayout.Bytes(Math.Max(blocks, LakeFormat.SuperblockABlock + 2) - 1);
    }

    /// <summary>
    /// Copy B of a lake that is as long as the device, whatever its format version is; it may be all that is
    /// left of a lake.
    /// </summary>
    /// <returns>False when there is none that matches its checksum.</returns>
    public static bool TryReadLast(IBlockDevice device, out Superblock superblock, out long offset)
    {
        offset = LastBlock(device, []);
        return TryReadRaw(device, offset, out superblock, out bool isWhole) && isWhole;
    }

    /// <summary>
    /// Why a copy that matches its checksum cannot be used by this version, or on this device: such a lake is
    /// whole, and nothing may be written over it. Null when no copy is like that.
    /// </summary>
    public static LakeFormatException? FindForeign(IBlockDevice device)
    {
        long[] copies = [LakeLayout.Bytes(LakeFormat.SuperblockABlock), LastBlock(device, [])];
        foreach (long offset in copies)
        {
            try
            {
                if (TryReadRaw(device, offset, out Superblock superblock, out bool isWhole) && isWhole)
                {
                    Validate(superblock, device.LengthBytes);
                    RequireWritable(superblock);
                }
            }
            catch (LakeFormatException failure)
            {
                if (failure.Errno is Errno.EPROTONOSUPPORT or Errno.ENODATA or Errno.EROFS)
                {
                    return failure;
                }
            }
        }

        return null;
    }

    /// <exception cref="LakeFormatException">The lake has features with which this version may only read it.</exception>
    public static void RequireWritable(in Superblock superblock)
    {
        ulong unknown = superblock.RoCompat & ~LakeFormat.RoCompatKnown;
        if (unknown != 0)
        {
            throw new LakeFormatException(
                Errno.EROFS, $"the lake uses features 0x{unknown:x} with which this laked can only read it; nothing was changed", "use a newer laked to change it, or mount it read-only");
        }
    }

    private static bool TryReadRaw(IBlockDevice device, long offset, out Superblock superblock, out bool isWhole)
    {
        superblock = default;
        isWhole = false;
        byte[] block = new byte[LakeFormat.BlockSize];
        if (offset + block.Length > device.LengthBytes)
        {
            return false;
        }

        device.Read(block, offset);
        superblock = MemoryMarshal.Read<Superblock>(block);
        block.AsSpan(CrcOffset, 4).Clear();
        isWhole = Crc32C.Compute(block) == superblock.Crc32c;
        return superblock.Magic == LakeFormat.SuperblockMagic;
    }

    private static Superblock Read(IBlockDevice device, long offset)
    {
        if (!TryReadRaw(device, offset, out Superblock superblock, out bool isWhole))
        {
            throw device.IsUnreadable(offset, LakeFormat.BlockSize)
                ? new LakeFormatException(Errno.EUCLEAN, "the device cannot read it", LakeFormatException.RepairAdvice)
                : NotALake();
        }

        if (!isWhole && !Planted.Is(PlantedFault.SuperblockChecksumIgnored))
        {
            throw new LakeFormatException(
                Errno.EUCLEAN, "the superblock does not match its checksum", LakeFormatException.RepairAdvice);
        }

        Validate(superblock, device.LengthBytes);
        return superblock;
    }

    // A copy that is whole tells what a person can do: it is another version's, or the device is cut off.
    private static LakeFormatException NoneIsUsable(List<UnusableCopy> unusable, List<LakeFormatException> failures)
    {
        if (failures.Find(f => f.Errno is not (Errno.EINVAL or Errno.EUCLEAN)) is { } known)
        {
            return known;
        }

        if (failures.TrueForAll(f => f.Errno == Errno.EINVAL))
        {
            return failures[0];
        }

        string copies = string.Join("; ", unusable.Select(u => $"copy {u.Name}, {u.Place}: {u.Why}"));
        string next = failures.Find(f => f.Errno == Errno.EUCLEAN)!.NextStep;
        // copy B is looked for where the device ends
        return new LakeFormatException(
            Errno.EUCLEAN,
            $"both superblock copies are damaged: {copies}",
            failures[^1].Errno == Errno.EINVAL ? $"if the device was made larger or smaller, give it the size it had, as copy B is in the lake's last block; else {next}" : next);
    }

    private static LakeFormatException NotALake() => new(
        Errno.EINVAL, "this is not a DeepLake device (no superblock)", "check the device name; if a lake was there, lakectl repair DEVICE says what can be brought back, and changes nothing; a new one is made with lakectl mkfs DEVICE");

    /// <exception cref="LakeFormatException">This version cannot use a lake that has this superblock, or not on such a device.</exception>
    public static void Validate(in Superblock superblock, long deviceBytes)
    {
        if (superblock.FormatVersion != LakeFormat.Version)
        {
            throw new LakeFormatException(
                Errno.EPROTONOSUPPORT,
                $"the lake has format version {superblock.FormatVersion}; this laked knows version {LakeFormat.Version}",
                "use the laked that belongs to this lake");
        }

        ulong unknown = superblock.Incompat & ~LakeFormat.IncompatKnown;
        if (unknown != 0)
        {
            throw new LakeFormatException(
                Errno.EPROTONOSUPPORT, $"the lake uses unknown incompatible features 0x{unknown:x}", "use a newer laked");
        }

        if (LakeLayout.Bytes(superblock.DeviceBlocks) > deviceBytes)
        {
            throw new LakeFormatException(
                Errno.ENODATA,
                $"the device is truncated: the lake has {LakeLayout.Bytes(superblock.DeviceBlocks)} bytes, the device {deviceBytes}",
                "restore the missing part of the device");
        }

        if (!IsConsistent(superblock))
        {
            throw new LakeFormatException(
                Errno.EUCLEAN, "the superblock contradicts itself", LakeFormatException.RepairAdvice);
        }
    }

    /// <summary>Whether a copy of a superblock is one of this version and of a lake that fits on the device.</summary>
    public static bool IsSane(in Superblock superblock, long deviceBytes) =>
        superblock.Magic == LakeFormat.SuperblockMagic
        && superblock.FormatVersion == LakeFormat.Version
        && superblock.DeviceBlocks <= (ulong)deviceBytes / LakeFormat.BlockSize
        && IsConsistent(superblock);

    private static bool IsConsistent(in Superblock superblock) =>
        superblock.BlockSize == LakeFormat.BlockSize
        && superblock.TicketBytes <= LakeFormat.TicketMax
        && superblock.State is SuperblockState.Clean or SuperblockState.Active
        && RegionsAreSane(superblock);

    private static bool RegionsAreSane(in Superblock superblock)
    {
        ReadOnlySpan<Region> regions =
        [
            superblock.Pin, superblock.Ticket[0], superblock.Ticket[1], superblock.Wal,
            superblock.Index[0], superblock.Index[1], superblock.Pages, superblock.Sums,
            superblock.Anchors, superblock.Data,
        ];
        ulong next = LakeFormat.SuperblockABlock + 1;
        foreach (Region region in regions)
        {
            if (region.StartBlock < next || region.Blocks == 0 || region.Blocks > superblock.DeviceBlocks
                || region.StartBlock > superblock.DeviceBlocks - 1 - region.Blocks)
            {
                return false;
            }

            next = region.StartBlock + region.Blocks;
        }

        return (superblock.Data.Blocks - 1) / LakeFormat.SumsPerBlock < superblock.Sums.Blocks
            && superblock.CheckpointWalLsn > 0
            && superblock.CheckpointWalOffset <= (ulong)LakeLayout.Bytes(superblock.Wal.Blocks);
    }
}
