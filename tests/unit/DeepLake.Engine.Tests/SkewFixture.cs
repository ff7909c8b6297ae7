// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Ingest;
using DeepLake.Metadata.Tables;
using DeepLake.Platform;
using DeepLake.Sim;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>Lakes with checked data, and files that have parts of each other's at any byte.</summary>
public abstract class SkewFixture() : LakeFixture(areNamed: true)
{
    private protected const uint Checked = ExtentFlags.Sealed | ExtentFlags.Checked;

    /// <summary>As told of a skewed extent.</summary>
    private protected static uint Told(uint skew) => Checked | ExtentFlags.Shared | (skew << ExtentFlags.SkewShift);

    /// <summary>Writes random data as <see cref="LakeFixture.Write"/> does, sealed and checked from then on.</summary>
    private protected byte[] WriteChecked(ulong ino, ulong fileBlock, ulong phys, int blocks)
    {
        byte[] content = Write(ino, fileBlock, phys, blocks);
        StoreSums(phys, blocks);
        Seal(IntentOp.Seal, ino, fileBlock, (ulong)blocks);
        Seal(IntentOp.Checked, ino, fileBlock, (ulong)blocks);
        return content;
    }

    private protected void StoreSums(ulong phys, int blocks)
    {
        using var table = new ChecksumTable(Device, Engine.Superblock);
        byte[] block = new byte[Block];
        for (ulong i = 0; i < (ulong)blocks; i++)
        {
            Device.Read(block, (long)(phys + i) * Block);
            table.Stage(phys + i, [Crc32C.Compute(block)]);
        }

        table.Store();
    }

    private protected void Share(ulong source, ulong srcPos, ulong target, ulong dstBlock, ulong blocks) => Apply(
        new IntentShare { SrcIno = source, SrcPos = srcPos, DstIno = target, DstBlock = dstBlock, Blocks = blocks }, IntentOp.Share);

    private protected void Unmap(ulong ino, ulong fileBlock, ulong blocks) =>
        Apply(new IntentUnmap { Ino = ino, FileBlock = fileBlock, Blocks = blocks }, IntentOp.Unmap);

    private protected void Remove(ulong ino)
    {
        Apply(new IntentUnlink { Dir = 1, Ino = ino, NameBytes = 2 }, IntentOp.Unlink, IntentWriter.Name($"{ino}"));
        Apply(new IntentRelease { Ino = ino }, IntentOp.Release);
    }

    private protected void SetSize(ulong ino, ulong bytes) =>
        Apply(new IntentSetattr { Ino = ino, Valid = AttrMask.Size, Size = bytes }, IntentOp.Setattr);

    /// <summary>So many blocks of a file as a program reads them, by what the kernel is told.</summary>
    private protected byte[] Read(ulong ino, int blocks)
    {
        byte[] content = new byte[blocks * Block];
        foreach ((ulong fileBlock, ulong phys, uint count, uint flags) in Lake.Extents(Engine, ino))
        {
            var extent = new Extent(fileBlock, phys, count, flags, 0);
            byte[] read = new byte[extent.DeviceBlocks * Block];
            Device.Read(read, (long)phys * Block);
            extent.ContentOf(read).CopyTo(content.AsSpan((int)fileBlock * Block));
        }

        return content;
    }

    private protected (ulong Used, ulong Shared, ulong Saved, ulong Sealed, ulong Checked) Stats()
    {
        EngineStats stats = Engine.GetStats();
        return (stats.UsedBlocks, stats.SharedBlocks, stats.SavedBlocks, stats.SealedBlocks, stats.CheckedBlocks);
    }

    private protected IReadOnlyList<string> Findings() => Lake.CheckData(Engine, Device).Findings;

    private protected void AssertSound() => Assert.That(Findings(), Is.Empty);

    private protected void Reopen()
    {
        Engine.Dispose();
        Engine = Lake.Open(Device);
    }
}
