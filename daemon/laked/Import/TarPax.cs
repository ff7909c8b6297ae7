// SPDX-License-Identifier: MPL-2.0
using DeepLake.Client;

namespace DeepLake.Laked.Import;

/// <summary>Lets PAX records overrule what a tar header says.</summary>
internal static class TarPax
{
    internal static void Apply(TarEntry entry, PaxRecords records)
    {
        foreach ((string key, byte[] value) in records.All)
        {
            switch (key)
            {
                case "path":
                    entry.Path = value;
                    break;
                case "linkpath":
                    entry.LinkPath = value;
                    break;
                case "uid":
                    entry.Uid = checked((uint)TarNumber.ParseDecimal(value));
                    break;
                case "gid":
                    entry.Gid = checked((uint)TarNumber.ParseDecimal(value));
                    break;
                case "mtime":
                    entry.Mtime = TarNumber.ParseTime(value);
                    break;
                case "atime":
                    entry.Atime = TarNumber.ParseTime(value);
                    break;
                case "SCHILY.acl.access":
                    SetXattr(entry, new Xattr("system.posix_acl_access"u8.ToArray(), AclText.ToXattr(value)));
                    break;
                case "SCHILY.acl.default":
                    SetXattr(entry, new Xattr("system.posix_acl_default"u8.ToArray(), AclText.ToXattr(value)));
                    break;
                default:
                    break;
            }
        }
        foreach (Xattr xattr in records.Xattrs())
        {
            SetXattr(entry, xattr);
        }
    }

    private static void SetXattr(TarEntry entry, Xattr xattr)
    {
        if (xattr.Name.Length is 0 or > 255 || xattr.Value.Length > Abi.LakeFormat.XattrValueMax)
        {
            throw new InvalidDataException($"{Text.Of(entry.Path)} has an extended attribute that is too long");
        }
        entry.Xattrs.RemoveAll(x => x.Name.AsSpan().SequenceEqual(xattr.Name));
        entry.Xattrs.Add(xattr);
    }
}
