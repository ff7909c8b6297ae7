// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Format;
using DeepLake.Storage;

namespace DeepLake.Engine;

/// <summary>
/// What a person should know of a lake that works: of the two superblock copies one is enough, and a
/// power cut may leave the other torn, but until it is written anew there is no second one.
/// </summary>
public static class LakeNotes
{
    /// <summary>One line each; none when nothing is to be said. What cannot be read is a note, too.</summary>
    public static IReadOnlyList<string> Of(IBlockDevice device)
    {
        try
        {
            SuperblockStore.ReadAll(device, out List<(long Offset, string Why)> unusable);
            return [.. unusable.Select(u => Describe(u.Offset, u.Why))];
        }
        catch (LakeFormatException failure)
        {
            // Only of a lake that is open: it was damaged since.
            return [$"both superblock copies are damaged ({failure.Message}): after a power cut the lake could not be opened; unmounting it writes one anew"];
        }
        catch (StorageException failure)
        {
            return [$"the superblock copies cannot be read: {failure.Message}"];
        }
    }

    private static string Describe(long offset, string why)
    {
        ulong block = (ulong)offset / LakeFormat.BlockSize;
        (string copy, string other) = block == LakeFormat.SuperblockABlock ? ("A", "B") : ("B", "A");
        return $"superblock copy {copy} is damaged, at byte {offset} of the device (block {block}): {why}; "
            + $"nothing is lost, as copy {other} is whole, and copy {copy} is written anew at the next mount at the latest";
    }
}
