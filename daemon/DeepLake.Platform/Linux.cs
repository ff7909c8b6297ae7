// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Platform;

/// <summary>
/// Thin, typed system calls. Each returns <see cref="Errno.None"/> or the error; calls that may be
/// interrupted are repeated here, so that no caller has to know about EINTR.
/// </summary>
public static unsafe class Linux
{
    private const nuint BlkGetSize64 = 0x80081272;
    private const nuint BlkSszGet = 0x1268;
    private const nuint BlkRoGet = 0x125e;
    private const int SeekEnd = 2;
    private const int OfdGetLock = 36; // F_OFD_GETLK
    private const int EventFdFlags = 0x80800; // EFD_CLOEXEC | EFD_NONBLOCK
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;
    private const int ScPageSize = 30;
    private const int ScPhysPages = 85;

    internal static bool LastWasInterrupted => LastError() == Errno.EINTR;

    internal static Errno LastFailure => LastError();

    private static Errno LastError() => (Errno)Marshal.GetLastPInvokeError();

    private static Errno Check(long result) => result < 0 ? LastError() : Errno.None;

    public static Errno Open(string path, OpenFlags flags, out int fd, uint mode = 0x180)
    {
        do
        {
            fd = LibC.Open(path, (int)(flags | OpenFlags.CloseOnExec), mode);
        }
        while (fd < 0 && LastError() == Errno.EINTR);
        return Check(fd);
    }

    /// <summary>Bytes that nobody can guess, 256 at most. .NET's own wants OpenSSL, which no initramfs has.</summary>
    public static byte[] RandomBytes(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, 256);
        byte[] bytes = new byte[count];
        fixed (byte* target = bytes)
        {
            if (LibC.GetRandom(target, (nuint)count, 0) != count)
            {
                throw new InvalidOperationException("the kernel gives no random bytes");
            }
        }

