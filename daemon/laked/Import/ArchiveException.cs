// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Laked.Import;

/// <summary>An archive cannot be read on; says why, and what a person can do about just that.</summary>
internal sealed class ArchiveException(string message, string nextStep) : Exception(message)
{
    private static readonly (string Program, byte[] Magic)[] Compressions =
    [
        ("gzip", [0x1f, 0x8b]),
        ("zstd", [0x28, 0xb5, 0x2f, 0xfd]),
        ("xz", [0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]),
        ("bzip2", [(byte)'B', (byte)'Z', (byte)'h']),
        ("lz4", [0x04, 0x22, 0x4d, 0x18]),
    ];

    internal string NextStep { get; } = nextStep;

    /// <summary>It does not begin as an archive does.</summary>
    /// <param name="begin">Its first bytes.</param>
    internal static ArchiveException NoArchive(ReadOnlySpan<byte> begin)
    {
        foreach ((string program, byte[] magic) in Compressions)
        {
            if (begin.StartsWith(magic))
            {
                return new ArchiveException(
                    $"this is compressed with {program}, not a tar archive", $"unpack it on the way: {program} -dc FILE | lakectl import - DEVICE");
            }
        }
        return new ArchiveException(
            "this is no tar archive, or its beginning is damaged: the first 512 bytes are no tar header that matches its checksum; nothing was imported",
            "name a tar archive or a directory (the program file tells what a file is); if it should be one, compare it with its original");
    }

    /// <summary>It ends before it should.</summary>
    /// <param name="what">What is missing.</param>
    /// <param name="position">Bytes read of it.</param>
    internal static ArchiveException CutOff(string what, ulong position) => new(
        $"the archive is cut off after {position} bytes, {what}", "copy or download it again, or see whether the program that wrote it ended well");

    /// <summary>Its bytes are not those that were written.</summary>
    internal static ArchiveException Damaged(string what, ulong position) => new(
        $"the archive is damaged at byte {position}: {what}", "compare it with its original, and copy it again; tar -tvf shows how far it can be read");
}
