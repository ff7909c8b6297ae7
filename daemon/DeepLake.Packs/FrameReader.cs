// SPDX-License-Identifier: MPL-2.0
using ZstdSharp;

namespace DeepLake.Packs;

/// <summary>Decompresses zstd frames of a known size, believing nothing that they say; one thread at a time.</summary>
public sealed class FrameReader : IDisposable
{
    private readonly Decompressor _decompressor = new();

    /// <summary>False when it is no frame, or not one of exactly so many bytes.</summary>
    public bool TryRead(ReadOnlySpan<byte> frame, Span<byte> content)
    {
        try
        {
            return _decompressor.TryUnwrap(frame, content, out int written) && written == content.Length;
        }
        catch (ZstdException)
        {
            return false;
        }
    }

    public void Dispose() => _decompressor.Dispose();
}
