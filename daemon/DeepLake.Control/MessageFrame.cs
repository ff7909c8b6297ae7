// SPDX-License-Identifier: MPL-2.0
using System.Buffers.Binary;
using Google.Protobuf;

namespace DeepLake.Control;

/// <summary>Messages on a byte stream: a 32-bit little-endian length, then the message.</summary>
public static class MessageFrame
{
    private const int PrefixBytes = 4;

    public static void Write(Stream stream, IMessage message)
    {
        int length = message.CalculateSize();
        var frame = new byte[PrefixBytes + length];
        BinaryPrimitives.WriteInt32LittleEndian(frame, length);
        message.WriteTo(frame.AsSpan(PrefixBytes));
        stream.Write(frame);
        stream.Flush();
    }

    /// <summary>The next message, or null when the stream ends before one begins.</summary>
    /// <exception cref="InvalidDataException">The length is out of range, or the bytes are no such message.</exception>
    /// <exception cref="EndOfStreamException">The stream ended inside a message.</exception>
    public static T? Read<T>(Stream stream, MessageParser<T> parser, int maxBytes)
        where T : class, IMessage<T>
    {
        Span<byte> prefix = stackalloc byte[PrefixBytes];
        int got = stream.ReadAtLeast(prefix, PrefixBytes, throwOnEndOfStream: false);
        if (got == 0)
        {
            return null;
        }
        if (got < PrefixBytes)
        {
            throw new EndOfStreamException("the stream ended inside a message");
        }
        int length = BinaryPrimitives.ReadInt32LittleEndian(prefix);
        if (length < 0 || length > maxBytes)
        {
            throw new InvalidDataException($"a message of {(uint)length} bytes is more than the {maxBytes} allowed");
        }
        var bytes = new byte[length];
        stream.ReadExactly(bytes);
        try
        {
            return parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new InvalidDataException("the message is malformed", e);
        }
    }
}
