// SPDX-License-Identifier: MPL-2.0
using System.Text;

namespace DeepLake.Cli.Tests;

/// <summary>Writes archives byte by byte, also ones that no tar program would write. Text is Latin1.</summary>
internal sealed class TarBuilder
{
    private readonly MemoryStream _bytes = new();

    internal TarBuilder Pax(params (string Key, byte[] Value)[] records)
    {
        var body = new MemoryStream();
        foreach ((string key, byte[] value) in records)
        {
            int rest = 1 + key.Length + 1 + value.Length + 1;
            int length = rest + 1;
            while (length != rest + length.ToString().Length)
            {
                length = rest + length.ToString().Length;
            }
            body.Write(Encoding.Latin1.GetBytes($"{length} {key}="));
            body.Write(value);
            body.WriteByte((byte)'\n');
        }
        return Add('x', "pax", content: body.ToArray());
    }

    internal TarBuilder Add(
        char type, string path, uint mode = 0x1a4, uint uid = 0, uint gid = 0, long mtime = 1_000_000_000,
        string link = "", byte[]? content = null, (uint Major, uint Minor) device = default)
    {
        content ??= [];
        var header = new byte[512];
        Put(header, 0, path);
        Put(header, 100, Octal(mode, 7));
        Put(header, 108, Octal(uid, 7));
        Put(header, 116, Octal(gid, 7));
        Put(header, 124, Octal((ulong)content.Length, 11));
        Put(header, 136, Octal((ulong)mtime, 11));
        header[156] = (byte)type;
        Put(header, 157, link);
        Put(header, 257, "ustar\0" + "00");
        Put(header, 329, Octal(device.Major, 7));
        Put(header, 337, Octal(device.Minor, 7));
        Put(header, 148, "        ");
        Put(header, 148, Octal((ulong)header.Sum(b => b), 6) + "\0");
        _bytes.Write(header);
        _bytes.Write(content);
        _bytes.Write(new byte[(512 - (content.Length % 512)) % 512]);
        return this;
    }

    internal byte[] ToArray() => [.. _bytes.ToArray(), .. new byte[1024]];

    internal void WriteTo(string path) => File.WriteAllBytes(path, ToArray());

    private static string Octal(ulong value, int digits) => Convert.ToString((long)value, 8).PadLeft(digits, '0');

    private static void Put(byte[] header, int offset, string text) => Encoding.Latin1.GetBytes(text).CopyTo(header, offset);
}
