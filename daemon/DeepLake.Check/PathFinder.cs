// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using System.Text;
using DeepLake.Abi;

namespace DeepLake.Check;

/// <summary>
/// The path of an inode, from its links back to its directories and theirs up to the root: of several
/// names the oldest. The lake may be damaged anywhere, so the way is bounded, and what cannot be followed
/// has no path.
/// </summary>
internal sealed class PathFinder(ReadPage read, ulong root, uint height)
{
    private const int MaxPathBytes = 4096;
    private const int MaxSteps = MaxPathBytes / 2;

    private readonly PageReader _pages = new(read);

    /// <summary>From the lake's root, beginning with a slash; null when there is none.</summary>
    public string? Find(ulong ino)
    {
        if (ino == LakeFormat.RootIno)
        {
            return "/";
        }

        var names = new List<byte[]>();
        int bytes = 0;
        for (int steps = 0; ino != LakeFormat.RootIno; steps++)
        {
            if (steps == MaxSteps || !TryStep(ref ino, out byte[] name))
            {
                return null;
            }

            names.Add(name);
            bytes += name.Length + 1;
            if (bytes > MaxPathBytes)
            {
                return null;
            }
        }

        names.Reverse();
        return string.Concat(names.Select(n => "/" + Encoding.UTF8.GetString(n)));
    }

    // One name up: the link back tells directory and cookie, the entry there the name.
    private bool TryStep(ref ulong ino, out byte[] name)
    {
        name = [];
        var first = new ItemKey { Object = ino, Type = ItemType.Parent };
        if (!_pages.TryFind(root, height, first, out ItemKey link, out byte[] parent)
            || link.Object != ino || link.Type != ItemType.Parent || parent.Length != sizeof(ulong))
        {
            return false;
        }

        ulong dir = MemoryMarshal.Read<ulong>(parent);
        var at = new ItemKey { Object = dir, Type = ItemType.Dirent, Offset = link.Offset };
        if (!_pages.TryFind(root, height, at, out ItemKey found, out byte[] entry) || PageWalker.Compare(found, at) != 0
            || entry.Length <= Marshal.SizeOf<Dirent>() || MemoryMarshal.Read<Dirent>(entry).Ino != ino)
        {
            return false;
        }

        name = entry[Marshal.SizeOf<Dirent>()..];
        ino = dir;
        return true;
    }
}
