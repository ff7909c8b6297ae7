// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Engine.Tests;

/// <summary>Collapse and insert: ranges of a file that move within it.</summary>
internal sealed partial class SimKernel
{
    private const ulong ShiftedEnd = 600;

    private void Shift(LakeEngine engine)
    {
        if (PickRegular() is not { } inode)
        {
            return;
        }

        ulong count = (ulong)_random.Next(1, 120);
        ulong distance = (ulong)_random.Next(1, 40);
        ulong from = (ulong)_random.Next(130);
        ulong end = from + count;
        ulong last = inode.Blocks.Keys.LastOrDefault();
        bool up = last < ShiftedEnd && _random.Next(2) == 0;
        from = up ? from : Math.Max(from, distance);
        end = Math.Max(end, from + 1);

        // what it moves to, itself apart, is a hole first
        (ulong holeFrom, ulong holeEnd) = up
            ? (Math.Max(end, from + distance), end + distance)
            : (from - distance, Math.Min(from, end - distance));
        Emit(
            engine,
            new IntentUnmap { Ino = inode.Ino, FileBlock = holeFrom, Blocks = holeEnd - holeFrom, Mtime = Now, Ctime = Now },
            IntentOp.Unmap);
        for (ulong block = holeFrom; block < holeEnd; block++)
        {
            inode.Blocks.Remove(block);
        }

        ulong size = _random.Next(2) == 0 ? (ulong)_random.Next(1, 2_000_000) : 0;
        var intent = new IntentShift
        {
            Ino = inode.Ino,
            FileBlock = from,
            Blocks = end - from,
            Distance = distance,
            Flags = up ? LakeRing.ShiftUp : 0,
            Size = size,
            Mtime = Now,
            Ctime = Now,
        };
        Emit(engine, intent, IntentOp.Shift);
        var moved = inode.Blocks.Where(b => b.Key >= from && b.Key < end).ToArray();
        foreach ((ulong block, _) in moved)
        {
            inode.Blocks.Remove(block);
        }

        foreach ((ulong block, (ulong Phys, uint Flags) value) in moved)
        {
            inode.Blocks[up ? block + distance : block - distance] = value;
        }

        inode.Size = size == 0 ? inode.Size : size;
    }
}
