// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using System.Text;

namespace DeepLake.Platform;

/// <summary>
/// Calls for walking another file system. Names are NUL-terminated bytes, relative to an open directory,
/// so that neither their encoding nor the length of a path matters. No call follows a symbolic link.
/// </summary>
public static unsafe class LinuxFiles
{
    /// <summary>As the directory of a name: the name is a path of its own.</summary>
    public const int CurrentDirectory = -100;

    private const int SymlinkNoFollow = 0x100;
    private const int EmptyPath = 0x1000;
    private const int NoAutomount = 0x800;
    private const uint BasicAndBirth = 0xfff;
    private const int SeekDataWhence = 3;
    private const int SeekHoleWhence = 4;

    /// <summary>The bytes of a string as a name.</summary>
    public static byte[] Name(string text) => [.. Encoding.UTF8.GetBytes(text), 0];

    public static Errno Status(int directory, ReadOnlySpan<byte> name, out FileStatus status) =>
        Stat(directory, name, SymlinkNoFollow | NoAutomount, out status);

    public static Errno Status(int fd, out FileStatus status) => Stat(fd, "\0"u8, EmptyPath, out status);

    public static Errno OpenAt(int directory, ReadOnlySpan<byte> name, OpenFlags flags, out int fd)
    {
        fixed (byte* p = name)
        {
            do
            {
                fd = LibC.OpenAt(directory, p, (int)(flags | OpenFlags.CloseOnExec | OpenFlags.NoFollow), 0);
            }
            while (fd < 0 && LastError() == Errno.EINTR);
        }
        return fd < 0 ? LastError() : Errno.None;
    }

    /// <summary>Target of a symbolic link.</summary>
    public static Errno ReadLink(int directory, ReadOnlySpan<byte> name, Span<byte> target, out int length)
    {
        nint got;
        fixed (byte* n = name)
        {
            fixed (byte* t = target)
            {
                got = LibC.ReadLinkAt(directory, n, t, target.Length);
            }
        }
        length = (int)Math.Max(got, 0);
        return got < 0 ? LastError() : Errno.None;
    }

    /// <summary>A buffer of <c>struct linux_dirent64</c>; no bytes at the end.</summary>
    public static Errno ReadDirectory(int directory, Span<byte> buffer, out int length)
    {
        nint got;
        fixed (byte* p = buffer)
        {
            got = LibC.GetDents64(directory, p, buffer.Length);
        }
        length = (int)Math.Max(got, 0);
        return got < 0 ? LastError() : Errno.None;
    }

    /// <summary>Names of extended attributes, each with its NUL; ERANGE when the buffer is too small.</summary>
    public static Errno ListXattrs(ReadOnlySpan<byte> path, Span<byte> list, out int length)
    {
        nint got;
        fixed (byte* p = path)
        {
            fixed (byte* l = list)
            {
                got = LibC.LListXattr(p, l, list.Length);
            }
        }
        length = (int)Math.Max(got, 0);
        return got < 0 ? LastError() : Errno.None;
    }

    public static Errno GetXattr(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name, Span<byte> value, out int length)
    {
        nint got;
        fixed (byte* p = path)
        {
            fixed (byte* n = name)
            {
                fixed (byte* v = value)
                {
                    got = LibC.LGetXattr(p, n, v, value.Length);
                }
            }
        }
        length = (int)Math.Max(got, 0);
        return got < 0 ? LastError() : Errno.None;
    }

    /// <summary>Start of the next data at or after an offset; ENXIO when there is none.</summary>
    public static Errno SeekData(int fd, long from, out long at) => Seek(fd, from, SeekDataWhence, out at);

    /// <summary>Start of the next hole at or after an offset; the end of the file counts as one.</summary>
    public static Errno SeekHole(int fd, long from, out long at) => Seek(fd, from, SeekHoleWhence, out at);

    /// <summary>Where the next read begins.</summary>
    public static Errno SeekTo(int fd, long offset) => Seek(fd, offset, 0, out _);

    private static Errno Seek(int fd, long from, int whence, out long at)
    {
        at = LibC.LSeek(fd, from, whence);
        return at < 0 ? LastError() : Errno.None;
    }

    private static Errno Stat(int directory, ReadOnlySpan<byte> name, int flags, out FileStatus status)
    {
        StatXBuffer buffer = default;
        int result;
        fixed (byte* p = name)
        {
            result = LibC.StatX(directory, p, flags, BasicAndBirth, &buffer);
        }
        status = new FileStatus(buffer);
        return result < 0 ? LastError() : Errno.None;
    }

    private static Errno LastError() => (Errno)Marshal.GetLastPInvokeError();
}
