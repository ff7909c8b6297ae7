// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Hash;
using DeepLake.Platform;

namespace DeepLake.Engine.Ingest;

/// <summary>
/// The identity of a file, from its written blocks as they are read from the front to the end. What is left
/// out between them counts as a hole: whoever asks for the result says how many blocks there are.
/// </summary>
public sealed class ContentHasher
{
    private const ulong ZerosAtOnce = 64 << 20; // some hundredths of a second

    private readonly Blake3Hasher _hasher = new();
    private ulong _size;
    private ulong _at;
    private ulong _blocks;
    private bool _isBroken;

    /// <summary>Looked at while a long hole is hashed, which nothing else interrupts.</summary>
    public Func<bool>? IsStopped { get; init; }

    /// <summary>Gets the content, too: its holes are what is left out.</summary>
    public AnchorLister? Anchors { get; init; }

    public void Begin(ulong size)
    {
        _hasher.Reset();
        Anchors?.Begin();
        (_size, _at, _blocks, _isBroken) = (size, 0, 0, false);
    }

    /// <summary>The next blocks, whole ones; what lies behind the file's end is left out.</summary>
    public void Take(ulong fileBlock, ReadOnlySpan<byte> blocks)
    {
        ulong from = fileBlock * LakeFormat.BlockSize;
        if (from >= _size)
        {
            return;
        }

        _isBroken |= from < _at;
        if (Planted.Is(PlantedFault.HolesLeftOutOfTheHash))
        {
            _at = from;
        }

        Zeros(from);
        if (_isBroken)
        {
            return;
        }

        int bytes = (int)Math.Min((ulong)blocks.Length, _size - from);
        _hasher.Append(blocks[..bytes]);
        Anchors?.Append(from, blocks[..bytes]);
        _at = from + (ulong)bytes;
        _blocks += ((ulong)bytes + LakeFormat.BlockSize - 1) / LakeFormat.BlockSize;
    }

    /// <summary>The identity; false when these were not all of so many blocks.</summary>
    public bool TryFinish(ulong writtenBlocks, out Blake3Hash id)
    {
        id = default;
        if (_isBroken || _blocks != writtenBlocks)
        {
            return false;
        }

        Zeros(_size);
        id = _isBroken ? default : _hasher.Finish();
        return !_isBroken;
    }

    private void Zeros(ulong end)
    {
        while (_at < end && !_isBroken)
        {
            ulong bytes = Math.Min(end - _at, ZerosAtOnce);
            _hasher.AppendZeros((long)bytes);
            _at += bytes;
            _isBroken = IsStopped?.Invoke() == true;
        }
    }
}
