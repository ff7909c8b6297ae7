// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Engine.Ingest;
using DeepLake.Storage;

namespace DeepLake.Sim;

/// <summary>
/// The ingest of one daemon, with the seed for its thread: the steps of laked's own, with anything between
/// two of them: whole files, single ranges, and now and then a range that is unsealed.
/// </summary>
internal sealed class SimIngest : IDisposable
{
    private readonly Random _random;
    private readonly SimKernel _kernel;
    private readonly FaultyBlockDevice _device;
    private readonly SimEngine _engine;
    private readonly ChecksumTable _table;
    private readonly ReadBack _readBack;
    private readonly RangeIngest _range;
    private readonly FileIngest _file;

    public SimIngest(int seed, SimKernel kernel, FaultyBlockDevice device, LakeEngine engine)
    {
        _random = new Random(seed);
        _kernel = kernel;
        _device = device;
        _engine = new SimEngine(engine);
        _table = new ChecksumTable(device, engine.Superblock);
        _readBack = new ReadBack(device, _table);
        _range = new RangeIngest(_engine.LookForSeal, kernel, _readBack);
        _file = new FileIngest(_engine, kernel, _readBack) { Damaged = blocks => Damaged += blocks.Count };
    }

    /// <summary>Blocks of files that it found to be damaged.</summary>
    public int Damaged { get; private set; }

    public void Step()
    {
        int steps = _random.Next(4) switch { 0 => 0, 1 => 1, 2 => 3, _ => 12 };
        for (; steps > 0; steps--)
        {
            if (_range.Stage == IngestStage.Done && _file.IsDone)
            {
                Begin();
                continue;
            }

            try
            {
                Advance();
            }
            catch (StorageException) when (!_device.IsDead && !_device.IsKilled && !_engine.HasFailed)
            {
                _range.Begin(0, 0, 1); // the device failed: the range stays what it is
                _file.Stop();
            }
        }
    }

    public void Dispose()
    {
        _readBack.Dispose();
        _table.Dispose();
    }

    private void Advance()
    {
        if (!_file.IsDone)
        {
            _file.Advance();
            return;
        }

        bool reads = _range.Stage == IngestStage.Read;
        _range.Advance();
        Damaged += reads ? _readBack.Damaged.Count : 0;
    }

    private void Begin()
    {
        ModelInode[] files = [.. _kernel.Tree.Inodes.Values.Where(i => i.IsRegular && i.Nlink > 0 && i.Blocks.Count > 0)];
        if (files.Length == 0)
        {
            return;
        }

        // files that may have an equal one more often than others
        ModelInode[] copies = [.. files.Where(SimKernel.HoldsCopy)];
        files = copies.Length > 0 && _random.Next(2) == 0 ? copies : files;
        ModelInode[] pieces = [.. _kernel.FilesOfPieces.Distinct().Where(_kernel.Tree.Inodes.ContainsKey).Select(i => _kernel.Tree.Inodes[i]).Where(i => i.IsRegular && i.Nlink > 0)]; // (others since a crash)
        files = pieces.Length > 0 && _random.Next(3) == 0 ? pieces : files;
        ModelInode file = files[_random.Next(files.Length)];
        ulong from = (ulong)_random.Next(130);
        uint blocks = (uint)_random.Next(1, 80);
        if (_random.Next(3) > 0)
        {
            _file.Begin(file.Ino, blocks);
            return;
        }

        if (_random.Next(6) == 0 && !_kernel.IsFull)
        {
            var args = new SealArgs
            {
                Ino = file.Ino,
                Generation = file.Generation,
                MapSeq = ulong.MaxValue,
                FileBlock = from,
                Blocks = blocks,
            };
            _kernel.Unseal(ref args);
            return;
        }

        _range.Begin(file.Ino, _random.Next(2) == 0 ? 0 : from, blocks);
    }
}
