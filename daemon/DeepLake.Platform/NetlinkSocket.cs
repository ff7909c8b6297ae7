// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Platform;

/// <summary>A socket of generic netlink. One thread.</summary>
public sealed unsafe class NetlinkSocket : IDisposable
{
    private const int AfNetlink = 16;
    private const int SockRaw = 3;
    private const int SockCloseOnExec = 0x80000;
    private const int NetlinkGeneric = 16;
    private const int SolNetlink = 270;
    private const int AddMembership = 1;
    private const int AddressBytes = 12; // struct sockaddr_nl

    private int _fd;

    private NetlinkSocket(int fd) => _fd = fd;

    public static Errno Open(out NetlinkSocket? socket)
    {
        socket = null;
        int fd = LibC.Socket(AfNetlink, SockRaw | SockCloseOnExec, NetlinkGeneric);
        if (fd < 0)
        {
            return Linux.LastFailure;
        }

        byte* address = stackalloc byte[AddressBytes];
        new Span<byte>(address, AddressBytes).Clear();
        *(ushort*)address = AfNetlink; // the kernel chooses the port
        if (LibC.Bind(fd, address, AddressBytes) < 0)
        {
            Errno error = Linux.LastFailure;
            Linux.Close(fd);
            return error;
        }

        socket = new NetlinkSocket(fd);
        return Errno.None;
    }

    /// <summary>Has the messages of a group come here from now on.</summary>
    public Errno Join(uint group) =>
        LibC.SetSockOpt(_fd, SolNetlink, AddMembership, &group, sizeof(uint)) < 0 ? Linux.LastFailure : Errno.None;

    public Errno Send(ReadOnlySpan<byte> message) => Linux.Write(_fd, message, out _);

    /// <summary>Waits for one datagram. ENOBUFS: some were lost, and the next ones come.</summary>
    public Errno Receive(Span<byte> buffer, out int count) => Linux.Read(_fd, buffer, out count);

    public void Dispose()
    {
        if (_fd >= 0)
        {
            Linux.Close(_fd);
            _fd = -1;
        }
    }
}
