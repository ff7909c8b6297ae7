// SPDX-License-Identifier: MPL-2.0
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using DeepLake.Abi;

namespace DeepLake.Transport;

/// <summary>
/// The few messages of generic netlink that are needed to hear the kernel's events: asking for a family's
/// numbers, its answer, an event. Bytes of the kernel's are looked at within their bounds all the same.
/// </summary>
internal static class NetlinkMessages
{
    private const int HeaderBytes = 16; // struct nlmsghdr
    private const int FamilyHeaderBytes = 4; // struct genlmsghdr
    private const int AttributeBytes = 4; // struct nlattr
    private const ushort TypeMask = 0x3fff; // without NLA_F_NESTED and NLA_F_NET_BYTEORDER
    private const ushort Controller = 0x10;
    private const ushort FlagRequest = 1;
    private const byte GetFamilyCommand = 3;
    private const ushort FamilyId = 1;
    private const ushort FamilyName = 2;
    private const ushort Groups = 7;
    private const ushort GroupName = 1;
    private const ushort GroupId = 2;

    /// <summary>Asks for the numbers of a family.</summary>
    public static byte[] GetFamily(string family)
    {
        byte[] name = Encoding.ASCII.GetBytes(family + '\0');
        byte[] message = new byte[HeaderBytes + FamilyHeaderBytes + AttributeBytes + Padded(name.Length)];
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(4), Controller);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(6), FlagRequest);
        message[HeaderBytes] = GetFamilyCommand;
        message[HeaderBytes + 1] = 1;
        Span<byte> attribute = message.AsSpan(HeaderBytes + FamilyHeaderBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(attribute, (ushort)(AttributeBytes + name.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(attribute[2..], FamilyName);
        name.CopyTo(attribute[AttributeBytes..]);
        return message;
    }

    /// <summary>The number of a family and of one of its groups; false when the answer does not have them.</summary>
    public static bool TryReadFamily(ReadOnlySpan<byte> message, string group, out ushort family, out uint groupId)
    {
        (family, groupId) = (0, 0);
        if (!TryOpen(ref message, out ushort type, out _) || type != Controller)
        {
            return false;
        }

        while (TryNext(ref message, out ushort kind, out ReadOnlySpan<byte> value))
        {
            if (kind == FamilyId && value.Length >= sizeof(ushort))
            {
                family = BinaryPrimitives.ReadUInt16LittleEndian(value);
            }
            else if (kind == Groups)
            {
                while (TryNext(ref value, out _, out ReadOnlySpan<byte> one))
                {
                    groupId = TryReadGroup(one, group) ?? groupId;
                }
            }
        }

        return family != 0 && groupId != 0;
    }

    /// <summary>False when it is something else.</summary>
    public static bool TryReadEvent(ReadOnlySpan<byte> message, ushort family, out LakeEvent found)
    {
        found = default;
        if (!TryOpen(ref message, out ushort type, out byte command) || type != family)
        {
            return false;
        }

        uint major = 0, minor = 0;
        ulong block = 0;
        bool hasDevice = false;
        while (TryNext(ref message, out ushort kind, out ReadOnlySpan<byte> value))
        {
            if (kind == (ushort)NetlinkAttribute.Dev)
            {
                string[] parts = Text(value).Split(':');
                hasDevice = parts.Length == 2 && uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out major)
                    && uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out minor);
            }
            else if (kind == (ushort)NetlinkAttribute.Block && value.Length >= sizeof(ulong))
            {
                block = BinaryPrimitives.ReadUInt64LittleEndian(value);
            }
        }

        found = new LakeEvent((NetlinkEvent)command, major, minor, block);
        return hasDevice;
    }

    private static uint? TryReadGroup(ReadOnlySpan<byte> group, string wanted)
    {
        uint? id = null;
        string name = "";
        while (TryNext(ref group, out ushort kind, out ReadOnlySpan<byte> value))
        {
            if (kind == GroupName)
            {
                name = Text(value);
            }
            else if (kind == GroupId && value.Length >= sizeof(uint))
            {
                id = BinaryPrimitives.ReadUInt32LittleEndian(value);
            }
        }

        return name == wanted ? id : null;
    }

    // Takes the headers off; what is left are the attributes.
    private static bool TryOpen(ref ReadOnlySpan<byte> message, out ushort type, out byte command)
    {
        (type, command) = (0, 0);
        if (message.Length < HeaderBytes + FamilyHeaderBytes)
        {
            return false;
        }

        uint length = BinaryPrimitives.ReadUInt32LittleEndian(message);
        if (length < HeaderBytes + FamilyHeaderBytes || length > (uint)message.Length)
        {
            return false;
        }

        type = BinaryPrimitives.ReadUInt16LittleEndian(message[4..]);
        command = message[HeaderBytes];
        message = message[(HeaderBytes + FamilyHeaderBytes)..(int)length];
        return true;
    }

    private static bool TryNext(ref ReadOnlySpan<byte> attributes, out ushort kind, out ReadOnlySpan<byte> value)
    {
        kind = 0;
        value = default;
        if (attributes.Length < AttributeBytes)
        {
            return false;
        }

        int length = BinaryPrimitives.ReadUInt16LittleEndian(attributes);
        if (length < AttributeBytes || length > attributes.Length)
        {
            return false;
        }

        kind = (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(attributes[2..]) & TypeMask);
        value = attributes[AttributeBytes..length];
        attributes = attributes[Math.Min(Padded(length), attributes.Length)..];
        return true;
    }

    private static string Text(ReadOnlySpan<byte> value)
    {
        int end = value.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end < 0 ? value : value[..end]);
    }

    private static int Padded(int bytes) => (bytes + 3) & ~3;
}
