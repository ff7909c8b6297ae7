// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Metadata;
using DeepLake.Storage;

namespace DeepLake.Sim;

/// <summary>The loop of a daemon as laked has it (LakeLoop), with the seed for clock and scheduler.</summary>
internal sealed partial class Simulation
{
    private const int CommitBytes = LakeFormat.WalFrameMax / 2;
    private const int CommitAgeSeconds = 5;
    private (SnapshotSource Source, string Dump)? _snapshot;
    private int _uncommittedSeconds;
    private bool _isShortLife;
    private double _longLog; // as a part of its region

    private void Serve(LakeEngine engine, int steps)
    {
        _uncommittedSeconds = 0;
        ulong checkpoints = engine.GetStats().Checkpoints;
        for (int step = 0; step < steps; step++)
        {
            for (int changes = _random.Next(6); changes > 0; changes--)
            {
                _kernel.Change(engine);
            }

            Ingest();
            Round(engine);
            Ask(engine);
            Rarely(engine);
            if (LogIsLong(engine) && EndsThere(engine))
            {
                return;
            }

            if (engine.GetStats().Checkpoints > checkpoints + 1)
            {
                _structuralDamage = 0; // both have been written again
            }
        }
    }

    private void Ingest()
    {
        _ingest!.Step();
        Require(_ingest.Damaged == 0 || DeviceLied, "data that nobody damaged is told to be");
        _packer!.Step();
        Require(_packer.Damaged == 0 || DeviceLied, "the packer calls data damaged that nobody damaged");
        _scrub.Step();
        Require(_scrub.Damaged == 0 || DeviceLied, "the scrub calls data damaged that nobody damaged");
    }

    private void Round(LakeEngine engine)
    {
        int batch = _random.Next(4) switch { 0 => 0, 1 => 1, 2 => _random.Next(12), _ => int.MaxValue };
        for (; batch > 0 && _kernel.SentSeq < _kernel.LastSeq; batch--)
        {
            _kernel.Send(engine, 1);
            if (engine.UncommittedBytes >= CommitBytes)
            {
                Commit(engine);
            }
        }

        _kernel.IsFull = engine.MetadataIsFull;
        _uncommittedSeconds = engine.HasUncommitted ? _uncommittedSeconds + _random.Next(3) : 0;
        if (engine.HasUncommitted && (_kernel.WantedSeq > engine.DurableSeq || _uncommittedSeconds >= CommitAgeSeconds))
        {
            Commit(engine);
        }

        if (_random.Next(_settings.CheckpointLaziness) == 0 && engine.CheckpointDue && !engine.PrepareCheckpoint())
        {
            engine.Checkpoint();
        }
    }

    private bool LogIsLong(LakeEngine engine)
    {
        return _settings.Kind == FaultKind.Recoveries
            && engine.GetStats() is var stats && stats.WalBytesUsed > stats.WalBytes * _longLog;
    }

    // Checkpoints as late as seldom happens: two of them and the log behind them come near to each other around the
    // region. Every other life ends with its checkpoint; the next one often goes on for as long as it can without
    // any: then much of the log is needed by the older checkpoint alone, and a daemon begins with that.
    private bool EndsThere(LakeEngine engine)
    {
        if (!_isShortLife && _random.Next(3) > 0)
        {
            return true;
        }

        engine.Checkpoint();
        return _isShortLife;
    }

    private void BeginLife()
    {
        _isShortLife = !_isShortLife;
        _longLog = (_isShortLife ? 0.3 : 0.6) + (_random.NextDouble() * 0.18);
    }

    private void Commit(LakeEngine engine)
    {
        engine.Commit();
        _uncommittedSeconds = 0;
        Require(
            engine.DurableSeq == engine.AppliedSeq && engine.DurableSeq <= _kernel.AckedSeq,
            $"the engine says {engine.DurableSeq} is durable, the kernel knows of {_kernel.AckedSeq}");
    }

