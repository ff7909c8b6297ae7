// SPDX-License-Identifier: MPL-2.0
using System.Text;
using DeepLake.Client;

namespace DeepLake.Laked.Import;

/// <summary>
/// The records of PAX headers that apply to an entry. Values stay bytes: names and xattrs need not be
/// text.
/// </summary>
internal sealed class PaxRecords
{
    private const string SchilyXattr = "SCHILY.xattr.";
    private readonly List<(string Key, byte[] Value)> _records = [];

    internal IReadOnlyList<(string Key, byte[] Value)> All => _records;

    internal void Clear() => _records.Clear();

    internal byte[]? Find(string key) => _records.FindLast(r => r.Key == key).Value;

    /// <summary>Every xattr in the archive's own order.</summary>
    internal IEnumerable<Xattr> Xattrs() => _records
        .Where(r => r.Key.StartsWith(SchilyXattr, StringComparison.Ordinal))
        .Select(r => new Xattr(Encoding.Latin1.GetBytes(r.Key[SchilyXattr.Length..]), r.Value));

    /// <summary>Adds the records of one header: "LENGTH KEY=VALUE\n", the length counting all of it.</summary>
    internal void Add(ReadOnlySpan<byte> header)
    {
        while (!header.IsEmpty)
        {
            int space = header.IndexOf((byte)' ');
            if (space <= 0)
            {
                throw Malformed();
            }
            ulong length = TarNumber.ParseDecimal(header[..space]);
            if (length > (ulong)header.Length || length < (ulong)space + 3 || header[(int)length - 1] != '\n')
            {
                throw Malformed();
            }
            ReadOnlySpan<byte> record = header[(space + 1)..((int)length - 1)];
            int equals = record.IndexOf((byte)'=');
            if (equals <= 0)
            {
                throw Malformed();
            }
            // Latin1 maps every byte to one character and back.
            _records.Add((Encoding.Latin1.GetString(record[..equals]), record[(equals + 1)..].ToArray()));
            header = header[(int)length..];
        }
    }

    private static InvalidDataException Malformed() => new("the archive holds a malformed PAX header");
}
