// SPDX-License-Identifier: MPL-2.0
using System.Text;
using DeepLake.Abi;
using DeepLake.Engine.Format;
using DeepLake.Engine.State;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine;

/// <summary>mkfs: makes an empty lake. Whatever the device held is lost.</summary>
public static class LakeFormatter
{
    private const int WipeBytes = 1 << 20;

    /// <exception cref="LakeFormatException">The device is too small or the label too long.</exception>
    /// <exception cref="StorageException">The device failed.</exception>
    public static void Format(IBlockDevice device, FormatOptions options)
    {
        byte[] label = Encoding.UTF8.GetBytes(options.Label);
        if (label.Length > 64)
        {
            throw new LakeFormatException(Errno.EINVAL, $"the label has {label.Length} bytes; 64 are allowed", "choose a shorter label");
        }

        var superblock = new Superblock
        {
            Magic = LakeFormat.SuperblockMagic,
            FormatVersion = LakeFormat.Version,
            BlockSize = LakeFormat.BlockSize,
            State = SuperblockState.Clean,
            CreatedSec = (ulong)options.Now.ToUnixTimeSeconds(),
            WrittenSec = (ulong)options.Now.ToUnixTimeSeconds(),
            HashAlgorithm = 1,
        };
        options.Uuid.TryWriteBytes(superblock.Uuid, bigEndian: true, out _);
        label.CopyTo(superblock.Label);
        (options.ArchiveKey ?? Linux.RandomBytes(Byte32.Length)).CopyTo(superblock.ArchiveKey);
        LakeLayout.Place(ref superblock, (ulong)device.LengthBytes / LakeFormat.BlockSize, options.Sizes);

        Wipe(device, superblock);
        using IPageStore store = options.OpenPages(
            device, LakeLayout.PageStore(superblock), null, new PageStoreOptions { MemoryBytes = 8 << 20 });
        using LakeState state = LakeState.CreateEmpty(store, superblock, 64);
        AddRoot(state, superblock);
        state.Flush();
        CheckpointTicket ticket = store.Checkpoint();

        var sink = new DeviceCommitSink(device);
        superblock.Generation = 1;
        SuperblockStore.Publish(sink, ref superblock, ticket, 0);
        superblock.Generation = 2;
        SuperblockStore.Publish(sink, ref superblock, ticket, 0);
    }

    /// <summary>Removes what other programs or an older lake would recognise, superblocks first.</summary>
    private static void Wipe(IBlockDevice device, in Superblock superblock)
    {
        using var zeroes = new AlignedBuffer(WipeBytes, zeroed: true);
        long end = device.LengthBytes / LakeFormat.BlockSize * LakeFormat.BlockSize;
        device.Write(zeroes.Span, 0);
        device.Write(zeroes.Slice(0, 65536), end - 65536);
        WalRegion.Clear(device, LakeLayout.Bytes(superblock.Wal.StartBlock), LakeLayout.Bytes(superblock.Wal.Blocks));
        device.Flush();
    }

    /// <summary>The whole state of a new lake: its superblock tells all of it (docs/archive.md).</summary>
    internal static void AddRoot(LakeState state, in Superblock superblock)
    {
        var time = new LakeTime { Sec = (long)superblock.CreatedSec };
        state.Inodes.Put(new InodeRecord
        {
            Ino = LakeFormat.RootIno,
            Mode = FileType.Directory | 0x1ed,
            Nlink = 2,
            Generation = 1,
            Atime = time,
            Mtime = time,
            Ctime = time,
            Btime = time,
        });
        state.Counters.InodeCount = 1;
    }
}
