// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using System.Buffers.Binary;
using NUnit.Framework;

namespace DeepLake.Storage.Tests;

/// <summary>A log in a small region, and the entries that were acknowledged.</summary>
internal sealed class WalFixture : IDisposable
{
    internal const ulong LakeTag = 0x1122334455667788;
    internal const long RegionStart = 64 * 1024;
    internal const long RegionBytes = 2L << 20;

    internal WalFixture(IBlockDevice? device = null)
    {
        Device = device ?? NewDevice();
        Wal = new Wal(Device, RegionStart, RegionBytes, LakeTag) { Epoch = 3 };
    }

    internal IBlockDevice Device { get; }

    internal Wal Wal { get; private set; }

    /// <summary>Entries of committed frames in order: (seq, length).</summary>
    internal List<(ulong Seq, int Length)> Acked { get; } = [];

    internal ulong NextSeq { get; private set; } = 1;

    public void Dispose() => Wal.Dispose();

    /// <summary>With a region that mkfs has cleared.</summary>
    internal static MemoryBlockDevice NewDevice()
    {
        var device = new MemoryBlockDevice(RegionStart + RegionBytes + 4096);
        WalRegion.Clear(device, RegionStart, RegionBytes);
        return device;
    }

    internal static byte[] Entry(ulong seq, int length)
    {
        var entry = new byte[length];
        new Random((int)seq).NextBytes(entry);
        BinaryPrimitives.WriteUInt64LittleEndian(entry, seq);
        BinaryPrimitives.WriteInt32LittleEndian(entry.AsSpan(8), length);
        return entry;
    }

    internal WalAppendResult Append(int length) => Wal.Append(Entry(NextSeq, length), NextSeq);

    /// <summary>One frame with these entries.</summary>
    internal void CommitFrame(params int[] lengths)
    {
        List<(ulong, int)> added = [];
        foreach (int length in lengths)
        {
            Assert.That(Append(length), Is.EqualTo(WalAppendResult.Appended));
            added.Add((NextSeq, length));
            NextSeq++;
        }
        Wal.CommitOpenFrame(new DeviceCommitSink(Device));
        Acked.AddRange(added);
    }

    /// <summary>A new log object on the same device, as after a crash.</summary>
    internal (WalReplayResult Result, List<(ulong Seq, int Length)> Entries) Recover(WalPosition from)
    {
        Wal.Dispose();
        Wal = new Wal(Device, RegionStart, RegionBytes, LakeTag);
        List<(ulong, int)> entries = [];
        WalReplayResult result = Wal.Replay(from, (in WalFrame header, ReadOnlySpan<byte> payload) =>
        {
            uint count = 0;
            while (payload.Length > 0)
            {
                ulong seq = BinaryPrimitives.ReadUInt64LittleEndian(payload);
                int length = BinaryPrimitives.ReadInt32LittleEndian(payload[8..]);
                Assert.That(payload[..length].SequenceEqual(Entry(seq, length)), Is.True, $"bytes of entry {seq}");
                entries.Add((seq, length));
                payload = payload[length..];
                count++;
            }
            Assert.That(header.EntryCount, Is.EqualTo(count));
        });
        NextSeq = result.LastSeq + 1;
        return (result, entries);
    }

    internal void FlipBit(long regionOffset, int bit)
    {
        var one = new byte[1];
        Device.Read(one, RegionStart + regionOffset);
        one[0] ^= (byte)(1 << bit);
        Device.Write(one, RegionStart + regionOffset);
    }
}
