// SPDX-License-Identifier: MPL-2.0
using System.Text;
using DeepLake.Abi;
using DeepLake.Client;
using DeepLake.Platform;

namespace DeepLake.InMemory;

/// <summary>Follows paths as Linux does: from the root, through symbolic links, with "." and "..".</summary>
internal sealed class PathResolver(LakeClient client)
{
    private const int LinksMost = 40;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Where a path leads; what it names need not exist, the directories before it must.</summary>
    /// <param name="path">With or without a slash in front.</param>
    /// <param name="follow">When the last name is that of a symbolic link, where that leads.</param>
    /// <exception cref="LakeException">EINVAL, ENAMETOOLONG, ENOENT, ENOTDIR, ELOOP.</exception>
    public Place Resolve(string path, bool follow)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Length == 0)
        {
            throw new LakeException(Errno.EINVAL, path, "a path must not be empty");
        }

        bool needsDirectory = path[^1] == '/';
        var rest = new Stack<byte[]>(Split(path, path));
        var above = new List<ulong> { LakeFormat.RootIno };
        var place = At(above);
        int links = 0;
        while (rest.TryPop(out byte[]? name))
        {
            if (name.AsSpan().SequenceEqual("."u8))
            {
                continue;
            }

            if (name.AsSpan().SequenceEqual(".."u8))
            {
                above.RemoveRange(Math.Max(1, above.Count - 1), above.Count > 1 ? 1 : 0);
                place = At(above);
                continue;
            }

            bool isLast = rest.Count == 0;
            ulong dir = above[^1];
            if (!client.TryLookup(dir, name, out InodeRecord inode))
            {
                return isLast ? new Place(dir, name, null, above) : throw new LakeException(Errno.ENOENT, path, $"there is no {Text(name)}");
            }

            if (FileType.IsSymlink(inode.Mode) && (!isLast || follow || needsDirectory))
            {
                Follow(inode, path, rest, above, ++links);
                place = At(above);
                continue;
            }

            if (FileType.IsDirectory(inode.Mode))
            {
                above.Add(inode.Ino);
            }
            else if (!isLast || needsDirectory)
            {
                throw new LakeException(Errno.ENOTDIR, path, $"{Text(name)} is not a directory");
            }

            place = new Place(dir, name, inode, above);
        }

        return place;
    }

    internal static string Text(ReadOnlySpan<byte> name) => Encoding.UTF8.GetString(name);

    /// <summary>The bytes of a text that becomes a name, an attribute's name or a link's target.</summary>
    internal static byte[] Bytes(string text, string path)
    {
        try
        {
            byte[] bytes = Strict.GetBytes(text);
            return bytes.AsSpan().Contains((byte)0) ? throw new LakeException(Errno.EINVAL, path, "it contains a NUL") : bytes;
        }
        catch (EncoderFallbackException e)
        {
            throw new LakeException(Errno.EINVAL, path, "it is no valid Unicode text", e);
        }
    }

    private Place At(List<ulong> above) => new(above[^1], [], client.GetInode(above[^1]), above);

    private void Follow(in InodeRecord link, string path, Stack<byte[]> rest, List<ulong> above, int links)
    {
        if (links > LinksMost)
        {
            throw new LakeException(Errno.ELOOP, path, $"more than {LinksMost} symbolic links lead on");
        }

        string target = Text(client.ReadLink(link.Ino));
        foreach (byte[] name in Split(target, path))
        {
            rest.Push(name);
        }

        if (target[0] == '/')
        {
            above.RemoveRange(1, above.Count - 1);
        }
    }

    /// <summary>The names of a path, the last one first.</summary>
    private static IEnumerable<byte[]> Split(string text, string path)
    {
        byte[][] names = [.. text.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(n => Bytes(n, path))];
        if (names.FirstOrDefault(n => n.Length > LakeFormat.NameMax) is { } tooLong)
        {
            throw new LakeException(Errno.ENAMETOOLONG, path, $"a name has {tooLong.Length} bytes; {LakeFormat.NameMax} are allowed");
        }

        return names.Reverse();
    }
}
