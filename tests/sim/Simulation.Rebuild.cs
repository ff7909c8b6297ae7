// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Engine.Archive;
using DeepLake.Storage;

namespace DeepLake.Sim;

/// <summary>
/// Between two lives the metadata of a copy of the device is destroyed and rebuilt from the archive: what
/// comes back has to be the model's tree after some record, not older than what must be archived.
/// </summary>
internal sealed partial class Simulation
{
    private readonly Random _rebuilds; // its own: what happens to the lake does not depend on it
    private ulong _archivedSeq;
    private bool _isInterrupted;
    private bool _wasInterrupted;
    private bool _isGoneTooSoon;

    /// <summary>How many times a lake was rebuilt and was what it had been.</summary>
    public long Rebuilds { get; private set; }

    /// <summary>As laked's ingest thread does it, all at once.</summary>
    private void WriteBase(LakeEngine engine)
    {
        bool isWritten = new BaseWriter(_device, engine, _settings.Options).Run();
        Log?.Invoke(isWritten ? "a base is written" : "no base is written");
    }

    /// <summary>What is durable now; later segments only add to it.</summary>
    private void NoteArchive(LakeEngine engine)
    {
        EngineStats stats = engine.GetStats();
        _isInterrupted = stats.ArchiveIsInterrupted;
        _archivedSeq = _isInterrupted ? 0 : stats.ArchivedSeq;
    }

    // After an interruption a recovery from an older state finds the frames gone, which is all it can know.
    private void NoteTrouble(string? trouble)
    {
        _isGoneTooSoon |= trouble == LakeEngine.FramesAreGone && !_wasInterrupted;
        _isInterrupted |= trouble is not null;
        _wasInterrupted |= _isInterrupted;
    }

    private void RebuildSometimes()
    {
        Require(DeviceLied || !_isGoneTooSoon, "frames were given up before they were archived");
        if (DeviceLied || _isRefused || _rebuilds.Next(3) > 0)
        {
            return;
        }

        bool keepsLog = _rebuilds.Next(2) == 0;
        bool isDamaged = !keepsLog && _rebuilds.Next(3) == 0;
        using var copy = new ReadOnlyOverlayDevice(_memory);
        if (isDamaged)
        {
            DamageSegment(copy);
        }

        Superblock layout = _sink.Layout;
        // a log that is not archived yet is of use only with a superblock
        ulong from = keepsLog ? layout.Ticket[0].StartBlock : 0;
        Zero(copy, new Region { StartBlock = from, Blocks = layout.Wal.StartBlock - from });
        Zero(copy, new Region { StartBlock = layout.Index[0].StartBlock, Blocks = layout.Sums.StartBlock - layout.Index[0].StartBlock });
        if (!keepsLog)
        {
            Zero(copy, new Region { StartBlock = layout.DeviceBlocks - 1, Blocks = 1 });
            Zero(copy, layout.Wal);
        }

        ulong floor = isDamaged ? 0 : keepsLog && !_isInterrupted ? _kernel.AckedSeq : _archivedSeq;
        bool isWhole = floor == _kernel.LastSeq && !_isMounted;
        if (!TryRebuild(copy, isWhole, out string? why))
        {
            Require(floor == 0, $"{floor} was archived, and the lake cannot be rebuilt: {why}");
            return;
        }

        using LakeEngine engine = LakeEngine.Open(copy, new DeviceCommitSink(copy), _settings.Options);
        ulong seq = engine.AppliedSeq;
        Log?.Invoke($"rebuilt {seq} (archived {_archivedSeq}, log {(keepsLog ? "kept" : "gone")}{(isDamaged ? ", a segment is damaged" : "")})");
        Require(seq >= floor, $"{floor} was archived, {seq} is rebuilt");
        Require(seq <= _kernel.MostSent, $"{_kernel.MostSent} was sent, {seq} is rebuilt");
        RequireClean(() => Lake.Check(engine), "the rebuilt lake");
        if (seq >= _kernel.OldestSeq && engine.Epoch >= _epoch) // before the mount there were other orphans
        {
            ModelTree tree = _kernel.TreeAt(seq, _kernel.FirstSeq);
            new StateComparer(engine).CompareAll(engine.Epoch > _epoch ? Reaped(tree) : tree);
            Rebuilds++;
        }
    }

    private bool TryRebuild(ReadOnlyOverlayDevice copy, bool isWhole, out string? why)
    {
        why = null;
        try
        {
            using var planner = new RebuildPlanner(copy);
            RebuildPlan plan = planner.Plan(ArchiveSurvey.Read(copy));
            RebuildResult result = new LakeRebuilder(copy, plan, _settings.Options) { ProvesData = isWhole }.Run();
            Require(result.DamagedBlocks == 0, $"{result.DamagedBlocks} blocks that nobody damaged are told to be");
            return true;
        }
        catch (LakeFormatException failure)
        {
            why = failure.Message;
            return false;
        }
    }

    private void DamageSegment(ReadOnlyOverlayDevice copy)
    {
        IReadOnlyList<ArchiveHeader> segments = ArchiveSurvey.Read(copy).Segments;
        if (segments.Count == 0)
        {
            return;
        }

        ArchiveHeader hit = segments[_rebuilds.Next(segments.Count)];
        long at = Bytes(hit.StartBlock + LakeFormat.ArchiveMetaBlocks) + _rebuilds.NextInt64((long)hit.StoredBytes);
        byte[] block = new byte[LakeFormat.BlockSize];
        long start = at / LakeFormat.BlockSize * LakeFormat.BlockSize;
        copy.Read(block, start);
        block[at - start] ^= (byte)(1 << _rebuilds.Next(8));
        copy.Write(block, start);
    }

    private static void Zero(IBlockDevice device, Region region)
    {
        byte[] zeroes = new byte[LakeFormat.BlockSize];
        for (ulong block = region.StartBlock; block < region.StartBlock + region.Blocks; block++)
        {
            device.Write(zeroes, Bytes(block));
        }
    }
}
