// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata;
using DeepLake.Packs;
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

    private readonly IBlockDevice _device;
    private readonly IArchiveEngine _engine;
    private readonly EngineOptions _options;
    private readonly List<ArchiveEntry> _parts = [];
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
            using var payload = new AlignedBuffer(ArchiveSegment.MaxPayloadBytes);
            using var frames = new FrameWriter();
            using (LakeSnapshot snapshot = LakeSnapshot.Open(new ReadOnlyOverlayDevice(_device), begun.Source, _options))
            {
                _pagesLeft = begun.Pages;
                snapshot.Tree.VisitPages(page => Add(page, begun, new Part(payload, buffer, frames)));
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

    /// <summary>Pages as they come, the segment that is made of them, and what makes it.</summary>
    private readonly record struct Part(AlignedBuffer Pages, AlignedBuffer Segment, FrameWriter Frames);

    private void Add(ReadOnlySpan<byte> page, ArchiveBase begun, Part part)
    {
        if (_pagesLeft == 0)
        {
            throw new BaseEndException();
        }

        page.CopyTo(part.Pages.Slice(_bytes, PageBytes));
        _bytes += PageBytes;
        _pagesLeft--;
        if (_pagesLeft == 0 || _bytes + PageBytes > ArchiveSegment.MaxPayloadBytes)
        {
            Write(begun, part, 0, _bytes, isLast: _pagesLeft == 0);
            _bytes = 0;
        }
    }

    /// <summary>One segment of these pages; where there are not so many free blocks in a row, several.</summary>
    private void Write(ArchiveBase begun, Part part, int from, int bytes, bool isLast)
    {
        if (IsStopped())
        {
            throw new BaseEndException();
        }

        int stored = ArchiveSegment.Store(part.Frames, part.Pages.Slice(from, bytes), part.Segment, out ArchiveFlags flags);
        if (_engine.TryLeaseSegment(ArchiveSegment.BlocksFor(stored), out ArchiveEntry segment))
        {
            Write(begun, part.Segment, segment, bytes, stored, isLast ? flags | ArchiveFlags.Last : flags);
            return;
        }

        int half = bytes / PageBytes / 2 * PageBytes;
        if (half == 0)
        {
            throw new BaseEndException();
        }

        Write(begun, part, from, half, isLast: false);
        Write(begun, part, from + half, bytes - half, isLast);
    }

    private void Write(ArchiveBase begun, AlignedBuffer buffer, ArchiveEntry segment, int bytes, int stored, ArchiveFlags flags)
    {
        if (_parts.Count == 0)
        {
            segment.Number = begun.FirstNumber;
        }

        _parts.Add(segment);
        Superblock superblock = begun.Source.Superblock;
        var header = new ArchiveHeader
        {
            Number = segment.Number,
            StartBlock = segment.Item.Block,
            Kind = ArchiveKind.Base,
            Part = (uint)(_parts.Count - 1),
            Flags = flags,
            PayloadBytes = (ulong)bytes,
            StoredBytes = (uint)stored,
            FirstLsn = superblock.CheckpointWalLsn,
            NextLsn = superblock.CheckpointWalLsn,
            Seq = begun.Seq,
            WrittenSec = superblock.WrittenSec,
        };
        Pace(stored);
        if (flags.HasFlag(ArchiveFlags.Last) && !_engine.EndReading())
        {
            throw new BaseEndException();
        }

        ArchiveSegment.Write(_device, buffer, superblock, header);
    }
}
