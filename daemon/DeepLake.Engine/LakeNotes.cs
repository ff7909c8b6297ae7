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
    /// <summary>One line each; none when nothing is to be said.</summary>
    /// <exception cref="LakeFormatException">The device holds no lake that can be used.</exception>
    public static IEnumerable<string> Of(IBlockDevice device)
    {
        SuperblockStore.ReadAll(device, out List<(long Offset, string Why)> unusable);
        foreach ((long offset, string why) in unusable)
        {
            ulong block = (ulong)offset / LakeFormat.BlockSize;
            string copy = block == LakeFormat.SuperblockABlock ? "A" : "B";
            yield return $"superblock copy {copy} (block {block}) cannot be used: {why}; "
                + "the other copy is whole, and the next mount writes this one anew";
        }
    }
}
