// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine.Archive;

/// <summary>
/// Writes a base of the archive from a held checkpoint, on any thread; the engine goes on. It may stop
/// after any step: what is not finished belongs to nobody.
/// </summary>
public sealed class BaseWriter
{
    private const int PageBytes = LakeFormat.BlockSize;
    private const uint LeastBlocks = LakeFormat.ArchiveMetaBlocks + 8;

    private readonly IBlockDevice _device;
    private readonly IArchiveEngine _engine;
    private readonly EngineOptions _options;
    private readonly List<ArchiveEntry> _parts = [];
    private ArchiveEntry _part;
    private int _bytes;
    private ulong _pagesLeft;

    /// <param name="device">The lake's, opened for this or on the engine's thread.</param>
    /// <param name="engine">Reached on its own thread.</param>
    /// <param name="options">Budgets for reading the checkpoint, beside the engine's own.</param>
    public BaseWriter(IBlockDevice device, IArchiveEngine engine, EngineOptions options)
    {
        _device = device;
        _engine = engine;
        _options = options;
    }

    /// <summary>Asked before each segment; true ends it.</summary>
    public Func<bool> IsStopped { get; init; } = () => false;

    /// <summary>Told how many bytes are going to be written, to wait as long as it wants.</summary>
    public Action<int> Pace { get; init; } = _ => { };

    /// <summary>Writes one; false when that was not possible or not finished.</summary>
    public bool Run()
    {
        if (_engine.BeginBase() is not { } begun)
        {
            return false;
        }

        try
        {
            using AlignedBuffer buffer = ArchiveSegment.CreateBuffer();
            using (LakeSnapshot snapshot = LakeSnapshot.Open(new ReadOnlyOverlayDevice(_device), begun.Source, _options))
            {
                _pagesLeft = begun.Pages;
                snapshot.Tree.VisitPages(page => Add(page, begun, buffer));
            }

            if (_pagesLeft != 0)
            {
                throw new BaseEndException(); // the tree is not what it counts
            }
        }
        catch (Exception failure) when (failure is BaseEndException or StorageException or MetadataCorruptException)
        {
            // a checkpoint that was given up meanwhile reads like a damaged one
            _engine.AbandonBase();
            return false;
        }

        return _engine.FinishBase(begun, CollectionsMarshal.AsSpan(_parts));
    }

    private void Add(ReadOnlySpan<byte> page, ArchiveBase begun, AlignedBuffer buffer)
    {
        if (_bytes == 0)
        {
            _part = Lease(begun);
        }

        page.CopyTo(buffer.Slice(ArchiveSegment.MetaBytes + _bytes, PageBytes));
        _bytes += PageBytes;
        _pagesLeft--;
        if (_pagesLeft == 0 || ArchiveSegment.BlocksFor(_bytes) == _part.Item.Blocks)
        {
            Write(begun, buffer);
        }
    }

    /// <summary>As many blocks in a row as there are, up to a whole segment; the last part takes what it needs.</summary>
    private ArchiveEntry Lease(ArchiveBase begun)
    {
        if (IsStopped() || _pagesLeft == 0)
        {
            throw new BaseEndException();
        }

        ulong bytes = Math.Min(_pagesLeft * PageBytes, ArchiveSegment.MaxPayloadBytes);
        for (uint blocks = ArchiveSegment.BlocksFor((int)bytes); ; blocks /= 2)
        {
            if (_engine.TryLeaseSegment(blocks, out ArchiveEntry segment))
            {
                if (_parts.Count == 0)
                {
                    segment.Number = begun.FirstNumber;
                }

                _parts.Add(segment);
                return segment;
            }

            if (blocks / 2 < LeastBlocks)
            {
                throw new BaseEndException();
            }
        }
    }

    private void Write(ArchiveBase begun, AlignedBuffer buffer)
    {
        Superblock superblock = begun.Source.Superblock;
        var header = new ArchiveHeader
        {
            Number = _part.Number,
            StartBlock = _part.Item.Block,
            Kind = ArchiveKind.Base,
            Part = (uint)(_parts.Count - 1),
            Flags = _pagesLeft == 0 ? ArchiveFlags.Last : default,
            PayloadBytes = (ulong)_bytes,
            FirstLsn = superblock.CheckpointWalLsn,
            NextLsn = superblock.CheckpointWalLsn,
            Seq = begun.Seq,
            WrittenSec = superblock.WrittenSec,
        };
        Pace(_bytes);
        if (_pagesLeft == 0 && !_engine.EndReading())
        {
            throw new BaseEndException();
        }

        ArchiveSegment.Write(_device, buffer, superblock, header);
        _bytes = 0;
    }
}
