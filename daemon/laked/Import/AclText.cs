// SPDX-License-Identifier: MPL-2.0
using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace DeepLake.Laked.Import;

/// <summary>
/// ACLs in archives are text ("user:1000:rw-"); as xattrs they are version 2 and then {tag, permissions,
/// id} for each entry, sorted by tag and id (linux/posix_acl_xattr.h).
/// </summary>
internal static class AclText
{
    private const uint Version = 2;
    private const int HeaderBytes = 4;
    private const int EntryBytes = 8;
    private const uint NoId = uint.MaxValue;

    internal static byte[] ToXattr(ReadOnlySpan<byte> text)
    {
        List<(ushort Tag, uint Id, ushort Permissions)> entries = [.. Encoding.ASCII.GetString(text)
            .Split([',', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Where(e => !e.StartsWith('#'))
            .Select(Parse)
            .Order()];
        var result = new byte[HeaderBytes + (entries.Count * EntryBytes)];
        BinaryPrimitives.WriteUInt32LittleEndian(result, Version);
        for (int i = 0; i < entries.Count; i++)
        {
            Span<byte> at = result.AsSpan(HeaderBytes + (i * EntryBytes));
            BinaryPrimitives.WriteUInt16LittleEndian(at, entries[i].Tag);
            BinaryPrimitives.WriteUInt16LittleEndian(at[2..], entries[i].Permissions);
            BinaryPrimitives.WriteUInt32LittleEndian(at[4..], entries[i].Id);
        }
        return result;
    }

    // "user:NAME:rwx" or "user:NAME:rwx:ID": without the id the name itself must be a number.
    private static (ushort Tag, uint Id, ushort Permissions) Parse(string entry)
    {
        string[] parts = entry.Split(':');
        if (parts.Length is < 3 or > 4)
        {
            throw Malformed(entry);
        }
        bool named = parts[1].Length > 0;
        ushort tag = (parts[0], named) switch
        {
            ("user" or "u", false) => 0x01,
            ("user" or "u", true) => 0x02,
            ("group" or "g", false) => 0x04,
            ("group" or "g", true) => 0x08,
            ("mask" or "m", _) => 0x10,
            ("other" or "o", _) => 0x20,
            _ => throw Malformed(entry),
        };
        uint id = NoId;
        if (tag is 0x02 or 0x08 && !uint.TryParse(parts.Length == 4 ? parts[3] : parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out id))
        {
            throw new InvalidDataException($"the ACL entry \"{entry}\" names an account, not a number; import the directory itself, or archive with --xattrs --xattrs-include=* and without --acls");
        }
        ushort permissions = 0;
        foreach (char c in parts[2])
        {
            permissions |= c switch { 'r' => 4, 'w' => 2, 'x' => 1, '-' => 0, _ => throw Malformed(entry) };
        }
        return (tag, id, permissions);
    }

    private static InvalidDataException Malformed(string entry) => new($"the archive holds a malformed ACL entry: {entry}");
}