    /// <summary>Requests, with the records that their answers depend on before them.</summary>
    private void Ask(LakeEngine engine)
    {
        if (_random.Next(3) != 0)
        {
            return;
        }

        ModelInode[] inodes = [.. _kernel.Tree.Inodes.Values];
        ModelInode inode = inodes[_random.Next(inodes.Length)];
        SendUpTo(engine, inode.Barrier);
        var comparer = new StateComparer(engine);
        switch (_random.Next(7))
        {
            case 0:
                comparer.CompareInode(inode);
                break;
            case 1:
                comparer.CompareXattrs(inode);
                break;
            case 2 when inode.IsDirectory && inode.Entries.Count > 0:
                (string name, ModelEntry entry) = inode.Entries.ElementAt(_random.Next(inode.Entries.Count));
                SendUpTo(engine, _kernel.Tree.Inodes[entry.Ino].Barrier);
                comparer.CompareLookup(inode, name, _kernel.Tree.Inodes[entry.Ino]);
                break;
            case 3 when inode.IsDirectory:
                comparer.CompareLookup(inode, "no such name", null);
                comparer.CompareDirectory(inode, (uint)_random.Next(300, 4000));
                break;
            case 4:
                SendUpTo(engine, _kernel.LastSeq);
                comparer.CompareMany([.. inodes.Take(_random.Next(1, 20))], (uint)_random.Next(9), ulong.MaxValue / 2);
                break;
            case 5 when inode.IsDirectory:
                comparer.CompareParent(inode);
                break;
            default:
                if (inode.IsRegular)
                {
                    comparer.CompareMap(inode, null);
                    _kernel.Reload(inode, engine);
                }

                break;
        }
    }

    private void SendUpTo(LakeEngine engine, ulong barrier)
    {
        while (engine.AppliedSeq < barrier)
        {
            _kernel.Send(engine, 1);
        }
    }

    private void Rarely(LakeEngine engine)
    {
        switch (_random.Next(60))
        {
            case < 8: _kernel.WantedSeq = _kernel.LastSeq; break;
            case < 10 when !_settings.IsLogHeavy || _random.Next(3) == 0: engine.Checkpoint(); break;
            case < 13: engine.PrepareCheckpoint(); break;
            case < 16: _kernel.CompareSpace(engine); break;
            case < 18: _kernel.ReturnSome(engine); break;
            case < 21: _kernel.Trim(engine, _sink.Layout.Data.StartBlock, _sink.Layout.DeviceBlocks - 1); break;
            case 21: Hold(engine); break;
            case < 24: VerifyHeld(engine); break;
            case 24: RequireClean(() => Lake.Check(engine), "the lake in use"); break;
            // it begins with a checkpoint, which these seeds want to be late
            case < 27 when _snapshot is null && _settings.Kind != FaultKind.Recoveries: WriteBase(engine); break;
            default: break;
        }
    }

    private void Hold(LakeEngine engine)
    {
        if (_snapshot is not null)
        {
            return;
        }

        SnapshotSource? source = engine.HoldSnapshot();
        Require(source is not null, "no checkpoint is held, and none can be");
        _snapshot = (source!, Lake.Dump(engine));
    }

    /// <summary>As a verify of the mounted lake does it: what was read counts if it was held all the time.</summary>
    private void VerifyHeld(LakeEngine engine)
    {
        if (_snapshot is not { } held)
        {
            return;
        }

        _snapshot = null;
        Exception? finding = null;
        try
        {
            using LakeSnapshot snapshot = LakeSnapshot.Open(new ReadOnlyOverlayDevice(_device), held.Source, _settings.Options);
            RequireClean(() => Lake.Check(snapshot, held.Source), "a held checkpoint");
            Require(Lake.Dump(snapshot.Tree) == held.Dump, "a held checkpoint holds something else");
        }
        catch (Exception failure) when (failure is SimulationException or StorageException { IsCorruption: true } or MetadataCorruptException)
        {
            finding = failure;
        }

        bool isNamed = DeviceLied && finding is not SimulationException;
        if (engine.ReleaseSnapshot() && finding is not null && !isNamed)
        {
            throw new SimulationException(finding.Message);
        }
    }
}
