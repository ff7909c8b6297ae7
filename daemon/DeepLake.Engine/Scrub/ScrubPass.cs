// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.State;
using DeepLake.Storage;

namespace DeepLake.Engine.Scrub;

/// <summary>
/// Compares all checked blocks of a lake that goes on with the checksum table, a step at a time: file after
/// file in the order of their numbers, as the maps are. That order is the only one which a change of the lake
/// leaves alone, so a position in it is enough to go on by, in another process too; and who has a block is
/// known without a map from blocks to files, which there is none of. A block that several files map is read
/// once, as long as the process lives; of a skewed extent one block of the device is up to two of the file, of a pack all
/// that is in it. What was freed, and perhaps used for something else, while it was read
/// is no damage: of a block that differs the engine is asked again, it is read again, and the engine is asked
/// once more. A freed block is not used again before the engine has applied and committed that.
/// </summary>
/// <param name="engine">Who knows the maps.</param>
/// <param name="reader">Reads and compares.</param>
/// <param name="ledger">How far it is; a pass must have begun in it.</param>
public sealed class ScrubPass(IScrubEngine engine, ScrubReader reader, ScrubLedger ledger)
{
    private const uint ViewBlocks = 1024;

    // The file changed meanwhile, elsewhere perhaps: then all is looked at once more, but not for ever.
    private const int TriesMost = 8;

    private readonly BlockSet _seen = new();
    private readonly List<(ScrubRun Block, ScrubKind Kind)> _suspects = [];
    private readonly List<(ScrubRun Block, ScrubKind Kind)> _damaged = [];
    private readonly List<ScrubRun> _holders = [];
    private ScrubView _view = ScrubView.Empty;
    private Action? _step;
    private ulong _pass;
    private int _suspect;
    private int _tries;
    private ScrubPlace _place;
    private ScrubPosition _holdersAt;

    /// <summary>Wall clock, Unix time.</summary>
    public required Func<ulong> Now { get; init; }

    /// <summary>Told of what was found, after it is in the ledger.</summary>
    public Action<ScrubFinding>? Found { get; init; }

    /// <summary>Does the next step; nothing when no pass is under way.</summary>
    /// <exception cref="StorageException">The device is gone.</exception>
    public void Advance()
    {
        if (!ledger.IsRunning)
        {
            Forget();
            return;
        }

        if (_pass != ledger.Pass)
        {
            Forget();
            _pass = ledger.Pass;
            _seen.Clear();
        }

        (_step ?? Look)();
    }

    /// <summary>What was looked at is looked at again when it goes on.</summary>
    public void Forget()
    {
        if (_step is not null)
        {
            _seen.Clear(); // some are of that view, whose findings are forgotten: shared blocks are read twice rather than not
        }

        _step = null;
    }

    private void Look()
    {
        _suspects.Clear();
        _damaged.Clear();
        _holders.Clear();
        _view = engine.LookForScrub(ledger.Position, ViewBlocks);
        reader.Forget();
        _step = Read;
    }

    private void Read()
    {
        foreach (ScrubRun run in _view.Runs)
        {
            if (!run.IsShared)
            {
                reader.Compare(run, 0, run.DeviceBlocks, _suspects);
                continue;
            }

            for (uint from = 0; from < run.DeviceBlocks;)
            {
                uint to = from;
                while (to < run.DeviceBlocks && _seen.Add(run.PhysBlock + to))
                {
                    to++;
                }

                reader.Compare(run, from, to - from, _suspects);
                from = to + 1; // that one has been read
            }
        }

        (_suspect, _tries) = (0, 0);
        _step = AskFirst;
    }

    private void AskFirst()
    {
        if (_suspect == _suspects.Count)
        {
            _holdersAt = default;
            _step = _damaged.Exists(d => d.Block.IsShared) ? FindHolders : End;
            return;
        }

        _place = Ask();
        _step = ReadAgain;
        if (!_place.IsThere)
        {
            NextSuspect();
        }
    }

    private void ReadAgain()
    {
        (ScrubRun block, _) = _suspects[_suspect];
        if (reader.CompareAgain(block.PhysBlock) is { } kind)
        {
            _suspects[_suspect] = (block, kind);
            _step = AskLast;
        }
        else
        {
            NextSuspect();
        }
    }

    private void AskLast()
    {
        ScrubPlace now = Ask();
        if (now.IsThere && now.ChangedSeq > _place.AppliedSeq && _tries++ < TriesMost)
        {
            _place = now;
            _step = ReadAgain;
            return;
        }

        if (now.IsThere)
        {
            (ScrubRun block, ScrubKind kind) = _suspects[_suspect];
            _damaged.Add((block with { IsShared = now.IsShared }, kind));
        }

        NextSuspect();
    }

    private ScrubPlace Ask()
    {
        ScrubRun block = _suspects[_suspect].Block;
        return engine.LookAtPlace(block.Ino, block.FileBlock, block.PhysBlock);
    }

    private void NextSuspect()
    {
        _suspect++;
        _tries = 0;
        _step = AskFirst;
    }

    /// <summary>A part of the search for all files that map what is damaged.</summary>
    private void FindHolders()
    {
        _holdersAt = engine.FindHolders(_holdersAt, [.. _damaged.Where(d => d.Block.IsShared).Select(d => (d.Block.PhysBlock, 1ul))], _holders);
        if (_holdersAt.IsEnd)
        {
            _step = End;
        }
    }

    private void End()
    {
        foreach ((ScrubRun block, ScrubKind kind) in _damaged)
        {
            bool isNew = Note(block, kind);
            foreach (ScrubRun holder in _holders.Where(h => h.PhysBlock == block.PhysBlock && (h.Ino, h.FileBlock) != (block.Ino, block.FileBlock)))
            {
                Note(holder, kind);
            }

            ledger.CountDamaged(isNew ? 1ul : 0ul);
        }

        ulong blocks = (ulong)_view.Runs.Sum(r => r.Blocks);
        ledger.Move(_view.Next, blocks);
        if (_view.Next.IsEnd)
        {
            ledger.End(Now());
        }

        _step = null;
    }

    private bool Note(in ScrubRun block, ScrubKind kind)
    {
        var finding = new ScrubFinding
        {
            Ino = block.Ino,
            FileBlock = block.FileBlock,
            PhysBlock = block.PhysBlock,
            FoundSec = Now(),
            Pass = _pass,
            Blocks = block.Blocks,
            Kind = kind,
        };
        bool isNew = ledger.Note(finding);
        if (isNew)
        {
            Found?.Invoke(finding);
        }

        return isNew;
    }
}
