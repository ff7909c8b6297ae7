// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Engine.Ingest;
using DeepLake.Metadata.Tables;
using DeepLake.Packs;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Sim;

/// <summary>
/// The packer of one daemon, with the seed for its thread: takes ranges of files that are checked, reads them, puts
/// them into a pack, or out of one, and asks for the REMAPs one after the other, with anything between two steps.
/// </summary>
internal sealed class SimPacker : IDisposable
{
    private const int PartsMost = 5;
    private const int UnpackedMost = 60;

    private readonly Random _random;
    private readonly KernelMix _mix;
    private readonly SimKernel _kernel;
    private readonly FaultyBlockDevice _device;
    private readonly SimEngine _engine;
    private readonly PackedWriter _writer;
    private readonly PackedReader _reader;
    private readonly List<PackPart> _parts = [];
    private readonly List<byte> _content = [];
    private Stage _stage;
    private bool _unpacks;
    private int _next;
    private ulong _start;
    private uint _span;
    private ulong _lastSeq;

    public SimPacker(int seed, KernelMix mix, SimKernel kernel, FaultyBlockDevice device, LakeEngine engine)
    {
        _random = new Random(seed);
        (_mix, _kernel, _device, _engine) = (mix, kernel, device, new SimEngine(engine));
        _writer = new PackedWriter(_random, device, engine.Superblock);
        _reader = new PackedReader(device, engine.Superblock);
    }

    private enum Stage
    {
        Choose,
        Read,
        Write,
        Remap,
        Release,
    }

    /// <summary>Blocks of files that it found to be damaged.</summary>
    public int Damaged { get; private set; }

    public void Step()
    {
        if (_random.Next(10) >= _mix.Pack)
        {
            return;
        }

        for (int steps = _random.Next(4) switch { 0 => 1, 1 => 2, _ => 5 }; steps > 0; steps--)
        {
            try
            {
                Advance();
            }
            catch (StorageException) when (!_device.IsDead && !_device.IsKilled && !_engine.HasFailed)
            {
                _writer.Forget();
                _stage = _span > 0 ? Stage.Release : Stage.Choose; // the device failed
            }
        }
    }

    public void Dispose()
    {
        _kernel.ForgetPacks();
        _writer.Dispose();
        _reader.Dispose();
    }

    private void Advance()
    {
        switch (_stage)
        {
            case Stage.Choose: Choose(); break;
            case Stage.Read: Read(); break;
            case Stage.Write: Write(); break;
            case Stage.Remap: Remap(); break;
            default: Release(); break;
        }
    }

    /// <summary>Ranges of one file or of several; those of packs, too, or only one of these, to be unpacked.</summary>
    private void Choose()
    {
        _parts.Clear();
        _content.Clear();
        _unpacks = _random.Next(4) == 0;
        int parts = _unpacks ? 1 : _random.Next(1, PartsMost + 1);
        int most = _unpacks ? UnpackedMost : LakeFormat.PackBlocks;
        HashSet<ulong> left = _random.Next(4) == 0 ? [] : [.. _kernel.FilesOfPieces]; // else hardly anything would be shared within blocks
        ModelInode[] files = [.. _kernel.Tree.Inodes.Values.Where(i => i.IsRegular && i.Nlink > 0 && !left.Contains(i.Ino) && i.Blocks.Values.Any(b => b.IsChecked && (b.IsPacked || !_unpacks)))];
        for (int index = 0; parts > 0 && files.Length > 0 && index < most; parts--)
        {
            ModelInode file = files[_random.Next(files.Length)];
            if (TryFind(file, most - index, out PackPart? part))
            {
                _parts.Add(part with { Index = index });
                index += (int)part.Blocks;
            }

            files = _random.Next(2) == 0 ? [file] : files; // more of the same, perhaps
        }

        _stage = _parts.Count > 0 ? Stage.Read : Stage.Choose;
    }

    /// <summary>As the engine has it, which may not know yet what the kernel does.</summary>
    private bool TryFind(ModelInode file, int most, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out PackPart? part)
    {
        part = null;
        ulong[] blocks = [.. file.Blocks.Where(b => b.Value.IsChecked && (b.Value.IsPacked || !_unpacks)).Select(b => b.Key)];
        ulong first = blocks[_random.Next(blocks.Length)];
        uint count = (uint)_random.Next(1, most + 1);
        if (_engine.LookForSeal(file.Ino, first, count) is not { } view || _engine.LookAtContent(file.Ino, 0) is not { } content || view.FileBlock != first)
        {
            return false;
        }

        ulong end = first;
        foreach (SealPiece piece in view.Pieces.TakeWhile(p => p.IsChecked && p.IsWritten))
        {
            end = piece.FileBlock == end ? piece.FileBlock + piece.Blocks : end;
        }

        bool isOverlapping = _parts.Any(p => p.Ino == file.Ino && p.FileBlock < end && first < p.FileBlock + p.Blocks);
        if (end == first || isOverlapping || !_kernel.CanMove(file, first, end - first))
        {
            return false;
        }

        part = new PackPart(file.Ino, view.Generation, first, end - first, 0, content.DataSeq, view.AppliedSeq);
        return true;
    }

