// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.Ingest;
using DeepLake.Metadata.Tables;
using DeepLake.Packs;
using DeepLake.Platform;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>Lakes with packs in them.</summary>
public abstract class PackFixture : SkewFixture
{
    private readonly PackReader _packs = new();

    [OneTimeTearDown]
    public void DisposeReader() => _packs.Dispose();

    /// <summary>As told of a packed extent.</summary>
    private protected static new uint Told(uint span) => Checked | ExtentFlags.Shared | ExtentFlags.Packed | ((span - 1) << ExtentFlags.SpanShift);

    private protected static ulong Place(ulong pack, int index) => (pack << LakeFormat.PackBits) + (ulong)index;

    /// <summary>Writes a pack of these blocks and its checksums; returns how many device blocks it has.</summary>
    private protected uint WritePack(ulong at, ReadOnlySpan<byte> content)
    {
        byte[] pack = new byte[PackFormat.ContentMax + Block];
        using var writer = new PackWriter();
        int blocks = writer.Pack(content, pack);
        Assert.That(blocks, Is.GreaterThan(0));
        WriteBlocks(at, pack.AsSpan(0, blocks * Block));
        return (uint)blocks;
    }

    /// <summary>Writes blocks of the device, and their checksums into the table.</summary>
    private protected void WriteBlocks(ulong at, ReadOnlySpan<byte> bytes)
    {
        Device.Write(bytes, (long)at * Block);
        using var table = new ChecksumTable(Device, Engine.Superblock);
        for (int i = 0; i < bytes.Length / Block; i++)
        {
            table.Stage(at + (ulong)i, [Crc32C.Compute(bytes.Slice(i * Block, Block))]);
        }

        table.Store();
    }

    private protected void Remap(ulong ino, Extent moved) => Apply(
        new IntentRemap { Ino = ino, FileBlock = moved.FileBlock, PhysBlock = moved.PhysBlock, Blocks = moved.Blocks, Flags = moved.Flags }, IntentOp.Remap);

    /// <summary>So many blocks of a file as a program reads them, out of packs, too.</summary>
    private protected byte[] ReadFile(ulong ino, int blocks)
    {
        byte[] content = new byte[blocks * Block];
        foreach ((ulong fileBlock, ulong phys, uint count, uint flags) in Sim.Lake.Extents(Engine, ino))
        {
            var extent = new Extent(fileBlock, phys, count, flags, 0);
            byte[] read = new byte[extent.DeviceBlocks * Block];
            Device.Read(read, (long)extent.DeviceBlock * Block);
            ReadOnlySpan<byte> held = extent.IsPacked ? _packs.Read(read) : read;
            extent.ContentOf(held).CopyTo(content.AsSpan((int)fileBlock * Block));
        }

        return content;
    }

    /// <summary>A checked file of random blocks, so of a pack that has one device block more than it has itself.</summary>
    private protected byte[] WritePacked(ulong ino, ulong pack, int blocks, out uint span)
    {
        byte[] content = WriteChecked(ino, 0, pack + 1000, blocks);
        span = WritePack(pack, content);
        Remap(ino, Extent.InPack(0, pack, span, 0, (uint)blocks));
        return content;
    }

    /// <summary>Whether somebody who asks gets a block; it is given back.</summary>
    private protected bool IsFree(ulong block)
    {
        var trim = new RequestTrim
        {
            Header = new RequestHeader { Len = 56, Op = RequestOp.Trim }, Start = block, End = block + 1, MinBlocks = 1, MaxBlocks = 1,
        };
        int bytes = Engine.HandleRequest(MemoryMarshal.AsBytes(new ReadOnlySpan<RequestTrim>(in trim)), new byte[64], out _);
        if (bytes == 0)
        {
            return false;
        }

        int header = Unsafe.SizeOf<RequestReturn>();
        byte[] given = new byte[header + Unsafe.SizeOf<BlockRange>()];
        MemoryMarshal.Write(given, new RequestReturn { Header = new RequestHeader { Len = (uint)given.Length, Op = RequestOp.ReturnBlocks }, Count = 1 });
        MemoryMarshal.Write(given.AsSpan(header), new BlockRange { Start = block, Count = 1 });
        Assert.That(Engine.HandleRequest(given, new byte[64], out _), Is.Zero);
        return true;
    }

    private protected void Shift(ulong ino, ulong fileBlock, ulong blocks, ulong distance, bool up) => Apply(
        new IntentShift { Ino = ino, FileBlock = fileBlock, Blocks = blocks, Distance = distance, Flags = up ? LakeRing.ShiftUp : 0 },
        IntentOp.Shift);
}
