// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Storage;

/// <summary>Commits through the device itself: flush, write, flush.</summary>
public sealed class DeviceCommitSink(IBlockDevice device) : ICommitSink
{
    public ulong DurableSeq { get; private set; }

    public void Commit(ReadOnlySpan<byte> bytes, long offset, ulong durableSeq)
    {
        FlushPolicy.Flush(device);
        device.Write(bytes, offset);
        FlushPolicy.Flush(device);
        DurableSeq = Math.Max(DurableSeq, durableSeq);
    }
}
