// SPDX-License-Identifier: MPL-2.0
using DeepLake.Engine;
using DeepLake.Engine.Ingest;
using DeepLake.Platform;

namespace DeepLake.Laked.Ingest;

/// <summary>
/// Goes through all files from time to time, or when somebody asks, and packs those that nothing has changed for long;
/// then rewrites packs that are hardly used any more, when there may be such. Little as long as the ingest has something
/// else to do, but it never stands still: a lake that is always busy is packed, too. On the ingest's thread, but for
/// <see cref="Ask"/>.
/// </summary>
/// <param name="packs">Packs a file.</param>
/// <param name="collector">Rewrites packs.</param>
/// <param name="run">Has something done on the engine's thread.</param>
/// <param name="policy">When.</param>
/// <param name="clock">Only goes forward.</param>
/// <param name="wallClock">What files' times are compared with.</param>
internal sealed class PackPass(
    PackIngest packs, PackCollector collector, Action<Action<LakeEngine>> run, PackPolicy policy, Func<TimeSpan> clock, TimeProvider wallClock)
{
    private readonly List<ulong> _found = [];
    private readonly Queue<PackRequest> _asked = [];
    private Action? _stage;
    private PackRequest _request = new();
    private TimeSpan _beginAt = policy.FirstPause;
    private ulong _from;
    private int _next;
    private ulong _lostBefore;
    private (ulong Blocks, ulong Into) _packedBefore;
    private bool _hasCollected;

    /// <summary>Called before each file, to wait until there is time for it.</summary>
    public required Action<int> Pace { get; init; }

    /// <summary>Looked at after each step: something else is to be done.</summary>
    public required Func<bool> MustYield { get; init; }

    /// <summary>Looked at before each step: nothing is to be done any more.</summary>
    public required Func<bool> IsStopped { get; init; }

    /// <summary>Waits a little for the engine.</summary>
    public required Action Wait { get; init; }

    /// <summary>Told at the end of a pass that packed something: blocks of files, and of the packs that they lie in.</summary>
    public required Action<ulong, ulong> Packed { get; init; }

    /// <summary>A pass as soon as possible; for any thread.</summary>
    public void Ask(PackRequest request)
    {
        lock (_asked)
        {
            _asked.Enqueue(request);
        }
    }

    /// <summary>Does what there is to do until something else is, and a few steps in any case.</summary>
    public void Work()
    {
        if (_stage is null)
        {
            Begin();
        }

        for (int steps = 0; _stage is { } stage && (steps < PackPolicy.StepsLeast || !MustYield()) && !IsStopped(); steps++)
        {
            stage();
        }
    }

    /// <summary>Nothing more comes: who waits is told.</summary>
    public void Leave()
    {
        _request.End(Errno.ESHUTDOWN);
        lock (_asked)
        {
            while (_asked.TryDequeue(out PackRequest? request))
            {
                request.End(Errno.ESHUTDOWN);
            }
        }
    }

    private void Begin()
    {
        lock (_asked)
        {
            if (!_asked.TryDequeue(out PackRequest? asked) && (!policy.IsOn || clock() < _beginAt))
            {
                return;
            }

            _request = asked ?? new PackRequest();
        }

        _found.Clear();
        (_from, _next) = (0, 0);
        run(engine => _request.Files = (0, engine.GetStats().Inodes));
        _packedBefore = (packs.Packed, packs.PackedInto);
        _stage = _request.IsDryRun ? Collect : Files;
    }

    private void Files()
    {
        if (!packs.IsDone)
        {
            Step(packs.Advance, () => packs.IsWaiting);
        }
        else if (!IsRefused(packs.Refusal))
        {
            NextFile();
        }
    }

    private void NextFile()
    {
        if (_next < _found.Count)
        {
            Pace(IngestPolicy.BytesPerFile);
            packs.Begin(_found[_next++]);
        }
        else if (_from == ulong.MaxValue)
        {
            packs.Finish();
            _stage = Finish;
        }
        else
        {
            _found.Clear();
            _next = 0;
            long unchangedSince = _request.IsAll ? long.MaxValue : wallClock.GetUtcNow().ToUnixTimeSeconds() - (long)policy.After.TotalSeconds;
            run(engine => _from = engine.FindPackable(_from, PackPolicy.InodesOfALook, unchangedSince, _found));
            _request.Files = (_request.Files.Done + PackPolicy.InodesOfALook, _request.Files.All);
            Pace(PackPolicy.BytesOfALook);
        }
    }

    private void Finish()
    {
        if (!packs.IsDone)
        {
            Step(packs.Advance, () => packs.IsWaiting);
        }
        else if (!IsRefused(packs.Refusal))
        {
            _request.Packed = (packs.Packed - _packedBefore.Blocks, packs.PackedInto - _packedBefore.Into);
            if (_request.Packed.Blocks > 0)
            {
                Packed(_request.Packed.Blocks, _request.Packed.Into);
            }

            _stage = Collect;
        }
    }

    /// <summary>Two walks over all maps: when somebody asked, and when enough has left packs since the last time.</summary>
    private void Collect()
    {
        ulong lost = 0;
        EngineStats? stats = null;
        run(engine => (lost, stats) = (engine.PackedBlocksLost, engine.GetStats()));
        bool isWorthIt = _request.IsAsked || !_hasCollected || lost - _lostBefore >= PackPolicy.LostBlocks(stats!.PackedBlocks);
        if (stats!.PackBlocks == 0 || !isWorthIt)
        {
            End(Errno.None);
            return;
        }

        _lostBefore = lost;
        _hasCollected |= !_request.IsDryRun;
        collector.Begin(_request.IsDryRun);
        _stage = Collecting;
    }

    private void Collecting()
    {
        if (!collector.IsDone)
        {
            Step(collector.Advance, () => collector.IsWaiting);
            return;
        }

        _request.Collected = collector.Found;
        if (!IsRefused(collector.Refusal))
        {
            End(Errno.None);
        }
    }

    private void Step(Action advance, Func<bool> isWaiting)
    {
        advance();
        if (isWaiting())
        {
            Wait();
        }
    }

    private bool IsRefused(Errno refusal)
    {
        switch (refusal)
        {
            case Errno.None:
                return false;
            case Errno.ENOSPC or Errno.ENOMEM or Errno.EINTR:
                End(refusal);
                return true;
            default:
                throw new IngestEndException(); // detached, shut down, read-only
        }
    }

    private void End(Errno refusal)
    {
        _stage = null;
        _beginAt = clock() + policy.Pause;
        _request.End(refusal);
    }
}
