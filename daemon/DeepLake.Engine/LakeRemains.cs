// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Format;
using DeepLake.Storage;

namespace DeepLake.Engine;

/// <summary>
/// What a device says of a lake whose beginning was overwritten: copy B of the superblock, in the last block.
/// When the checkpoint's ticket, which lies at the beginning, is gone too, it names a lake and does not open it.
/// </summary>
/// <param name="Uuid">Of the lake.</param>
/// <param name="Label">Of the lake; may be empty.</param>
/// <param name="WrittenSec">Unix time when this copy was written.</param>
/// <param name="OffsetBytes">Where the copy is.</param>
/// <param name="HasTicket">The checkpoint that it names can still be looked for.</param>
public sealed record LakeRemains(Guid Uuid, string Label, ulong WrittenSec, long OffsetBytes, bool HasTicket)
{
    /// <summary>Null when the device does not end as a lake does, or the copy does not match its checksum.</summary>
    /// <exception cref="StorageException">The device failed.</exception>
    public static LakeRemains? Find(IBlockDevice device)
    {
        if (!SuperblockStore.TryReadLast(device, out Superblock superblock, out long offset))
        {
            return null;
        }

        return new LakeRemains(
            SuperblockStore.UuidOf(superblock), SuperblockStore.LabelOf(superblock), superblock.WrittenSec, offset, CanReadTicket(device));
    }

    private static bool CanReadTicket(IBlockDevice device)
    {
        try
        {
            // of the copies that are valid in every field
            return SuperblockStore.ReadAll(device).Exists(copy => SuperblockStore.TryReadTicket(device, copy) is not null);
        }
        catch (LakeFormatException)
        {
            return false;
        }
    }
}
