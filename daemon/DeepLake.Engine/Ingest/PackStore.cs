// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Packs;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine.Ingest;

/// <summary>
/// Writes packs and has the kernel map them: some of them are written, with their checksums; then each part is asked
/// for, when its file still has these bytes where they were read. Nothing is flushed for it: the commit that makes what
/// is asked for durable begins with a flush. A step at a time. What was written and asked for by nobody is free again in the end, and so is everything when this process dies.
/// </summary>
/// <param name="engine">Who knows the files, and gives blocks.</param>
/// <param name="kernel">Who is asked.</param>
/// <param name="device">Written to.</param>
/// <param name="table">Its checksum table.</param>
public sealed class PackStore(IPackEngine engine, IRemapper kernel, IBlockDevice device, ChecksumTable table) : IDisposable
{
    /// <summary>So many packs are written before their parts are asked for.</summary>
    private const int PacksMost = 16;

    private const int TriesMost = 2;

    private readonly PackWriter _writer = new();
    private readonly AlignedBuffer _buffer = new(PackFormat.ContentMax);
    private readonly List<Written> _written = [];
    private readonly HashSet<ulong> _refused = [];
    private int _pack;
    private int _part;
    private int _tries;
    private ulong _askedSeq;

    /// <summary>All there is room for before <see cref="BeginAsking"/>.</summary>
    public bool IsFull => _written.Count == PacksMost;

    /// <summary>Blocks of files that were moved into packs, ever.</summary>
    public ulong Packed { get; private set; }

    /// <summary>Device blocks of these packs.</summary>
    public ulong PackedInto { get; private set; }

    /// <summary>Why the kernel, or the lake's free space, ended it.</summary>
    public Errno Refusal { get; private set; }

    /// <summary>Nothing has ended it yet.</summary>
    public void Begin() => Refusal = Errno.None;

    /// <summary>
    /// Whether some of a file was not moved because the kernel could not: somebody reads it, perhaps. Asked once for a file.
    /// </summary>
    public bool TakeRefused(ulong ino) => _refused.Remove(ino);

    /// <summary>Nobody is going to ask for them any more.</summary>
    public void ForgetRefused() => _refused.Clear();

    /// <summary>Whether some blocks are worth being in a pack with others.</summary>
    public bool IsWorthIt(ReadOnlySpan<byte> content) => _writer.IsCompressible(content, _buffer.Span);

    /// <summary>
    /// Whether a batch is worth being a pack: it saves a quarter at least. Then it is written.
    /// </summary>
    /// <param name="batch">What to write.</param>
    /// <param name="always">It is worth it anyway: one block less than a pack's, at most.</param>
    /// <exception cref="StorageException">The device failed.</exception>
    public bool TryWrite(PackBatch batch, bool always = false)
    {
        int most = always ? LakeFormat.PackBlocks : (int)batch.Blocks * 3 / 4;
        int blocks = most == 0 ? 0 : _writer.Pack(batch.Content, _buffer.Slice(0, most * LakeFormat.BlockSize));
        if (blocks == 0)
        {
            return false;
        }

        if (!engine.TryLeasePack((uint)blocks, out ulong start))
        {
            Refusal = Errno.ENOSPC;
            return false;
        }

        Span<uint> sums = stackalloc uint[LakeFormat.PackBlocks];
        Span<byte> bytes = _buffer.Slice(0, blocks * LakeFormat.BlockSize);
        for (int i = 0; i < blocks; i++)
        {
            sums[i] = Crc32C.Compute(bytes.Slice(i * LakeFormat.BlockSize, LakeFormat.BlockSize));
        }

        device.Write(bytes, (long)start * LakeFormat.BlockSize);
        table.Forget(); // what is written with them is of now
        table.Stage(start, sums[..blocks]);
        table.Store();
        _written.Add(new Written(start, (uint)blocks, [.. batch.Parts]));
        return true;
    }

