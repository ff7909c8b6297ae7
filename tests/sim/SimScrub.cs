// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Engine.Scrub;
using DeepLake.Storage;

namespace DeepLake.Sim;

/// <summary>
/// The scrub of all daemons of a lake, with the seed for its threads: steps of laked's own pass, with anything
/// between two of them. It reads past the device's count of operations, so that what fails does not depend on
/// it. Whatever it wrote down last and knows to be durable, or something newer, a recovery has to give back.
/// </summary>
internal sealed class SimScrub(int seed, FaultyBlockDevice device) : IDisposable
{
    private readonly Random _random = new(seed);
    private readonly List<ScrubItem> _put = [];
    private readonly ScrubLedger _ledger = new();
    private int _durable;
    private int _rounds;
    private LakeEngine? _engine;
    private ScrubReader? _reader;
    private ScrubPass? _pass;

    /// <summary>Blocks of files that it found to be damaged.</summary>
    public int Damaged { get; private set; }

    /// <summary>Blocks of files that passes to their end have compared.</summary>
    public long Compared { get; private set; }

    /// <summary>A daemon has recovered; whether what it knows of the scrub is what was written down.</summary>
    public bool Load(LakeEngine engine)
    {
        ScrubRecord record = engine.LoadScrub();
        int at = _put.FindLastIndex(item => item.Equals(record.Item));
        bool isRight = at >= _durable - 1 && (at >= 0 || record.Item.Equals(default(ScrubItem)));
        _put.RemoveRange(at + 1, _put.Count - at - 1);
        _durable = _put.Count;
        _ledger.Load(record);
        return isRight;
    }

    public void Begin(LakeEngine engine)
    {
        _engine = engine;
        _reader = new ScrubReader(new PeekingDevice(device), engine.Superblock);
        _pass = new ScrubPass(engine, _reader, _ledger) { Now = () => 5, Found = _ => Damaged++ };
    }

    public void Step()
    {
        if (!_engine!.HasUncommitted)
        {
            _durable = _put.Count;
        }

        // what it has looked at may be gone by the time it is read: now and then long ago
        for (int steps = _rounds-- > 0 ? 0 : _random.Next(6); steps > 0; steps--)
        {
            Next();
            _rounds = _random.Next(4) == 0 ? _random.Next(150) : 0;
        }
    }

    public void End()
    {
        _reader?.Dispose();
        _reader = null;
    }

    public void Dispose() => End();

    private void Next()
    {
        if (!_ledger.IsRunning || _random.Next(200) == 0)
        {
            _ = _ledger.Stop() || _ledger.Start((ulong)_random.Next(9), 5);
            Put();
            return;
        }

        ulong pass = _ledger.Copy().Item.EndedPass;
        _pass!.Advance();
        if (_ledger.Copy().Item is var item && item.EndedPass != pass)
        {
            Compared += (long)item.EndedBlocks;
            Put();
        }
        else if (_random.Next(30) == 0)
        {
            Put();
        }
    }

    private void Put()
    {
        ScrubRecord record = _ledger.Copy();
        if (_engine!.PutScrub(record))
        {
            _put.Add(record.Item with { Findings = (uint)Math.Min(record.Findings.Count, LakeFormat.ScrubFindingsMax) });
        }
    }

    private sealed class PeekingDevice(FaultyBlockDevice device) : IBlockDevice
    {
        public long LengthBytes => device.LengthBytes;

        public void Read(Span<byte> buffer, long offset) => device.Peek(buffer, offset);

        public void Write(ReadOnlySpan<byte> buffer, long offset) => throw new InvalidOperationException("the scrub writes nothing");

        public void Flush()
        {
        }

        public void Dispose()
        {
        }
    }
}
