// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Hash;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Sim;

/// <summary>
/// The kernel's commit command. A daemon that is killed in it is dead only when it has come to its end.
/// </summary>
internal sealed class SimSink(FaultyBlockDevice device, SimKernel kernel) : ICommitSink
{
    private const int FramesKept = 64;
    private readonly List<Frame> _frames = [];
    private (byte[] Bytes, long Offset)? _late;

    /// <summary>Where things are; of no lake before it was formatted.</summary>
    public Superblock Layout { get; set; }

    /// <summary>A mount was answered: what is durable frees records.</summary>
    public bool IsOpen { get; set; }

    /// <summary>A checkpoint was begun and not published: there is only one to recover from.</summary>
    public bool IsCheckpointHalf { get; set; }

    /// <summary>Superblocks that were written whole.</summary>
    public long Superblocks { get; private set; }

    /// <summary>Power goes in the commit after so many, at one of its three steps; negative: in none.</summary>
    public int CutInCommit { get; set; } = -1;

    public int CutAtStep { get; set; }

    public void Commit(ReadOnlySpan<byte> bytes, long offset, ulong durableSeq)
    {
        bool isFrame = RequireAllowed(bytes.Length, offset, out bool isSuperblock);
        if (isFrame)
        {
            Remember(bytes, offset);
        }

        if (CutInCommit-- == 0)
        {
            device.Plan.PowerCutAtChange = device.Changes + 1 + CutAtStep;
        }

        bool isKilled = device.Plan.KillAtOperation != 0 && device.Operations + 3 >= device.Plan.KillAtOperation;
        device.Plan.KillAtOperation = isKilled ? 0 : device.Plan.KillAtOperation;
        Write(bytes, offset);
        IsCheckpointHalf &= !isSuperblock;
        Superblocks += isSuperblock ? 1 : 0;
        if (IsOpen)
        {
            kernel.Acknowledge(durableSeq);
        }

        if (isKilled)
        {
            device.Plan.KillAtOperation = 1;
            throw new StorageException(Errno.EINTR, "the daemon is killed");
        }
    }

    /// <summary>
    /// What has to be there after damage: everything acknowledged, but for the newest frames that are
    /// damaged themselves. They are lost, which has to be told.
    /// </summary>
    public ulong Floor()
    {
        ulong floor = kernel.AckedSeq;
        for (int i = _frames.Count - 1; i >= 0; i--)
        {
            byte[] bytes = new byte[_frames[i].Bytes];
            device.Peek(bytes, _frames[i].Offset);
            if (Blake3.Hash(bytes) == _frames[i].Hash)
            {
                break;
            }

            floor = Math.Min(floor, _frames[i].AckedBefore);
        }

        return floor;
    }

    /// <summary>A place in one of the newest frames; false when there is none.</summary>
    public bool TryPick(Random random, out long offset)
    {
        offset = 0;
        if (_frames.Count == 0)
        {
            return false;
        }

        Frame frame = _frames[random.Next(Math.Max(0, _frames.Count - 10), _frames.Count)];
        offset = frame.Offset + random.Next(frame.Bytes);
        return true;
    }

    private void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        if (!Planted.Is(PlantedFault.CommitWithoutFlushBefore))
        {
            device.Flush();
        }

        if (Planted.Is(PlantedFault.CommitToldBeforeItIsWritten))
        {
            if (_late is { } late)
            {
                device.Write(late.Bytes, late.Offset);
            }

            _late = (bytes.ToArray(), offset);
            return;
        }

        device.Write(bytes, offset);
        if (!Planted.Is(PlantedFault.CommitWithoutFlushAfter))
        {
            device.Flush();
        }
    }

    // The kernel lets a daemon commit to the superblocks, the tickets and the log only.
    private bool RequireAllowed(int bytes, long offset, out bool isSuperblock)
    {
        ulong block = (ulong)offset / LakeFormat.BlockSize;
        ulong blocks = (ulong)bytes / LakeFormat.BlockSize;
        bool isFrame = Contains(Layout.Wal, block, blocks);
        isSuperblock = blocks == 1 && (block == LakeFormat.SuperblockABlock || block == Layout.DeviceBlocks - 1);
        if (offset % LakeFormat.BlockSize != 0 || bytes % LakeFormat.BlockSize != 0
            || !(isFrame || isSuperblock || Contains(Layout.Ticket[0], block, blocks) || Contains(Layout.Ticket[1], block, blocks)))
        {
            throw new SimulationException($"a commit of {bytes} bytes at {offset}");
        }

        return isFrame;
    }

    private static bool Contains(Region region, ulong block, ulong blocks) =>
        block >= region.StartBlock && block + blocks <= region.StartBlock + region.Blocks;

    private void Remember(ReadOnlySpan<byte> bytes, long offset)
    {
        if (_frames.Count == FramesKept)
        {
            _frames.RemoveAt(0);
        }

        _frames.Add(new Frame(offset, bytes.Length, Blake3.Hash(bytes), kernel.AckedSeq));
    }

    // Not the CRC-32C: over sectors that each end with their own it is the same for all frames of a length.
    private readonly record struct Frame(long Offset, int Bytes, Blake3Hash Hash, ulong AckedBefore);
}
