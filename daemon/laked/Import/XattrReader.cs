// SPDX-License-Identifier: MPL-2.0
using System.Text;
using DeepLake.Abi;
using DeepLake.Client;
using DeepLake.Control;
using DeepLake.Laked.Control;
using DeepLake.Platform;

namespace DeepLake.Laked.Import;

/// <summary>Reads the extended attributes of a file that is named by directory and name.</summary>
internal sealed class XattrReader(TreeImporter importer)
{
    private readonly byte[] _list = new byte[LakeFormat.XattrListMax];
    private readonly byte[] _value = new byte[LakeFormat.XattrValueMax];

    /// <param name="directory">Where the name is.</param>
    /// <param name="name">With or without its NUL.</param>
    internal IReadOnlyList<Xattr> Read(int directory, ReadOnlySpan<byte> name)
    {
        // There is no call with a directory and a name; the directory's own entry in /proc makes a path.
        byte[] path = [.. Encoding.ASCII.GetBytes($"/proc/self/fd/{directory}/"), .. name.TrimEnd((byte)0), 0];
        Errno error = LinuxFiles.ListXattrs(path, _list, out int length);
        if (error == Errno.EOPNOTSUPP || (error == Errno.None && length == 0))
        {
            return [];
        }
        Require(error, name);
        var result = new List<Xattr>();
        ReadOnlySpan<byte> rest = _list.AsSpan(0, length);
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOf((byte)0) + 1;
            ReadOnlySpan<byte> xattr = rest[..end];
            rest = rest[end..];
            if (IsKept(xattr, name))
            {
                error = LinuxFiles.GetXattr(path, xattr, _value, out int bytes);
                if (error != Errno.ENODATA)
                {
                    Require(error, name);
                    result.Add(new Xattr(xattr[..^1].ToArray(), _value.AsSpan(0, bytes).ToArray()));
                }
            }
        }
        return result;
    }

    // Under "system." only ACLs are stored values; others are views that their file system makes.
    private bool IsKept(ReadOnlySpan<byte> xattr, ReadOnlySpan<byte> file)
    {
        if (!xattr.StartsWith("system."u8) || xattr.StartsWith("system.posix_acl_"u8))
        {
            return true;
        }
        importer.Warn($"{Text.Of(file)}: the attribute {Text.Of(xattr)} cannot be kept");
        return false;
    }

    private static void Require(Errno error, ReadOnlySpan<byte> name)
    {
        if (error != Errno.None)
        {
            throw new CommandException(
                ErrorCode.ErrorGeneral,
                $"the extended attributes of {Text.Of(name)} cannot be read: {Linux.Describe(error)}",
                "run the import as root, with /proc mounted");
        }
    }
}
