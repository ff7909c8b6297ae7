// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.State;
using DeepLake.Metadata.Tables;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine.Archive;

/// <summary>
/// Blocks of the checksum table that hold nothing although they should: each has 1,024 entries, and one of
/// a block that is checked is zero once in four thousand millions. So the table was lost there, and not the data.
/// </summary>
internal static class LostChecksums
{
    private const int ReadBlocks = 256;

    /// <summary>How many there are. Reads all maps, and the table.</summary>
    public static ulong Count(LakeState state, IBlockDevice device, in Superblock superblock)
    {
        ulong first = superblock.Data.StartBlock;
        bool[] isWanted = new bool[(superblock.Data.Blocks + LakeFormat.SumsPerBlock - 1) / LakeFormat.SumsPerBlock];
        for (ulong ino = 0; state.Inodes.TryNext(ino, out InodeRecord inode); ino = inode.Ino + 1)
        {
            for (ulong at = 0; state.Extents.TryGetAt(inode.Ino, at, out Extent extent); at = extent.FileEnd)
            {
                if (extent.IsChecked)
                {
                    ulong end = (extent.DeviceBlock + extent.DeviceBlocks - 1 - first) / LakeFormat.SumsPerBlock;
                    for (ulong i = (extent.DeviceBlock - first) / LakeFormat.SumsPerBlock; i <= end; i++)
                    {
                        isWanted[i] = true;
                    }
                }
            }
        }

        return CountZero(isWanted, device, superblock.Sums);
    }

    private static ulong CountZero(bool[] isWanted, IBlockDevice device, Region sums)
    {
        ulong lost = 0;
        using var buffer = new AlignedBuffer(ReadBlocks * LakeFormat.BlockSize);
        for (int at = 0; at < isWanted.Length; at += ReadBlocks)
        {
            int blocks = Math.Min(ReadBlocks, isWanted.Length - at);
            if (!isWanted.AsSpan(at, blocks).Contains(true))
            {
                continue;
            }

            Span<byte> read = buffer.Slice(0, blocks * LakeFormat.BlockSize);
            device.Read(read, ((long)sums.StartBlock + at) * LakeFormat.BlockSize);
            for (int i = 0; i < blocks; i++)
            {
                bool isZero = !read.Slice(i * LakeFormat.BlockSize, LakeFormat.BlockSize).ContainsAnyExcept((byte)0);
                lost += isWanted[at + i] && isZero ? 1ul : 0ul;
            }
        }

        return lost;
    }
}