    private void Read()
    {
        foreach (PackPart part in _parts)
        {
            if (_engine.LookForSeal(part.Ino, part.FileBlock, (uint)part.Blocks) is not { } view || !IsStill(part))
            {
                _stage = Stage.Choose;
                return;
            }

            foreach (SealPiece piece in view.Pieces)
            {
                if (_reader.Read(piece.Extent) is { } bytes)
                {
                    _content.AddRange(bytes);
                    continue;
                }

                Damaged++;
                _stage = Stage.Choose;
                return;
            }
        }

        _stage = Stage.Write;
    }

    /// <summary>Blocks that nobody has get the bytes, and their entries the sums.</summary>
    private void Write()
    {
        _stage = Stage.Choose;
        byte[] bytes = [.. _content];
        if ((_unpacks ? bytes : _writer.Pack(bytes)) is not { } written)
        {
            return; // it does not fit
        }

        uint span = (uint)(written.Length / LakeFormat.BlockSize);
        if (_engine.LeasePack(span) is not { } start)
        {
            return;
        }

        _start = start;
        (_span, _next, _lastSeq) = (span, 0, 0);
        _stage = Stage.Release; // should the device fail
        _kernel.HoldPack(_start, span);
        _writer.Write(_start, written);
        _stage = Stage.Remap;
    }

    private void Remap()
    {
        if (_next == _parts.Count)
        {
            _stage = Stage.Release;
            return;
        }

        PackPart part = _parts[_next++];
        bool looksAgain = _random.Next(4) > 0; // without it the kernel has to refuse what has changed
        if (looksAgain && !IsStill(part))
        {
            return;
        }

        Extent moved = _unpacks
            ? new Extent(part.FileBlock, _start, (uint)part.Blocks, ExtentFlags.Sealed | ExtentFlags.Checked, 0)
            : Extent.InPack(part.FileBlock, _start, _span, (uint)part.Index, (uint)part.Blocks);
        bool isWrong = Planted.Is(PlantedFault.RemapNamesTheWrongPlace) && part.Index > 0;
        var args = new RemapArgs
        {
            Ino = part.Ino,
            Generation = part.Generation,
            Flags = moved.Flags,
            MapSeq = looksAgain ? _engine.AppliedSeq : part.MapSeq,
            FileBlock = part.FileBlock,
            PhysBlock = moved.PhysBlock - (isWrong ? 1u : 0u),
            Blocks = part.Blocks,
        };
        Errno error = _kernel.Remap(ref args);
        _lastSeq = error == Errno.None ? args.Seq : _lastSeq;
        if (error == Errno.EBUSY && _random.Next(2) == 0)
        {
            _next--;
        }
    }

    /// <summary>When all that was recorded is applied, nothing more is going to come to these blocks.</summary>
    private void Release()
    {
        bool takesItsTime = _random.Next(3) > 0;
        if ((takesItsTime || _engine.AppliedSeq < _lastSeq) && !Planted.Is(PlantedFault.PackReleasedBeforeItsRemaps))
        {
            return;
        }

        _writer.WriteLate();
        _engine.ReleasePack(_start, _span);
        _kernel.ForgetPacks();
        _span = 0;
        _stage = Stage.Choose;
    }

    private bool IsStill(PackPart part) =>
        _engine.LookAtContent(part.Ino, 0) is { } now && now.DataSeq == part.DataSeq && _engine.LookForSeal(part.Ino, part.FileBlock, 1)?.Generation == part.Generation;

    /// <param name="Ino">A file.</param>
    /// <param name="Generation">Its generation.</param>
    /// <param name="FileBlock">Where the range begins.</param>
    /// <param name="Blocks">How many.</param>
    /// <param name="Index">Its place in the pack.</param>
    /// <param name="DataSeq">While the file has this, its bytes are what they were.</param>
    /// <param name="MapSeq">Applied when it was chosen.</param>
    private sealed record PackPart(ulong Ino, uint Generation, ulong FileBlock, ulong Blocks, int Index, ulong DataSeq, ulong MapSeq);
}
