// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Lakectl.Files;

/// <summary>What .NET's own files cannot do: names that are any bytes, where holes are, numbers of files.</summary>
internal static unsafe partial class LibC
{
    internal const int SeekEnd = 2;
    internal const int SeekData = 3;
    internal const int SeekHole = 4;

    internal const short PollIn = 1;

    internal const int GetDescriptorFlags = 1; // F_GETFD
    internal const int CloseOnExec = 1;

    internal const int ErrorNotFound = 2;
    internal const int ErrorInterrupted = 4;
    internal const int ErrorNoSuchDevice = 6; // SEEK_DATA: nothing but a hole up to the end
    internal const int ErrorAccess = 13;
    internal const int ErrorIsDirectory = 21;
    internal const int ErrorIsNoFile = 29; // ESPIPE

    internal const int CurrentDirectory = -100; // AT_FDCWD
    internal const uint BasicStatus = 0x7ff; // STATX_BASIC_STATS

    private const string Library = "libc";
    private const int OpenReadOnlyCloseOnExec = 0x80000;

    internal static int OpenForReading(byte[] path)
    {
        fixed (byte* name = path)
        {
            return Open(name, OpenReadOnlyCloseOnExec, 0);
        }
    }

    [LibraryImport(Library, EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int fd);

    [LibraryImport(Library, EntryPoint = "read", SetLastError = true)]
    internal static partial nint Read(int fd, byte* buffer, nint count);

    [LibraryImport(Library, EntryPoint = "pread", SetLastError = true)]
    internal static partial nint PRead(int fd, byte* buffer, nint count, long offset);

    [LibraryImport(Library, EntryPoint = "lseek", SetLastError = true)]
    internal static partial long LSeek(int fd, long offset, int whence);

    [LibraryImport(Library, EntryPoint = "fcntl", SetLastError = true)]
    internal static partial int FCntl(int fd, int command);

    [LibraryImport(Library, EntryPoint = "poll", SetLastError = true)]
    internal static partial int Poll(PollEntry* entries, nuint count, int milliseconds);

    [LibraryImport(Library, EntryPoint = "statx", SetLastError = true)]
    internal static partial int Statx(int directory, byte* path, int flags, uint mask, byte* status);

    [LibraryImport(Library, EntryPoint = "open", SetLastError = true)]
    private static partial int Open(byte* path, int flags, uint mode);

    [StructLayout(LayoutKind.Sequential)]
    internal struct PollEntry
    {
        internal int Descriptor;
        internal short Wanted;
        internal short Got;
    }
}
