// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Storage;

/// <summary>
/// What a page store needs to come back to one checkpoint: opaque bytes that the owner keeps next to its
/// superblock. Integrity is the store's business (it carries its own checksum).
/// </summary>
public sealed class CheckpointTicket
{
    public const int MaxBytes = 32 * 1024;

    private readonly byte[] _bytes;

    public CheckpointTicket(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, MaxBytes);
        _bytes = bytes.ToArray();
    }

    public ReadOnlySpan<byte> Bytes => _bytes;
}
