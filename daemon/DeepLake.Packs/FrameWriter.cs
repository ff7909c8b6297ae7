// SPDX-License-Identifier: MPL-2.0
using ZstdSharp;

namespace DeepLake.Packs;

/// <summary>Compresses into zstd frames; one thread at a time.</summary>
public sealed class FrameWriter : IDisposable
{
    // zstd's default: four fifths of what the slowest levels save, at ten times their speed
    private const int Level = 3;

    private readonly Compressor _compressor = new(Level);

    /// <summary>False when it does not fit.</summary>
    public bool TryWrite(ReadOnlySpan<byte> content, Span<byte> frame, out int bytes) => _compressor.TryWrap(content, frame, out bytes);

    public void Dispose() => _compressor.Dispose();
}
