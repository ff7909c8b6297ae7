// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Platform;

namespace DeepLake.Transport;

/// <summary>/dev/lakefs, not attached: the list of mounted devices that have no daemon.</summary>
public sealed unsafe class ControlFile : IDisposable
{
    public const string DefaultPath = "/dev/lakefs";

    private int _fd;

    private ControlFile(int fd) => _fd = fd;

    /// <summary>For poll: readable when the list grew.</summary>
    public int FileDescriptor => _fd;

    public static Errno Open(string path, out ControlFile? file)
    {
        Errno error = Linux.Open(path, OpenFlags.ReadWrite, out int fd);
        file = error == Errno.None ? new ControlFile(fd) : null;
        return error;
    }

    /// <summary>The first wanted device with an id above <paramref name="afterId"/>; ENOENT at the end.</summary>
    public Errno NextWanted(ulong afterId, out WantedArgs wanted)
    {
        wanted = new WantedArgs { Id = afterId };
        fixed (WantedArgs* p = &wanted)
        {
            return Linux.IoCtl(_fd, LakeIoctl.NextWanted, p, out _);
        }
    }

    public void Dispose()
    {
        if (_fd >= 0)
        {
            Linux.Close(_fd);
            _fd = -1;
        }
    }
}
