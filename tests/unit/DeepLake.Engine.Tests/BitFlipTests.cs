// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Format;
using DeepLake.Metadata;
using DeepLake.Sim;
using DeepLake.Storage;
using DeepLake.Storage.Faster;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>
/// One wrong bit anywhere in what the page store has on the device: the lake has to open with the state
/// that it had. Only a page that both checkpoints have alone, written before the older of them, has no
/// second source: that is refused, in words. Nothing else is ever there.
/// </summary>
[TestFixture]
public sealed class BitFlipTests
{
    private const long DeviceBytes = 100L << 20;
    private const int Flips = 400;

    private readonly MemoryBlockDevice _device = new(DeviceBytes);
    private string _expected = "";
    private Superblock _newest;
    private StoreTicket _newer = null!;
    private StoreTicket _older = null!;

    /// <summary>The newest checkpoint came with an index of its own, or not: then recovery looks at other parts of the log.</summary>
    [TestCase(1, true)]
    [TestCase(2, false)]
    public void AWrongBitInThePageStore_IsMadeGood_OrRefusedWhenNothingElseHasIt(int seed, bool withIndex)
    {
        Make(seed, withIndex);
        Dictionary<ulong, long> live = LiveRecords();
        var random = new Random(seed);
        int madeGood = 0;
        int refused = 0;
        for (int i = 0; i < Flips; i++)
        {
            long offset = Pick(random);
            Flip(offset, random.Next(8), out int bit);
            string? problem = TryOpen(out string found);
            Flip(offset, bit, out _);
            if (problem is null)
            {
                Assert.That(found, Is.EqualTo(_expected), $"flip {i} at {offset}");
                madeGood++;
                continue;
            }

            Assert.That(IsAlone(offset, live), Is.True, $"flip {i} at {offset}: {problem}");
            refused++;
        }

        TestContext.Out.WriteLine($"{madeGood} made good, {refused} refused rightly");
        Assert.That(madeGood, Is.GreaterThan(refused));
    }

    // Pages are written again and again, so that the log is full of versions; two checkpoints, and a log behind them.
    private void Make(int seed, bool withIndex)
    {
        Lake.Format(_device);
        using LakeEngine engine = Lake.Open(_device);
        Lake.Mount(engine);
        var kernel = new SimKernel(seed);
        int checkpoints = 0;
        do
        {
            for (int i = 0; i < 150; i++)
            {
                kernel.Step(engine);
            }

            engine.Checkpoint();
            ReadCheckpoints();
        }
        while (++checkpoints < 6 || (_newer.IndexAddress == _newer.TailAddress) != withIndex);

        for (int i = 0; i < 100; i++)
        {
            kernel.Step(engine);
        }

        engine.Commit();
        _expected = Lake.Dump(engine);
        Assert.That(_older.TailAddress, Is.LessThan(_newer.TailAddress));
    }

    private void ReadCheckpoints()
    {
        List<Superblock> copies = SuperblockStore.ReadAll(_device);
        _newest = copies[0];
        _newer = StoreTicket.Decode(SuperblockStore.ReadTicket(_device, copies[0]));
        _older = StoreTicket.Decode(SuperblockStore.ReadTicket(_device, copies[1]));
    }

    // Nine in ten where something is: the log of the two checkpoints, their indexes; the rest anywhere.
    private long Pick(Random random)
    {
        long pages = LakeLayout.Bytes(_newest.Pages.StartBlock);
        long logBytes = LakeLayout.Bytes(_newest.Pages.Blocks);
        return random.Next(10) switch
        {
            < 4 => pages + (random.NextInt64(_older.TailAddress, _newer.TailAddress) % logBytes),
            < 7 => pages + (random.NextInt64(_newer.BeginAddress, _newer.TailAddress) % logBytes),
            7 => LakeLayout.Bytes(_newest.Index[0].StartBlock) + random.Next(100_000),
            8 => LakeLayout.Bytes(_newest.Index[1].StartBlock) + random.Next(100_000),
            _ => LakeLayout.Bytes(_newest.Index[0].StartBlock)
                + random.NextInt64(LakeLayout.Bytes(_newest.Data.StartBlock - _newest.Index[0].StartBlock)),
        };
    }

    private void Flip(long offset, int bit, out int same)
    {
        Span<byte> one = stackalloc byte[1];
        _device.Read(one, offset);
        one[0] ^= (byte)(1 << bit);
        _device.Write(one, offset);
        same = bit;
    }

    private string? TryOpen(out string found)
    {
        found = "";
        try
        {
            using LakeEngine engine = Lake.Open(new ReadOnlyOverlayDevice(_device));
            found = Lake.Dump(engine);
            return null;
        }
        catch (Exception failure) when (failure is LakeFormatException or StorageException { IsCorruption: true } or MetadataCorruptException)
        {
            return failure.Message;
        }
    }

    // The newest record of each page in the log, as a scan finds it.
    private unsafe Dictionary<ulong, long> LiveRecords()
    {
        var live = new Dictionary<ulong, long>();
        var layout = new LogLayout(_newer.LogPageBits);
        var mask = new LogMask(_newer.Salts);
        byte[] sectors = new byte[3 * LogRegionDevice.SectorBytes];
        long logBytes = LakeLayout.Bytes(_newest.Pages.Blocks);
        fixed (byte* first = sectors)
        {
            for (long address = layout.FirstRecordAtOrAfter(_newer.BeginAddress);
                address + LogLayout.RecordBytes <= _newer.TailAddress;
                address = layout.FirstRecordAtOrAfter(address + LogLayout.RecordBytes))
            {
                long start = address / LogRegionDevice.SectorBytes * LogRegionDevice.SectorBytes;
                _device.Read(sectors, LakeLayout.Bytes(_newest.Pages.StartBlock) + (start % logBytes));
                mask.Apply(start, sectors);
                byte* at = first + (address - start);
                if (LogLayout.IsLiveRecord(at))
                {
                    live[LogLayout.PageId(at)] = address;
                }
            }
        }

        return live;
    }

    /// <summary>
    /// Whether both checkpoints need just this byte: it is in a page's newest record, or in the header that
    /// chains older records, from before the older checkpoint.
    /// </summary>
    private bool IsAlone(long offset, Dictionary<ulong, long> live)
    {
        long logBytes = LakeLayout.Bytes(_newest.Pages.Blocks);
        long within = offset - LakeLayout.Bytes(_newest.Pages.StartBlock);
        if (within < 0 || within >= logBytes || _newer.TailAddress > logBytes || within >= _older.TailAddress)
        {
            return false;
        }

        var layout = new LogLayout(_newer.LogPageBits);
        long record = layout.PageStart(within);
        for (long next = layout.FirstRecordAtOrAfter(record); next <= within; next = layout.FirstRecordAtOrAfter(next + LogLayout.RecordBytes))
        {
            record = next;
        }

        return live.ContainsValue(record) || within - record < LogLayout.HeaderBytes;
    }
}
