// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tree;

namespace DeepLake.Metadata.Tables;

/// <summary>
/// Where a content may be found: by the first bytes of its BLAKE3 a file that had it. A hint, as the file's
/// object tells.
/// </summary>
public sealed class IdentityTable(BTree tree)
{
    /// <summary>The first 8 bytes of an identity.</summary>
    public static ulong PrefixOf(ReadOnlySpan<byte> id) => MemoryMarshal.Read<ulong>(id);

    public bool TryGet(ulong prefix, out ulong ino)
    {
        ino = 0;
        if (!tree.TryGet(Keys.Identity(prefix), out ReadOnlySpan<byte> data))
        {
            return false;
        }

        if (data.Length != sizeof(ulong))
        {
            throw new MetadataCorruptException($"the identity {prefix:x16} is malformed");
        }

        ino = MemoryMarshal.Read<ulong>(data);
        return true;
    }

    public void Put(ulong prefix, ulong ino) => MemoryMarshal.Write(tree.Reserve(Keys.Identity(prefix), sizeof(ulong)), in ino);

    /// <summary>Removes it if it is this file's.</summary>
    public void Delete(ulong prefix, ulong ino)
    {
        if (TryGet(prefix, out ulong holder) && holder == ino)
        {
            tree.Delete(Keys.Identity(prefix));
        }
    }
}
