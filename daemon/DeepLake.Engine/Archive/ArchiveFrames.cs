// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Storage;

namespace DeepLake.Engine.Archive;

/// <summary>The frames in the payload of a log segment; the segment's checksum covers them, so they are not in sectors.</summary>
internal static class ArchiveFrames
{
    /// <summary>Cuts the first frame off; false when there is none, or when it does not fit.</summary>
    public static bool TryTake(ref Span<byte> rest, out WalFrame header, out ReadOnlySpan<byte> payload)
    {
        header = default;
        payload = default;
        if (rest.Length < Unsafe.SizeOf<WalFrame>())
        {
            return false;
        }

        header = MemoryMarshal.Read<WalFrame>(rest);
        if (header.Magic != LakeFormat.WalMagic || header.PayloadBytes > WalFormat.MaxPayloadBytes
            || WalFormat.FlatBytes((int)header.PayloadBytes) > rest.Length)
        {
            return false;
        }

        payload = rest.Slice(WalFormat.HeaderBytes, (int)header.PayloadBytes);
        rest = rest[WalFormat.FlatBytes((int)header.PayloadBytes)..];
        return true;
    }
}
