// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Storage;

/// <summary>
/// Where a WAL frame or superblock is made durable. Mounted, this is a kernel command (one
/// PREFLUSH|FUA bio, checked against the attach generation); offline, <see cref="DeviceCommitSink"/>.
/// </summary>
public interface ICommitSink
{
    /// <summary>
    /// Writes the bytes at an absolute device offset, so that everything the device completed before is
    /// durable first, and these bytes are durable when this returns.
    /// </summary>
    /// <param name="bytes">A multiple of 4096 bytes, 4096-aligned in memory.</param>
    /// <param name="offset">A multiple of 4096.</param>
    /// <param name="durableSeq">The last seq that is durable once this returns.</param>
    void Commit(ReadOnlySpan<byte> bytes, long offset, ulong durableSeq);
}
