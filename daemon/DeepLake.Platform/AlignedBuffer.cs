// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Platform;

/// <summary>
/// Native memory aligned for O_DIRECT. It is owned by whoever created it and never moves; it is not
/// zeroed unless asked, so that a large one costs nothing until it is touched.
/// </summary>
public sealed unsafe class AlignedBuffer : IDisposable
{
    public const int Alignment = 4096;

    private byte* _pointer;

    public AlignedBuffer(int length, bool zeroed = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        Length = length;
        _pointer = (byte*)NativeMemory.AlignedAlloc((nuint)length, Alignment);
        if (zeroed)
        {
            Span.Clear();
        }
    }

    ~AlignedBuffer() => Free();

    public int Length { get; }

    public byte* Pointer => _pointer != null ? _pointer : throw new ObjectDisposedException(nameof(AlignedBuffer));

    public Span<byte> Span => new(Pointer, Length);

    public Span<byte> Slice(int offset, int length) => Span.Slice(offset, length);

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_pointer);
        _pointer = null;
    }
}
