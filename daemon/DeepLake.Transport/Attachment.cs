// SPDX-License-Identifier: MPL-2.0
using System.Text;
using DeepLake.Abi;
using DeepLake.Platform;

namespace DeepLake.Transport;

/// <summary>
/// One open /dev/lakefs that is the daemon of one device. Closing it (also by dying) puts the device
/// back on the wanted list; the mount waits for a successor. One thread.
/// </summary>
public sealed unsafe class Attachment : IDisposable
{
    private const int MaxDeclared = 1 << 22;
    private const int MaxCommitBytes = 1 << 20;

    private int _fd;
    private byte* _readOnly;
    private byte* _readWrite;
    private RingMemory? _memory;

    private Attachment(int fd, in AttachArgs info)
    {
        _fd = fd;
        Info = info;
    }

    /// <summary>What the kernel answered to ATTACH.</summary>
    public AttachArgs Info { get; }

    /// <summary>For poll: readable when there is work, hung up when the mount is gone, in error when broken off.</summary>
    public int FileDescriptor => _fd;

    /// <summary>The rings; there after <see cref="MapRings"/>.</summary>
    public RingMemory Memory => _memory ?? throw new InvalidOperationException("the rings are not mapped");

    /// <summary>
    /// Becomes the daemon of a device. EBUSY: it has one; ENODEV: it is not mounted; EPROTO: other ABI
    /// version (the kernel's is in <paramref name="kernelAbiVersion"/>).
    /// </summary>
    public static Errno Attach(string path, uint major, uint minor, out Attachment? attachment, out uint kernelAbiVersion)
    {
        attachment = null;
        kernelAbiVersion = 0;
        Errno error = Linux.Open(path, OpenFlags.ReadWrite, out int fd);
        if (error != Errno.None)
        {
            return error;
        }
        var args = new AttachArgs
        {
            AbiVersion = LakeRing.AbiVersion,
            DevMajor = major,
            DevMinor = minor,
            Features = LakeRing.FeaturesKnown,
        };
        error = Linux.IoCtl(fd, LakeIoctl.Attach, &args, out _);
        kernelAbiVersion = args.AbiVersion;
        if (error == Errno.None && (args.AbiVersion != LakeRing.AbiVersion || (args.Features & ~LakeRing.FeaturesKnown) != 0))
        {
            error = Errno.EPROTO;
        }
        if (error != Errno.None)
        {
            Linux.Close(fd);
            return error;
        }
        attachment = new Attachment(fd, args);
        return Errno.None;
    }

    public Errno MapRings()
    {
        Errno error = Linux.Map(LakeRing.ReadOnlyBytes, MapProtection.Read, MapFlags.Shared, _fd, (long)LakeRing.MmapReadOnly, out _readOnly);
        if (error == Errno.None)
        {
            error = Linux.Map(
                LakeRing.ReadWriteBytes,
                MapProtection.Read | MapProtection.Write,
                MapFlags.Shared,
                _fd,
                (long)LakeRing.MmapReadWrite,
                out _readWrite);
        }
        if (error != Errno.None)
        {
            return error;
        }
        _memory = new RingMemory(_readOnly, _readWrite);
        var words = new SharedWords(_memory);
        return words.HasValidMagic && words.AbiVersion == LakeRing.AbiVersion ? Errno.None : Errno.EPROTO;
    }

    /// <summary>What the mount holds: leased blocks and inode numbers, live orphans.</summary>
    /// <param name="durableSeq">Of the recovered state; maps up to it are not declared.</param>
    /// <param name="ranges">The answer.</param>
    public Errno Declare(ulong durableSeq, out DeclaredRange[] ranges)
    {
        ulong room = 256;
        while (true)
        {
            ranges = new DeclaredRange[room];
            fixed (DeclaredRange* p = ranges)
            {
                var args = new DeclareArgs { Addr = (ulong)p, Max = room, DurableSeq = durableSeq };
                Errno error = Linux.IoCtl(_fd, LakeIoctl.Declare, &args, out _);
                if (error != Errno.None || args.Count <= room)
                {
                    Array.Resize(ref ranges, error == Errno.None ? (int)args.Count : 0);
                    return error;
                }
                if (args.Count > MaxDeclared)
                {
                    return Errno.E2BIG;
                }
                room = args.Count + (args.Count / 4);
            }
        }
    }

    /// <summary>Recovered: the kernel starts the rings. ESTALE: state was lost, and the mount is shut down.</summary>
    public Errno Ready(ulong epoch, ulong durableSeq)
    {
        var args = new ReadyArgs { Epoch = epoch, DurableSeq = durableSeq };
        return Linux.IoCtl(_fd, LakeIoctl.Ready, &args, out _);
    }

    /// <summary>
    /// One write with PREFLUSH and FUA into the superblock, ticket or WAL regions; then every intent up
    /// to <paramref name="durableSeq"/> is durable.
    /// </summary>
    public Errno Commit(ReadOnlySpan<byte> bytes, long offset, ulong durableSeq)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, MaxCommitBytes);
        fixed (byte* p = bytes)
        {
            var args = new CommitArgs { Addr = (ulong)p, Offset = (ulong)offset, DurableSeq = durableSeq, Len = (uint)bytes.Length };
            return Linux.IoCtl(_fd, LakeIoctl.Commit, &args, out _);
        }
    }

    /// <summary>
    /// SEAL, CHECKED or UNSEAL. May wait for requests and commits, so it is not for the thread that answers
    /// them: with SHARE and REMAP the only call for another thread, which has to be over before the attachment is disposed.
    /// </summary>
    public Errno Seal(uint call, ref SealArgs args)
    {
        fixed (SealArgs* p = &args)
        {
            return Linux.IoCtl(_fd, call, p, out _);
        }
    }

    /// <summary>SHARE, as <see cref="Seal"/>.</summary>
    public Errno Share(ref ShareArgs args)
    {
        fixed (ShareArgs* p = &args)
        {
            return Linux.IoCtl(_fd, LakeIoctl.Share, p, out _);
        }
    }

    /// <summary>REMAP, as <see cref="Seal"/>.</summary>
    public Errno Remap(ref RemapArgs args)
    {
        fixed (RemapArgs* p = &args)
        {
            return Linux.IoCtl(_fd, LakeIoctl.Remap, p, out _);
        }
    }

    /// <summary>Asks the kernel to look at the daemon page.</summary>
    public Errno Kick() => Linux.IoCtl(_fd, LakeIoctl.Kick, null, out _);

    /// <summary>The daemon cannot go on with this lake: shuts the mount down.</summary>
    public Errno Fail(Errno error, string reason)
    {
        var args = new FailArgs { Error = -(int)error };
        Span<byte> text = args.Reason;
        Encoding.UTF8.GetEncoder().Convert(reason, text[..^1], flush: true, out _, out _, out _);
        return Linux.IoCtl(_fd, LakeIoctl.Fail, &args, out _);
    }

    /// <summary>Orderly: the mount stays and waits for a successor.</summary>
    public Errno Detach() => Linux.IoCtl(_fd, LakeIoctl.Detach, null, out _);

    public void Dispose()
    {
        if (_readOnly != null)
        {
            Linux.Unmap(_readOnly, LakeRing.ReadOnlyBytes);
            _readOnly = null;
        }
        if (_readWrite != null)
        {
            Linux.Unmap(_readWrite, LakeRing.ReadWriteBytes);
            _readWrite = null;
        }
        _memory = null;
        if (_fd >= 0)
        {
            Linux.Close(_fd);
            _fd = -1;
        }
    }
}
