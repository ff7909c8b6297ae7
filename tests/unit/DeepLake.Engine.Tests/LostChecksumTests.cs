// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Archive;
using DeepLake.Engine.Ingest;
using DeepLake.Hash;
using DeepLake.Platform;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>What repair makes of entries of the checksum table that data does not match.</summary>
[TestFixture]
public sealed class LostChecksumTests : PackFixture
{
    private const int Length = 4;

    private ulong At => Data + 600;

    /// <summary>
    /// Regression: the clone's identity, which ends inside the block, was taken for a proof of all of it, so that the
    /// damaged bytes got a checksum with which they passed for the first file's.
    /// </summary>
    [TestCase(1000)] // inside the block
    [TestCase(4096 + 1000)] // the block is behind its end, and still there
    public void AFileThatEndsBeforeTheDamage_ProvesNothingOfIt(int cut)
    {
        WriteWithIdentity(20);
        Clone(20, 21, Length, (ulong)((Length * Block) - cut));
        PutIdentity(21, (Length * Block) - cut);
        FlipBit(((long)(At + Length) * Block) - 500);
        MendedChecksums mended = Mend();
        Assert.That((mended.DamagedBlocks, mended.MendedSums, mended.UnprovenBlocks), Is.EqualTo((1ul, 0ul, 0ul)));
        Assert.That(Findings(), Has.Some.Contains("inode 20 "));
    }

    /// <summary>The same of a pack: what is behind the end of the file that has all of it belongs to another.</summary>
    [Test]
    public void AFileThatEndsInsideAPack_DoesNotProveIt()
    {
        byte[] content = WritePacked(20, At, Length, out uint span);
        SetSize(20, Length * Block);
        Assert.That(Engine.PutObject(20, Inode(20).DataSeq, Length * Block, Blake3.Hash(content)));
        Clone(20, 21, Length, (Length * Block) - 1000);
        Assert.That(Engine.PutObject(21, Inode(21).DataSeq, (Length * Block) - 1000, Blake3.Hash(content.AsSpan(..^1000))));
        content[^10] ^= 1;
        byte[] pack = new byte[(Length + 1) * Block];
        using (var writer = new DeepLake.Packs.PackWriter())
        {
            Assert.That(writer.Pack(content, pack), Is.EqualTo(span));
        }

        Device.Write(pack.AsSpan(0, (int)span * Block), (long)At * Block);
        Assert.That(Mend().MendedSums, Is.Zero);
        Assert.That(Findings(), Has.Some.Contains("inode 20 "));
    }

    [Test]
    public void AFileOfItsOwn_ProvesTheBlockThatItEndsIn()
    {
        WriteWithIdentity(20);
        SetSize(20, (Length * Block) - 1000);
        PutIdentity(20, (Length * Block) - 1000);
        FlipBit(((long)(At + Length) * Block) - 500); // nobody reads that
        MendedChecksums mended = Mend();
        Assert.That((mended.DamagedBlocks, mended.MendedSums), Is.EqualTo((0ul, 1ul)));
        Assert.That(Findings(), Is.Empty);
    }

    /// <summary>
    /// Regression: the entries were written before the files that have such blocks had been looked for; interrupted in
    /// between, the next attempt found nothing to tell.
    /// </summary>
    [Test]
    public void AnInterruptedRepair_ForgetsNothing()
    {
        WriteChecked(20, 0, At, Length);
        SetSize(20, Length * Block);
        int steps = 0;
        do
        {
            Device.Write(new byte[Engine.Superblock.Sums.Blocks * Block], (long)Engine.Superblock.Sums.StartBlock * Block);
            steps++;
        }
        while (IsInterruptedAt(steps) && Mend() is { UnprovenBlocks: Length, UnprovenFiles: [{ Ino: 20, Blocks: Length }] });

        Assert.That(steps, Is.GreaterThan(2 * (int)Engine.CountersForCheck().InodeCount), "the last step, with files of which nothing tells, is behind two walks");
    }

    private bool IsInterruptedAt(int step)
    {
        try
        {
            Engine.MendChecksums(Device, (_, _, _, _) =>
            {
                if (--step == 0)
                {
                    throw new OperationCanceledException();
                }
            });
            return false;
        }
        catch (OperationCanceledException)
        {
            return true;
        }
    }

    /// <summary>
    /// Regression: the entry was made of a second reading that nothing had proven, of zeros if the device could no longer
    /// read the block.
    /// </summary>
    [Test]
    public void ABlockThatIsNotReadAsItWasProven_GetsNoEntry([Values] bool isUnreadable, [Values] bool isProven)
    {
        WriteChecked(20, 0, At, Length);
        SetSize(20, Length * Block);
        if (isProven)
        {
            PutIdentity(20, Length * Block);
        }

        Device.Write(new byte[Engine.Superblock.Sums.Blocks * Block], (long)Engine.Superblock.Sums.StartBlock * Block);
        using var failing = new FailingDevice(Device, (long)(At + 1) * Block);
        using var device = new SalvagingDevice(failing);
        MendedChecksums mended = Engine.MendChecksums(device, (what, _, _, _) =>
        {
            if (what.StartsWith("writing", StringComparison.Ordinal))
            {
                failing.IsOn = true;
                failing.Lies = !isUnreadable;
            }
        });
        Assert.That(failing.IsOn);
        Assert.That(
            (mended.DamagedBlocks, mended.MendedSums, mended.UnprovenBlocks),
            Is.EqualTo((1ul, isProven ? Length - 1ul : 0ul, isProven ? 0ul : Length - 1ul)));
        using var table = new ChecksumTable(Device, Engine.Superblock);
        Assert.That(table[At + 1], Is.Zero);
        Assert.That(table[At + 2], Is.Not.Zero);
    }

    private void WriteWithIdentity(ulong ino)
    {
        WriteChecked(ino, 0, At, Length);
        SetSize(ino, Length * Block);
        PutIdentity(ino, Length * Block);
    }

    private void PutIdentity(ulong ino, int size) =>
        Assert.That(Engine.PutObject(ino, Inode(ino).DataSeq, (ulong)size, Blake3.Hash(ReadFile(ino, Length).AsSpan(0, size))));

    private void Clone(ulong source, ulong target, ulong blocks, ulong size)
    {
        Apply(new IntentClone { SrcIno = source, DstIno = target, Blocks = (uint)blocks, Size = blocks * Block }, IntentOp.Clone);
        SetSize(target, size);
    }

    private MendedChecksums Mend()
    {
        MendedChecksums mended = Engine.MendChecksums(Device, (_, _, _, _) => { });
        Device.Flush();
        return mended;
    }

    /// <summary>One block of it, from some moment on, cannot be read, or is read otherwise.</summary>
    private sealed class FailingDevice(IBlockDevice inner, long block) : IBlockDevice
    {
        public bool IsOn { get; set; }

        public bool Lies { get; set; }

        public long LengthBytes => inner.LengthBytes;

        public void Read(Span<byte> buffer, long offset)
        {
            inner.Read(buffer, offset);
            if (!IsOn || block < offset || block >= offset + buffer.Length)
            {
                return;
            }

            if (!Lies)
            {
                throw StorageException.Io(Errno.EIO, "a read", block, Block);
            }

            buffer[(int)(block - offset)] ^= 1;
        }

        public void Write(ReadOnlySpan<byte> buffer, long offset) => inner.Write(buffer, offset);

        public void Flush() => inner.Flush();

        public void Dispose()
        {
        }
    }
}
