// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine;

/// <summary>A lake that opens, and of which something is damaged that costs nothing.</summary>
public sealed partial class LakeEngine
{
    /// <summary>
    /// For repair: clears what is not kept of the log, and writes both checkpoints anew. Each goes to the older or the
    /// damaged copy, so that one that is whole is there at every moment.
    /// </summary>
    /// <param name="isArchiveDamaged">The archive waits for a new base from then on.</param>
    /// <exception cref="StorageException">The device failed.</exception>
    public void MakeWhole(bool isArchiveDamaged)
    {
        if (isArchiveDamaged)
        {
            PauseArchive("a part of it is damaged");
        }

        _wal.Mend(takesUnread: true);
        _logHasDamage = false;
        for (int copy = 0; copy < 2; copy++)
        {
            Checkpoint(EndedCleanly ? SuperblockState.Clean : SuperblockState.Active);
        }

        _wal.Mend(takesUnread: true); // what the older checkpoint was kept for is free now
    }

    /// <summary>
    /// What is damaged of the log that the newest checkpoint does not need: frames that the one before it and the
    /// archive still do, and space where no frame is. Null when nothing is.
    /// </summary>
    /// <param name="device">The lake's; is only read.</param>
    public LogFinding? AuditLog(IBlockDevice device)
    {
        const string then = ": nothing is lost, as the newest checkpoint does not need it; lakectl repair does without it";
        try
        {
            return _wal.FirstGap(device) is { } lsn ? new LogFinding($"frame {lsn} of the log is damaged{then}", true)
                : LogLoss is null && _wal.CountDamagedFree(device) is > 0 and long blocks ? new LogFinding($"the log is damaged in {blocks} of its unused blocks{then}", false)
                : null;
        }
        catch (StorageException failure) when (failure.Errno == Errno.EIO)
        {
            return new LogFinding($"the log cannot be read everywhere ({failure.Message}){then}", true);
        }
    }
}
