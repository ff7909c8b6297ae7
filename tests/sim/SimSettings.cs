// SPDX-License-Identifier: MPL-2.0
using DeepLake.Engine;
using DeepLake.Engine.Format;

namespace DeepLake.Sim;

/// <summary>What a seed decides before anything happens: geometry, memory, load and kind of faults.</summary>
internal sealed record SimSettings
{
    private const long BlockBytes = 4096;
    private const int WalBlocksLeast = 512;
    private const int RecoveriesEvery = 10;

    public required FaultKind Kind { get; init; }

    public required long DeviceBytes { get; init; }

    public required LayoutSizes? Sizes { get; init; }

    public required EngineOptions Options { get; init; }

    public required KernelMix Mix { get; init; }

    public required int Lives { get; init; }

    /// <summary>Steps of one daemon, at most.</summary>
    public required int Steps { get; init; }

    /// <summary>Much goes through the log, and it is left to fill.</summary>
    public required bool IsLogHeavy { get; init; }

    /// <summary>One in so many rounds looks whether a checkpoint is due.</summary>
    public required int CheckpointLaziness { get; init; }

    public static SimSettings Draw(int seed, Random random, StoreKind store)
    {
        FaultKind kind = random.Next(20) switch
        {
            < 9 => FaultKind.Crashes,
            < 12 => FaultKind.IoErrors,
            < 16 => FaultKind.Damage,
            < 18 => FaultKind.FullDevice,
            _ => FaultKind.FullMetadata,
        };
        // came later than the others, whose seeds go on to be what they were
        if (seed % RecoveriesEvery == RecoveriesEvery - 1)
        {
            return DrawRecoveries(random, store);
        }

        bool isTwin = store == StoreKind.Twin;
        int wal = WalBlocksLeast * (random.Next(3) == 0 ? 2 : 1);
        int firstFrame = random.Next(3) == 0 ? 0 : wal - random.Next(1, 60);
        int pages = kind == FaultKind.FullMetadata ? random.Next(1000, 1300) : random.Next(1400, 3000);
        int data = kind == FaultKind.FullDevice ? random.Next(100, 500) : random.Next(2000, 20_000);
        var sizes = new LayoutSizes((ulong)wal, 1, (ulong)pages, (ulong)firstFrame);
        bool isLogHeavy = random.Next(kind == FaultKind.Damage ? 2 : 8) == 0;
        return new SimSettings
        {
            Kind = kind,
            Sizes = isTwin ? sizes : null,
            DeviceBytes = isTwin ? (wal + pages + data + 100) * BlockBytes : 100L << 20,
            Options = new EngineOptions
            {
                TreeCacheBytes = random.Next(64, 110) * BlockBytes,
                PageStoreBytes = isTwin ? random.Next(1, 60) * BlockBytes : 6 << 20,
                Clock = new FixedClock(),
            },
            IsLogHeavy = isLogHeavy,
            Mix = DrawMix(random, kind, isLogHeavy),
            Lives = random.Next(3, 8),
            Steps = kind == FaultKind.FullMetadata ? 150 : isLogHeavy ? 90 : random.Next(20, 70),
            CheckpointLaziness = isLogHeavy ? random.Next(1, 200) : random.Next(1, 10),
        };
    }

    // Without pieces that move, and packs: they are no matter of recoveries, whose seeds go on to be what they were.
    // A log that is filled again and again, few checkpoints, and daemons that are killed before the next one.
    private static SimSettings DrawRecoveries(Random random, StoreKind store)
    {
        bool isTwin = store == StoreKind.Twin;
        int pages = random.Next(1400, 3000);
        int firstFrame = random.Next(3) == 0 ? 0 : WalBlocksLeast - random.Next(1, 60);
        return new SimSettings
        {
            Kind = FaultKind.Recoveries,
            Sizes = isTwin ? new LayoutSizes(WalBlocksLeast, 1, (ulong)pages, (ulong)firstFrame) : null,
            DeviceBytes = isTwin ? (WalBlocksLeast + pages + 2100) * BlockBytes : 100L << 20,
            Options = new EngineOptions
            {
                TreeCacheBytes = random.Next(64, 110) * BlockBytes,
                PageStoreBytes = isTwin ? random.Next(1, 60) * BlockBytes : 6 << 20,
                Clock = new FixedClock(),
            },
            IsLogHeavy = true,
            Mix = DrawMix(random, FaultKind.Recoveries, isLogHeavy: true) with { Move = 0, Pack = 0, MaxXattrBytes = random.Next(2) == 0 ? 65_000 : 20_000 },
            Lives = random.Next(5, 9),
            Steps = random.Next(40, 160),
            CheckpointLaziness = int.MaxValue,
        };
    }

    private static KernelMix DrawMix(Random random, FaultKind kind, bool isLogHeavy)
    {
        KernelMix mix = random.Next(3) switch
        {
            0 => new KernelMix { MaxInodes = random.Next(10, 120) },
            1 => new KernelMix { MaxInodes = 200, Create = 10, CreateDirectory = 3, Unlink = 4, Rename = 8, Link = 3, Map = 2, Reflink = 1 },
            _ => new KernelMix { MaxInodes = random.Next(4, 20), Map = 8, Overwrite = 6, Punch = 3, Reflink = 6, Shift = 3, Copy = 5, Move = 12, Pack = 10 },
        };
        mix = mix with { LeaseBlocks = random.Next(20, 300), MaxMapBlocks = random.Next(1, 33) };
        if (kind == FaultKind.FullDevice)
        {
            mix = mix with { Map = 16, Punch = 4, Reflink = 2, LeaseBlocks = random.Next(10, 80) };
        }

        if (kind == FaultKind.FullMetadata)
        {
            return mix with { MaxInodes = int.MaxValue, Create = 10, Xattr = 20, MaxXattrBytes = 20_000 };
        }

        return isLogHeavy ? mix with { Xattr = 70, MaxXattrBytes = 65_000, MaxInodes = 8, Move = 2 } : mix;
    }
}
