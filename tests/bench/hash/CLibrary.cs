// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DeepLake.Hash.Bench;

/// <summary>The C library of BLAKE3's authors, one thread, when it is there: Debian's libblake3 (trixie), or what BLAKE3_LIB names.</summary>
internal sealed unsafe class CLibrary
{
    // Larger than its struct blake3_hasher has ever been.
    private const int HasherBytes = 4096;

    private readonly delegate* unmanaged<byte*, void> _init;
    private readonly delegate* unmanaged<byte*, byte*, nuint, void> _update;
    private readonly delegate* unmanaged<byte*, byte*, nuint, void> _finalize;

    private CLibrary(nint library)
    {
        _init = (delegate* unmanaged<byte*, void>)NativeLibrary.GetExport(library, "blake3_hasher_init");
        _update = (delegate* unmanaged<byte*, byte*, nuint, void>)NativeLibrary.GetExport(library, "blake3_hasher_update");
        _finalize = (delegate* unmanaged<byte*, byte*, nuint, void>)NativeLibrary.GetExport(library, "blake3_hasher_finalize");
    }

    /// <summary>Null when it is not installed.</summary>
    public static CLibrary? Find()
    {
        string name = Environment.GetEnvironmentVariable("BLAKE3_LIB") ?? "libblake3.so.0";
        return NativeLibrary.TryLoad(name, out nint library) ? new CLibrary(library) : null;
    }

    [SkipLocalsInit]
    public Blake3Hash Hash(byte* data, int bytes)
    {
        byte* hasher = stackalloc byte[HasherBytes];
        Blake3Hash result = default;
        _init(hasher);
        _update(hasher, data, (nuint)bytes);
        _finalize(hasher, (byte*)&result, Blake3Hash.SizeBytes);
        return result;
    }
}
