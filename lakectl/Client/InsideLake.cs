// SPDX-License-Identifier: MPL-2.0
using DeepLake.Lakectl.Files;

namespace DeepLake.Lakectl.Client;

/// <summary>A folder or file in a mounted lake.</summary>
internal sealed record InsideLake(ulong Ino, uint Major, uint Minor)
{
    private const ulong RootIno = 1;
    private const int BlockBytes = 4096;

    private static ReadOnlySpan<byte> Magic => "LAKEFS1\0"u8;

    /// <summary>
    /// Null for what names a whole lake: a device, the root of a mounted lake, a file with a lake in it, wherever
    /// that file is; and for what is not in a lake.
    /// </summary>
    internal static InsideLake? Find(string path)
    {
        if (FileStatus.Of(path) is not { } status || !LakeTarget.IsMountedLake(status.Major, status.Minor))
        {
            return null;
        }
        bool isInside = status.IsDirectory ? status.Ino != RootIno : status.IsRegular && !IsImage(path);
        return isInside ? new InsideLake(status.Ino, status.Major, status.Minor) : null;
    }

    /// <summary>Whether a file has one of the two superblock copies of a lake.</summary>
    internal static bool IsImage(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            return HasMagic(file, BlockBytes) || HasMagic(file, ((file.Length / BlockBytes) - 1) * BlockBytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true; // who opens it as one says why that cannot be
        }
    }

    private static bool HasMagic(FileStream file, long offset)
    {
        Span<byte> found = stackalloc byte[Magic.Length];
        return offset > 0 && RandomAccess.Read(file.SafeFileHandle, found, offset) == found.Length && found.SequenceEqual(Magic);
    }
}
