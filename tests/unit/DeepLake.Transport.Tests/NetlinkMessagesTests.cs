// SPDX-License-Identifier: MPL-2.0
using System.Text;
using DeepLake.Abi;
using NUnit.Framework;

namespace DeepLake.Transport.Tests;

/// <summary>Messages of generic netlink, made here byte by byte as the kernel's headers have them.</summary>
[TestFixture]
public sealed class NetlinkMessagesTests
{
    private const ushort Family = 0x1d;

    [Test]
    public void AnEvent_IsRead()
    {
        byte[] message = Message(Family, 7, Event("253:12", 81_234));
        Assert.That(NetlinkMessages.TryReadEvent(message, Family, out LakeEvent found), Is.True);
        Assert.That(found, Is.EqualTo(new LakeEvent(NetlinkEvent.Damaged, 253, 12, 81_234)));
    }

    [Test]
    public void AnEventWithoutABlock_IsRead_AndOneWithoutADeviceIsNone()
    {
        Assert.That(NetlinkMessages.TryReadEvent(Message(Family, 1, Attribute(1, "8:0\0"u8)), Family, out LakeEvent found), Is.True);
        Assert.That(found, Is.EqualTo(new LakeEvent(NetlinkEvent.Mounted, 8, 0, 0)));
        Assert.That(NetlinkMessages.TryReadEvent(Message(Family, 7, Attribute(5, BitConverter.GetBytes(1ul))), Family, out _), Is.False);
        Assert.That(NetlinkMessages.TryReadEvent(Message(Family, 7, Attribute(1, "8\0"u8)), Family, out _), Is.False);
        Assert.That(NetlinkMessages.TryReadEvent(Message(0x1e, 7, Event("8:0", 1)), Family, out _), Is.False, "another family");
    }

    [Test]
    public void AFamily_IsFoundWithItsGroup()
    {
        byte[] group = [.. Attribute(1, "events\0"u8), .. Attribute(2, BitConverter.GetBytes(9u))];
        byte[] other = [.. Attribute(2, BitConverter.GetBytes(4u)), .. Attribute(1, "others\0"u8)];
        byte[] answer = Message(0x10, 1, [.. Attribute(2, "lakefs\0"u8), .. Attribute(1, BitConverter.GetBytes(Family)), .. Attribute(0x8007, [.. Attribute(1, other), .. Attribute(2, group)])]);
        Assert.That(NetlinkMessages.TryReadFamily(answer, LakeNetlink.Group, out ushort family, out uint id), Is.True);
        Assert.That((family, id), Is.EqualTo((Family, 9u)));
        Assert.That(NetlinkMessages.TryReadFamily(answer, "nothing", out _, out _), Is.False);
    }

    [Test]
    public void TheQuestion_NamesTheFamily()
    {
        byte[] question = NetlinkMessages.GetFamily("lakefs");
        Assert.That(question, Is.EqualTo(Message(0x10, 3, Attribute(2, "lakefs\0"u8), flags: 1)));
    }

    /// <summary>Cut anywhere, and with any byte changed: whatever it says, nothing is read outside.</summary>
    [Test]
    public void ABrokenMessage_IsReadWithinItsBounds()
    {
        byte[] message = Message(Family, 7, Event("253:12", 81_234));
        for (int cut = 0; cut < message.Length; cut++)
        {
            Assert.That(NetlinkMessages.TryReadEvent(message.AsSpan(0, cut), Family, out _), Is.False);
        }

        var random = new Random(4);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] broken = [.. message];
            broken[random.Next(broken.Length)] = (byte)random.Next(256);
            broken[random.Next(broken.Length)] = (byte)random.Next(256);
            NetlinkMessages.TryReadEvent(broken, Family, out _);
            NetlinkMessages.TryReadFamily(broken, LakeNetlink.Group, out _, out _);
        }
    }

    private static byte[] Event(string device, ulong block) =>
    [
        .. Attribute(1, Encoding.ASCII.GetBytes(device + "\0")), .. Attribute(2, BitConverter.GetBytes(3ul)), .. Attribute(3, BitConverter.GetBytes(-5)),
        .. Attribute(4, "differs\0"u8), .. Attribute(5, BitConverter.GetBytes(block)),
    ];

    private static byte[] Message(ushort type, byte command, byte[] attributes, ushort flags = 0) =>
    [
        .. BitConverter.GetBytes(20 + attributes.Length), .. BitConverter.GetBytes(type), .. BitConverter.GetBytes(flags), .. new byte[8],
        command, 1, 0, 0, .. attributes,
    ];

    private static byte[] Attribute(ushort type, ReadOnlySpan<byte> value) =>
        [.. BitConverter.GetBytes((ushort)(4 + value.Length)), .. BitConverter.GetBytes(type), .. value, .. new byte[-value.Length & 3]];
}
