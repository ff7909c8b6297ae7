// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Changes;

namespace DeepLake.Engine;

/// <summary>The durable changes, for who reads them on.</summary>
public sealed partial class LakeEngine : IChangeLog
{
    private const int LooksForSegment = 256;

    /// <summary>Number of the next frame of the log: greater whenever something has become durable.</summary>
    public ulong NextLsn => _wal.Next.Lsn;

    /// <inheritdoc/>
    public LogView LookAtLog() => new(_wal.Tail, _wal.Next, new LogPlace(_wal.Next.Lsn, 0, DurableSeq, _wal.Epoch, _wal.LastCrc));

    /// <summary>Where an inode is now, one of its names if it has several; null when it has none.</summary>
    public string? PathNow(ulong ino) => ino == LakeFormat.RootIno ? "/" : PathsOf(ino, 1) is [var path] ? path : null;

    /// <inheritdoc/>
    public bool TryFindLogSegment(ref ulong number, out ArchiveEntry segment)
    {
        segment = default;
        for (int looks = LooksForSegment; looks > 0; looks--)
        {
            if (!_state.Archive.TryNext(number, out ulong found, out ArchiveItem item))
            {
                number = ulong.MaxValue;
                return false;
            }

            if (item.Kind == ArchiveKind.Log)
            {
                (number, segment) = (found, new ArchiveEntry { Number = found, Item = item });
                return true;
            }

            number = found + 1;
        }

        return false;
    }
}
