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
            SuperblockStore.ReadAll(device, out List<UnusableCopy> unusable);
            return [.. unusable.Select(Describe)];
        }
        catch (LakeFormatException failure)
        {
            // Only of a lake that is open: it was damaged since.
            return [$"{failure.Message}: after a power cut the lake could not be opened; unmounting it writes one anew"];
        }
        catch (StorageException failure)
        {
            return [$"the superblock copies cannot be read: {failure.Message}"];
        }
    }

    /// <summary>
    /// Why the checkpoint before the newest could not be fallen back to; null when it could, or when there is
    /// none. Of a lake at rest: an engine writes new tickets over older ones.
    /// </summary>
    public static string? OfOlderCheckpoint(IBlockDevice device)
    {
        List<Superblock> copies = SuperblockStore.ReadAll(device);
        if (copies.Count < 2)
        {
            return null;
        }

        try
        {
            SuperblockStore.ReadTicket(device, copies[1]);
            return null;
        }
        catch (StorageException failure) when (failure.IsCorruption)
        {
            return $"the checkpoint before the newest is damaged: {failure.Message}; nothing is lost, as the newest is whole";
        }
    }

    private static string Describe(UnusableCopy copy) =>
        $"superblock copy {copy.Name} is damaged, {copy.Place}: {copy.Why}; "
        + $"copy {(copy.Name == "A" ? "B" : "A")} is whole, and copy {copy.Name} is written anew at the next mount at the latest, or by lakectl repair";
}