    /// <summary>Begins to have the kernel map what was written.</summary>
    public void BeginAsking() => (_pack, _part, _tries) = (0, 0, 0);

    /// <summary>Does the next part; false when all are done and applied.</summary>
    /// <param name="isWaiting">It did nothing: what was asked for is not applied yet.</param>
    public bool Advance(out bool isWaiting)
    {
        isWaiting = false;
        if (_pack < _written.Count)
        {
            if (_part < _written[_pack].Parts.Count)
            {
                Ask(_written[_pack]);
            }
            else
            {
                (_pack, _part) = (_pack + 1, 0);
            }

            return true;
        }

        isWaiting = engine.AppliedSeq < _askedSeq;
        if (!isWaiting)
        {
            Release();
        }

        return isWaiting;
    }

    public void Dispose()
    {
        _writer.Dispose();
        _buffer.Dispose();
    }

    private void Release()
    {
        foreach (Written pack in _written)
        {
            engine.ReleasePack(pack.Start, pack.Blocks);
        }

        _written.Clear();
    }

    private void Ask(Written pack)
    {
        PackPart part = pack.Parts[_part];
        SealView? now = engine.LookForSeal(part.Ino, part.FileBlock, part.Blocks);
        if (now is null || now.MetadataIsFull || !HasSamePlaces(now, part))
        {
            NextPart();
            return;
        }

        var args = new RemapArgs
        {
            Ino = part.Ino,
            Generation = now.Generation,
            Flags = ExtentFlags.Sealed | ExtentFlags.Checked | ExtentFlags.Packed | ((pack.Blocks - 1) << ExtentFlags.SpanShift),
            MapSeq = now.AppliedSeq,
            FileBlock = part.FileBlock,
            PhysBlock = (pack.Start << LakeFormat.PackBits) + part.Index,
            Blocks = part.Blocks,
        };
        Errno answer = kernel.Remap(ref args);
        switch (answer)
        {
            case Errno.None:
                _askedSeq = Math.Max(_askedSeq, args.Seq);
                Packed += part.Blocks;
                PackedInto += pack.IsMapped ? 0ul : pack.Blocks;
                pack.IsMapped = true;
                break;
            case Errno.EAGAIN when _tries < TriesMost:
                _tries++; // a kernel that had to load the inode takes it for changed up to then
                return;
            case Errno.EAGAIN or Errno.EBUSY or Errno.ENOENT or Errno.EINVAL:
                _refused.Add(part.Ino); // these blocks stay where they are
                break;
            default:
                Refusal = answer;
                (_pack, _part) = (_written.Count, 0);
                return;
        }

        NextPart();
    }

    /// <summary>
    /// Whether the part lies where it was read, all of it checked still: then its bytes are what was read, as what is
    /// checked is not written in place and only the ingest makes blocks checked.
    /// </summary>
    private static bool HasSamePlaces(SealView now, PackPart part)
    {
        ulong pos = part.FileBlock;
        foreach (SealPiece piece in now.Pieces)
        {
            ulong end = Math.Min(piece.FileEnd, part.FileBlock + part.Blocks);
            SealPiece? before = part.View.Pieces.FirstOrDefault(p => p.FileBlock <= pos && p.FileEnd > pos);
            if (piece.FileBlock != pos || !piece.IsChecked || before is null || before.FileEnd < end
                || piece.Extent.FirstByte != before.Extent.Slice(pos, before.FileEnd).FirstByte)
            {
                return false;
            }

            pos = end;
        }

        return pos == part.FileBlock + part.Blocks;
    }

    private void NextPart()
    {
        _part++;
        _tries = 0;
    }

    private sealed class Written(ulong start, uint blocks, IReadOnlyList<PackPart> parts)
    {
        public ulong Start => start;

        public uint Blocks => blocks;

        public IReadOnlyList<PackPart> Parts => parts;

        public bool IsMapped { get; set; }
    }
}
