// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DeepLake.Storage.Faster;

/// <summary>FASTER's value: the bytes of a page. Fixed size, so that a read from the device is one request.</summary>
[InlineArray(PageFormat.PageBytes)]
internal struct PageValue
{
    private byte _first;

    internal static ref PageValue From(Span<byte> page) =>
        ref Unsafe.As<byte, PageValue>(ref MemoryMarshal.GetReference(page));

    internal static Span<byte> Bytes(ref PageValue value) =>
        MemoryMarshal.CreateSpan(ref Unsafe.As<PageValue, byte>(ref value), PageFormat.PageBytes);
}
