// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Platform;

namespace DeepLake.Transport;

/// <summary>Hears what the kernel tells of all mounts; what is lost on the way stays lost. One thread.</summary>
public sealed class EventListener : IDisposable
{
    private const int MessageBytes = 16384;

    private readonly NetlinkSocket _socket;
    private readonly ushort _family;
    private readonly byte[] _buffer = new byte[MessageBytes];

    private EventListener(NetlinkSocket socket, ushort family)
    {
        _socket = socket;
        _family = family;
    }

    /// <summary>ENOENT: the module is not loaded.</summary>
    public static Errno Open(out EventListener? listener)
    {
        listener = null;
        Errno error = NetlinkSocket.Open(out NetlinkSocket? socket);
        if (error != Errno.None)
        {
            return error;
        }

        byte[] answer = new byte[MessageBytes];
        int bytes = 0;
        error = socket!.Send(NetlinkMessages.GetFamily(LakeNetlink.Family));
        if (error == Errno.None)
        {
            error = socket.Receive(answer, out bytes);
        }

        ushort family = 0;
        uint group = 0;
        if (error == Errno.None && !NetlinkMessages.TryReadFamily(answer.AsSpan(0, bytes), LakeNetlink.Group, out family, out group))
        {
            error = Errno.ENOENT;
        }

        error = error == Errno.None ? socket.Join(group) : error;
        if (error != Errno.None)
        {
            socket.Dispose();
            return error;
        }

        listener = new EventListener(socket, family);
        return Errno.None;
    }

    /// <summary>Waits for the next event. False in <paramref name="isEvent"/>: something came that is none, or some were lost.</summary>
    public Errno Next(out LakeEvent found, out bool isEvent)
    {
        (found, isEvent) = (default, false);
        Errno error = _socket.Receive(_buffer, out int bytes);
        if (error == Errno.ENOBUFS)
        {
            return Errno.None;
        }

        isEvent = error == Errno.None && NetlinkMessages.TryReadEvent(_buffer.AsSpan(0, bytes), _family, out found);
        return error;
    }

    public void Dispose() => _socket.Dispose();
}
