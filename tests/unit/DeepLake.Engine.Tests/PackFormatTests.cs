// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Packs;
using DeepLake.Sim;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>What packs are made of, and what is believed of them.</summary>
[TestFixture]
public sealed class PackFormatTests
{
    private const int Block = LakeFormat.BlockSize;
    private readonly PackWriter _writer = new();
    private readonly PackReader _reader = new();

    [OneTimeTearDown]
    public void Dispose()
    {
        _writer.Dispose();
        _reader.Dispose();
    }

    [Test]
    public void Packs_HoldWhatWasPutIntoThem([Range(1, 32)] int blocks)
    {
        byte[] content = Text(blocks);
        byte[] pack = Make(content);
        Assert.That(pack.Length, Is.LessThanOrEqualTo(content.Length));
        Assert.That(_reader.Read(pack).SequenceEqual(content));
        var header = MemoryMarshal.Read<PackHeader>(pack);
        Assert.That((header.Magic, header.Algorithm, header.Blocks), Is.EqualTo((LakeFormat.PackMagic, (ushort)LakeFormat.PackZstd, (ushort)blocks)));
        Assert.That(pack.AsSpan(16 + (int)header.Bytes).ContainsAnyExcept((byte)0), Is.False);
    }

    [Test]
    public void WhatDoesNotFit_IsNoPack()
    {
        byte[] content = new byte[32 * Block];
        new Random(5).NextBytes(content);
        Assert.That(_writer.Pack(content, new byte[PackFormat.ContentMax]), Is.Zero);
        Assert.That(_writer.Pack(content.AsSpan(0, 3 * Block), new byte[3 * Block]), Is.Zero);
        Assert.That(_writer.Pack(content.AsSpan(0, 3 * Block), new byte[4 * Block]), Is.EqualTo(4));
        Assert.That(_writer.Pack(content.AsSpan(0, Block), new byte[8]), Is.Zero);
        Assert.That(() => _writer.Pack([], new byte[Block]), Throws.ArgumentException);
        Assert.That(() => _writer.Pack(new byte[33 * Block], new byte[PackFormat.ContentMax]), Throws.ArgumentException);
        Assert.That(() => _writer.Pack(new byte[100], new byte[PackFormat.ContentMax]), Throws.ArgumentException);
    }

    /// <summary>The simulator's packs are packs.</summary>
    [TestCase(1, 0)]
    [TestCase(7, 3)]
    [TestCase(31, 31)]
    public void StretchedPacks_HoldWhatWasPutIntoThem(int blocks, int raw)
    {
        byte[] content = new byte[blocks * Block];
        for (int i = 0; i < blocks; i++)
        {
            new Random(i).NextBytes(content.AsSpan(i * Block, i == 1 ? Block : 400));
        }

        byte[] pack = StretchedPack.Make(content, raw)!;
        Assert.That(pack.Length / Block, Is.GreaterThan(raw));
        Assert.That(_reader.Read(pack).SequenceEqual(content));
    }

    [Test]
    public void AHostileHeader_IsNotBelieved()
    {
        byte[] pack = Make(Text(5));
        AssertNothing(pack, (ref PackHeader h) => h.Magic++);
        AssertNothing(pack, (ref PackHeader h) => h.Algorithm = 0);
        AssertNothing(pack, (ref PackHeader h) => h.Algorithm = 2);
        AssertNothing(pack, (ref PackHeader h) => h.Blocks = 0);
        AssertNothing(pack, (ref PackHeader h) => h.Blocks = 4);
        AssertNothing(pack, (ref PackHeader h) => h.Blocks = 6);
        AssertNothing(pack, (ref PackHeader h) => h.Blocks = 33);
        AssertNothing(pack, (ref PackHeader h) => h.Blocks = ushort.MaxValue);
        AssertNothing(pack, (ref PackHeader h) => h.Bytes = 0);
        AssertNothing(pack, (ref PackHeader h) => h.Bytes--);
        AssertNothing(pack, (ref PackHeader h) => h.Bytes = uint.MaxValue);
        AssertNothing(pack, (ref PackHeader h) => h.Bytes = (uint)pack.Length);
        Assert.That(_reader.Read(pack).Length, Is.EqualTo(5 * Block), "the control");
        Assert.That(_reader.Read([]).Length + _reader.Read(pack.AsSpan(0, 15)).Length + _reader.Read(pack.AsSpan(0, 16)).Length, Is.Zero);
    }

    [Test]
    public void FramesThatAreCutOff_OrHaveWrongBits_GiveNothing_OrAsMuchAsIsSaid()
    {
        var random = new Random(11);
        byte[] good = Make(Text(9));
        int bytes = (int)MemoryMarshal.Read<PackHeader>(good).Bytes;
        for (int round = 0; round < 3000; round++)
        {
            byte[] pack = [.. good];
            int cut = random.Next(bytes);
            if (round % 3 == 0)
            {
                pack.AsSpan(16 + cut).Clear();
            }

            for (int flips = round % 3 == 0 ? 0 : random.Next(1, 4); flips > 0; flips--)
            {
                pack[random.Next(16 + bytes)] ^= (byte)(1 << random.Next(8));
            }

            int length = _reader.Read(pack).Length;
            Assert.That(length, Is.Zero.Or.EqualTo(MemoryMarshal.Read<PackHeader>(pack).Blocks * Block));
        }
    }

    [Test]
    public void Garbage_GivesNothing()
    {
        var random = new Random(12);
        for (int round = 0; round < 500; round++)
        {
            byte[] pack = new byte[random.Next(1, 4) * Block];
            random.NextBytes(pack);
            MemoryMarshal.Write(pack, new PackHeader { Magic = LakeFormat.PackMagic, Algorithm = 1, Blocks = (ushort)random.Next(1, 33), Bytes = (uint)random.Next(pack.Length - 16) });
            BitConverter.TryWriteBytes(pack.AsSpan(16), round % 2 == 0 ? 0xfd2fb528u : (uint)random.Next());
            Assert.That(_reader.Read(pack).Length, Is.Zero);
        }
    }

    private delegate void HeaderChange(ref PackHeader header);

    private void AssertNothing(byte[] good, HeaderChange change)
    {
        byte[] pack = [.. good];
        change(ref MemoryMarshal.AsRef<PackHeader>(pack.AsSpan()));
        Assert.That(_reader.Read(pack).Length, Is.Zero);
    }

    private byte[] Make(byte[] content)
    {
        byte[] pack = new byte[PackFormat.ContentMax];
        return pack[..(_writer.Pack(content, pack) * Block)];
    }

    private static byte[] Text(int blocks)
    {
        var random = new Random(blocks);
        byte[] content = new byte[blocks * Block];
        for (int i = 0; i < content.Length; i++)
        {
            content[i] = (byte)"a word and another one "[random.Next(23)];
        }

        return content;
    }
}