        return bytes;
    }

    public static Errno Close(int fd) => Check(LibC.Close(fd));

    /// <summary>One <c>read(2)</c>; <paramref name="count"/> is 0 at the end of the file.</summary>
    public static Errno Read(int fd, Span<byte> buffer, out int count)
    {
        nint done;
        fixed (byte* p = buffer)
        {
            do
            {
                done = LibC.Read(fd, p, buffer.Length);
            }
            while (done < 0 && LastError() == Errno.EINTR);
        }
        count = (int)Math.Max(done, 0);
        return Check(done);
    }

    /// <summary>One <c>write(2)</c>; it may write less than asked.</summary>
    public static Errno Write(int fd, ReadOnlySpan<byte> buffer, out int count)
    {
        nint done;
        fixed (byte* p = buffer)
        {
            do
            {
                done = LibC.Write(fd, p, buffer.Length);
            }
            while (done < 0 && LastError() == Errno.EINTR);
        }
        count = (int)Math.Max(done, 0);
        return Check(done);
    }

    /// <summary>Reads the whole span; an early end of file is <see cref="Errno.EIO"/>.</summary>
    public static Errno ReadFullyAt(int fd, Span<byte> buffer, long offset)
    {
        fixed (byte* start = buffer)
        {
            byte* p = start;
            nint left = buffer.Length;
            while (left > 0)
            {
                nint done = LibC.PRead(fd, p, left, offset);
                if (done < 0 && LastError() == Errno.EINTR)
                {
                    continue;
                }
                if (done <= 0)
                {
                    return done < 0 ? LastError() : Errno.EIO;
                }
                p += done;
                offset += done;
                left -= done;
            }
        }
        return Errno.None;
    }

    /// <summary>Writes the whole span; no progress is <see cref="Errno.EIO"/>.</summary>
    public static Errno WriteFullyAt(int fd, ReadOnlySpan<byte> buffer, long offset)
    {
        fixed (byte* start = buffer)
        {
            byte* p = start;
            nint left = buffer.Length;
            while (left > 0)
            {
                nint done = LibC.PWrite(fd, p, left, offset);
                if (done < 0 && LastError() == Errno.EINTR)
                {
                    continue;
                }
                if (done <= 0)
                {
                    return done < 0 ? LastError() : Errno.EIO;
                }
                p += done;
                offset += done;
                left -= done;
            }
        }
        return Errno.None;
    }

    public static Errno DataSync(int fd)
    {
        int result;
        do
        {
            result = LibC.FDataSync(fd);
        }
        while (result < 0 && LastError() == Errno.EINTR);
        return Check(result);
    }

    public static Errno Sync(int fd) => Check(LibC.FSync(fd));

    public static Errno Truncate(int fd, long length) => Check(LibC.FTruncate(fd, length));

    public static Errno Allocate(int fd, AllocateMode mode, long offset, long length) =>
        Check(LibC.FAllocate(fd, (int)mode, offset, length));

    /// <summary>Size of a regular file or block device in bytes.</summary>
    public static Errno SizeBytes(int fd, out long bytes)
    {
        bytes = 0;
        ulong deviceBytes = 0;
        if (LibC.IoCtl(fd, BlkGetSize64, &deviceBytes) == 0)
        {
            bytes = (long)deviceBytes;
            return Errno.None;
        }
        long end = LibC.LSeek(fd, 0, SeekEnd);
        bytes = Math.Max(end, 0);
        return Check(end);
    }

    /// <summary>Whether a block device takes no writes; the kernel lets it be opened for writing all the same.</summary>
    public static bool IsReadOnlyDevice(int fd)
    {
        int value = 0;
        return LibC.IoCtl(fd, BlkRoGet, &value) == 0 && value != 0;
    }

    /// <summary>Logical sector size of a block device; ENOTTY for anything else.</summary>
    public static Errno LogicalSectorBytes(int fd, out int bytes)
    {
        int value = 0;
        Errno error = Check(LibC.IoCtl(fd, BlkSszGet, &value));
        bytes = value;
        return error;
    }

    /// <summary>An <c>ioctl(2)</c> whose argument is a pointer (or an integer cast to one).</summary>
    public static Errno IoCtl(int fd, nuint request, void* argument, out int result)
    {
        do
        {
            result = LibC.IoCtl(fd, request, argument);
        }
        while (result < 0 && LastError() == Errno.EINTR);
        return Check(result);
    }

    public static Errno Map(nuint length, MapProtection protection, MapFlags flags, int fd, long offset, out byte* address)
    {
        void* result = LibC.MMap(null, length, (int)protection, (int)flags, fd, offset);
        if ((nint)result == -1)
        {
            address = null;
            return LastError();
        }
        address = (byte*)result;
        return Errno.None;
    }

    public static Errno Unmap(byte* address, nuint length) => Check(LibC.MUnmap(address, length));

    public static Errno Lock(int fd, LockOperation operation)
    {
        int result;
        do
        {
            result = LibC.FLock(fd, (int)operation);
        }
        while (result < 0 && LastError() == Errno.EINTR);
        return Check(result);
    }

    /// <summary>Whether another open file holds a lock on a range (a virtual machine locks its disks so).</summary>
    /// <param name="fd">Of the file.</param>
    /// <param name="writersOnly">Locks that several may hold together do not count.</param>
    /// <param name="start">The first byte.</param>
    /// <param name="length">Of the range; 0 reaches to the end of all files.</param>
    /// <param name="isLocked">Says nothing after an error.</param>
    public static Errno FindRangeLock(int fd, bool writersOnly, long start, long length, out bool isLocked)
    {
        var wanted = new RangeLock { Type = writersOnly ? RangeLockType.Read : RangeLockType.Write, Start = start, Length = length };
        Errno error = Check(LibC.FCntl(fd, OfdGetLock, &wanted));
        isLocked = error == Errno.None && wanted.Type != RangeLockType.None;
        return error;
    }

    /// <summary>Waits for events; an interrupted wait returns no event rather than an error.</summary>
    public static Errno Poll(Span<PollDescriptor> descriptors, int timeoutMs, out int ready)
    {
        fixed (PollDescriptor* p = descriptors)
        {
            ready = LibC.Poll(p, (nuint)descriptors.Length, timeoutMs);
        }
        if (ready >= 0)
        {
            return Errno.None;
        }
        ready = 0;
        Errno error = LastError();
        return error == Errno.EINTR ? Errno.None : error;
    }

    /// <summary>A non-blocking event counter that wakes a <see cref="Poll"/>.</summary>
    public static Errno EventFd(out int fd)
    {
        fd = LibC.EventFd(0, EventFdFlags);
        return Check(fd);
    }

    public static Errno LockAllMemory(LockAllFlags flags) => Check(LibC.MLockAll((int)flags));

    /// <summary>Memory of the machine, whatever this process is limited to.</summary>
    public static long PhysicalMemoryBytes() => (long)LibC.SysConf(ScPhysPages) * LibC.SysConf(ScPageSize);

    public static Errno GetPeerCredentials(int socket, out PeerCredentials credentials)
    {
        PeerCredentials value = default;
        uint length = (uint)sizeof(PeerCredentials);
        Errno error = Check(LibC.GetSockOpt(socket, SolSocket, SoPeerCred, &value, &length));
        credentials = value;
        return error;
    }

    public static Errno ProcessControl(int option, nuint a2 = 0, nuint a3 = 0, nuint a4 = 0, nuint a5 = 0) =>
        Check(LibC.PrCtl(option, a2, a3, a4, a5));

    /// <summary>"Input/output error (EIO)": for messages only.</summary>
    public static string Describe(Errno error)
    {
        string text = Marshal.PtrToStringUTF8((nint)LibC.StrError((int)error)) ?? "unknown error";
        return $"{text} ({error})";
    }
}
