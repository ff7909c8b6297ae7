// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Packs;

namespace DeepLake.Engine.Ingest;

/// <summary>What is going to be one pack: blocks of one file, or of several, one behind the other.</summary>
public sealed class PackBatch
{
    private readonly byte[] _content = new byte[PackFormat.ContentMax];
    private readonly List<PackPart> _parts = [];

    public uint Blocks { get; private set; }

    public uint Room => LakeFormat.PackBlocks - Blocks;

    public IReadOnlyList<PackPart> Parts => _parts;

    public ReadOnlySpan<byte> Content => _content.AsSpan(0, (int)Blocks * LakeFormat.BlockSize);

    /// <summary>Where the bytes of the next so many blocks go; they are a part with <see cref="Add"/>.</summary>
    public Span<byte> Next(uint blocks) => _content.AsSpan((int)Blocks * LakeFormat.BlockSize, (int)blocks * LakeFormat.BlockSize);

    public void Add(SealView view, ulong fileBlock, uint blocks)
    {
        _parts.Add(new PackPart(view, fileBlock, blocks, Blocks));
        Blocks += blocks;
    }

    /// <summary>Others have the blocks that were added last, too.</summary>
    public void AddSame(SealView view, ulong fileBlock, uint blocks) =>
        _parts.Add(new PackPart(view, fileBlock, blocks, Blocks - blocks));

    public void Clear()
    {
        _parts.Clear();
        Blocks = 0;
    }
}
