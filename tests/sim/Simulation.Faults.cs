// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Platform;

namespace DeepLake.Sim;

/// <summary>What goes wrong in a life, decided before it begins.</summary>
internal sealed partial class Simulation
{
    private const int SuperblockCrcOffset = 12;
    private long _wholeAgainAt; // superblocks written: both checkpoints are new then

    private void PlanFaults()
    {
        // many come while the daemon recovers
        long at = _device.Operations + 1 + _random.Next(_random.Next(3) == 0 ? 30 : 900);
        var plan = new FaultPlan
        {
            Cut = (CutKind)_random.Next(5),
            LossProbability = _random.NextDouble(),
            FailedWritesLeavePieces = true,
        };
        switch (_random.Next(6))
        {
            case 0: plan.KillAtOperation = at; break;
            case < 3: plan.PowerCutAtOperation = at; break;
            default: break;
        }

        if (_settings.Kind == FaultKind.IoErrors && _random.Next(4) > 0)
        {
            plan.FailAtOperation = _device.Operations + 1 + _random.Next(400);
            plan.FailCount = _random.Next(1, 4);
            plan.FailWith = Errno.EIO;
        }

        _sink.CutInCommit = -1;
        if (_random.Next(6) == 0)
        {
            CutInCommit();
        }

        _device.Plan = plan;
        if (_settings.Kind == FaultKind.Recoveries)
        {
            _structuralDamage = _sink.Superblocks >= _wholeAgainAt ? 0 : _structuralDamage;
            if (_boot > 0 && !_sink.IsCheckpointHalf && _structuralDamage == 0 && _random.Next(2) == 0)
            {
                DamageNewestCheckpoint(_sink.Layout);
            }
        }

        if (_settings.Kind == FaultKind.Damage && _boot > 0)
        {
            PlanDamage();
        }
    }

    // the first ones are those of the mount: its epoch, a ticket, a superblock
    private void CutInCommit()
    {
        _sink.CutInCommit = _random.Next(6);
        _sink.CutAtStep = _random.Next(3);
    }

    private void PlanDamage()
    {
        Superblock layout = _sink.Layout;
        switch (_random.Next(9))
        {
            case 0 or 8:
                CutInCommit();
                DamageCheckpoint(layout);
                break;
            case 1:
                if (_sink.TryPick(_random, out long offset))
                {
                    Flip(offset, "a frame");
                    _otherDamage = true;
                }

                break;
            case 2:
                DamagePage(layout);
                break;
            case 3:
                _device.Plan.StrayAtOperation = _device.Operations + 1 + _random.Next(500);
                _device.Plan.StrayRange = (0, Bytes(layout.Data.StartBlock));
                _device.Plan.StrayIsLost = _random.Next(2) == 0;
                _otherDamage = true;
                _mayLoseFramesSilently = true;
                break;
            case 4:
                _device.Plan.WrongBitAtOperation = _device.Operations + 1 + _random.Next(500);
                _device.Plan.StrayRange = (Bytes(layout.Pages.StartBlock), Bytes(layout.Data.StartBlock));
                _otherDamage = true;
                _mayLoseFramesSilently = true;
                break;
            default:
                break;
        }
    }

    /// <summary>One of the two checkpoints: the other one and a longer log have to do.</summary>
    private void DamageCheckpoint(in Superblock layout)
    {
        _structuralDamage++;
        _otherDamage |= _sink.IsCheckpointHalf || _settings.Sizes is null; // what the real store has begun nobody sees
        switch (_random.Next(6))
        {
            case 0: Flip(Bytes(LakeFormat.SuperblockABlock) + InSuperblock(), "superblock A"); break;
            case 1: Flip(Bytes(layout.DeviceBlocks - 1) + InSuperblock(), "superblock B"); break;
            default: Flip(Bytes(layout.Ticket[_random.Next(2)].StartBlock) + _random.Next(40), "a ticket"); break;
        }
    }

    /// <summary>Now the one before it is needed, and every frame since: whoever gave those up is found out.</summary>
    private void DamageNewestCheckpoint(in Superblock layout)
    {
        Superblock a = PeekSuperblock(LakeFormat.SuperblockABlock);
        Superblock b = PeekSuperblock(layout.DeviceBlocks - 1);
        bool isA = a.Generation > b.Generation;
        Superblock newest = isA ? a : b;
        _structuralDamage++;
        _wholeAgainAt = _sink.Superblocks + 2;
        _otherDamage |= _settings.Sizes is null; // what the real store has begun nobody sees
        if (_random.Next(3) == 0)
        {
            Flip(Bytes(isA ? LakeFormat.SuperblockABlock : layout.DeviceBlocks - 1) + InSuperblock(), "the newest superblock");
            return;
        }

        Region slot = layout.Ticket[(int)(newest.Generation & 1)];
        Flip(Bytes(slot.StartBlock) + _random.Next((int)newest.TicketBytes), "the newest ticket");
    }

    // Its fields are a small part of its block; where the log begins is what nothing else tells.
    private int InSuperblock() => _random.Next(3) switch
    {
        0 => _random.Next(LakeFormat.BlockSize),
        1 => _random.Next((int)Marshal.OffsetOf<Superblock>(nameof(Superblock.Pad1))),
        _ => (int)Marshal.OffsetOf<Superblock>(nameof(Superblock.CheckpointWalLsn)) + _random.Next(2),
    };

    private Superblock PeekSuperblock(ulong block)
    {
        byte[] bytes = new byte[LakeFormat.BlockSize];
        _device.Peek(bytes, Bytes(block));
        Superblock superblock = MemoryMarshal.Read<Superblock>(bytes);
        bytes.AsSpan(SuperblockCrcOffset, sizeof(uint)).Clear();
        return Crc32C.Compute(bytes) == superblock.Crc32c ? superblock : default; // torn: no generation
    }

    private void DamagePage(in Superblock layout)
    {
        byte[] block = new byte[LakeFormat.BlockSize];
        for (int tries = 0; tries < 100; tries++)
        {
            long offset = Bytes(layout.Pages.StartBlock + (ulong)_random.Next((int)layout.Pages.Blocks));
            _device.Peek(block, offset);
            if (block.AsSpan().ContainsAnyExcept((byte)0))
            {
                Flip(offset + _random.Next(LakeFormat.BlockSize), "a page");
                _otherDamage = true;
                return;
            }
        }
    }

    private void Flip(long offset, string what)
    {
        int bit = _random.Next(8);
        if (bit == 7 && offset % 3 == 0)
        {
            Log?.Invoke($"the block of {what} is zeros at {offset}");
            _device.ZeroBlock(offset - (offset % LakeFormat.BlockSize));
            return;
        }

        Log?.Invoke($"a bit of {what} is wrong at {offset}");
        _device.FlipBit(offset, bit);
    }

    private static long Bytes(ulong blocks) => (long)blocks * LakeFormat.BlockSize;
}
