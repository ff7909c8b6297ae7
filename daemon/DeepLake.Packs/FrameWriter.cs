// SPDX-License-Identifier: MPL-2.0
using ZstdSharp;

namespace DeepLake.Packs;

/// <summary>Compresses into zstd frames; one thread at a time.</summary>
/// <param name="level">Of zstd.</param>
public sealed class FrameWriter(int level = FrameWriter.Default) : IDisposable
{
    /// <summary>zstd's own: four fifths of what the slowest levels save, at ten times their speed.</summary>
    public const int Default = 3;

    /// <summary>For what programs may wait for.</summary>
    public const int Fast = 1;

    private readonly Compressor _compressor = new(level);

    /// <summary>False when it does not fit.</summary>
    public bool TryWrite(ReadOnlySpan<byte> content, Span<byte> frame, out int bytes) => _compressor.TryWrap(content, frame, out bytes);

    public void Dispose() => _compressor.Dispose();
}
