// SPDX-License-Identifier: MPL-2.0
using Microsoft.Extensions.Logging;

namespace DeepLake.Laked.Logging;

/// <summary>What happens to lakes: 1000 to 1099.</summary>
internal static partial class ServeEvents
{
    [LoggerMessage(1000, LogLevel.Information, "laked {Version} is ready (process {ProcessId}, {Methods} methods compiled in {Milliseconds} ms)")]
    internal static partial void Ready(ILogger logger, string version, int processId, long methods, long milliseconds);

    [LoggerMessage(1001, LogLevel.Information, "{Device}: a mount wants a daemon")]
    internal static partial void Wanted(ILogger logger, string device);

    [LoggerMessage(1002, LogLevel.Information, "{Device}: attached, generation {Generation}, epoch {Epoch}, kernel durable {DurableSeq} last {LastSeq}")]
    internal static partial void Attached(ILogger logger, string device, ulong generation, ulong epoch, ulong durableSeq, ulong lastSeq);

    [LoggerMessage(1003, LogLevel.Information, "{Device}: recovered in {Milliseconds} ms: seq {DurableSeq}, epoch {Epoch}, {How}, {Replayed} intents replayed")]
    internal static partial void Recovered(ILogger logger, string device, long milliseconds, ulong durableSeq, ulong epoch, string how, ulong replayed);

    [LoggerMessage(1004, LogLevel.Information, "{Device}: serving, {Declared} declared ranges")]
    internal static partial void Serving(ILogger logger, string device, int declared);

    [LoggerMessage(1005, LogLevel.Information, "{Device}: mounted, epoch {Epoch}")]
    internal static partial void Mounted(ILogger logger, string device, ulong epoch);

    [LoggerMessage(1006, LogLevel.Information, "{Device}: unmounted; the clean mark is written")]
    internal static partial void Unmounted(ILogger logger, string device);

    [LoggerMessage(1007, LogLevel.Information, "{Device}: detached after a checkpoint at seq {DurableSeq}")]
    internal static partial void Detached(ILogger logger, string device, ulong durableSeq);

    [LoggerMessage(1008, LogLevel.Warning, "{Device}: the mount is shut down")]
    internal static partial void ShutDown(ILogger logger, string device);

    [LoggerMessage(1009, LogLevel.Warning, "{Device}: the kernel broke the attachment off")]
    internal static partial void BrokenOff(ILogger logger, string device);

    [LoggerMessage(1010, LogLevel.Error, "{Device}: cannot go on: {Reason}")]
    internal static partial void Failed(ILogger logger, Exception? exception, string device, string reason);

    [LoggerMessage(1011, LogLevel.Warning, "{Device}: cannot attach: {Reason}")]
    internal static partial void CannotAttach(ILogger logger, string device, string reason);

    [LoggerMessage(1012, LogLevel.Information, "{Device}: checkpoint at seq {Seq} took {Milliseconds} ms")]
    internal static partial void Checkpoint(ILogger logger, string device, ulong seq, long milliseconds);

    [LoggerMessage(1013, LogLevel.Information, "stopping ({Reason})")]
    internal static partial void Stopping(ILogger logger, string reason);

    [LoggerMessage(1014, LogLevel.Warning, "memory cannot be locked: {Reason}")]
    internal static partial void NotLocked(ILogger logger, string reason);

    [LoggerMessage(1015, LogLevel.Error, "the control file failed: {Reason}")]
    internal static partial void ControlFileFailed(ILogger logger, string reason);

    [LoggerMessage(1017, LogLevel.Error, "{Device}: data of inode {Ino} is damaged: {Count} blocks, the first is file block {FileBlock}; they are not what was written")]
    internal static partial void DataDamaged(ILogger logger, string device, ulong ino, ulong fileBlock, int count);

    [LoggerMessage(1018, LogLevel.Warning, "{Device}: files are not sealed any more: {Reason}")]
    internal static partial void IngestEnded(ILogger logger, Exception? exception, string device, string reason);

    [LoggerMessage(1019, LogLevel.Information, "{Device}: wrote a base of the archive in {Ms} ms")]
    internal static partial void BaseWritten(ILogger logger, string device, long ms);

    [LoggerMessage(1020, LogLevel.Information, "{Device}: compressed {KiB} KiB of files into {IntoKiB} KiB")]
    internal static partial void Packed(ILogger logger, string device, ulong kiB, ulong intoKiB);

    [LoggerMessage(1021, LogLevel.Error, "{Device}: the log is damaged: {Loss}")]
    internal static partial void LogLost(ILogger logger, string device, string loss);

    [LoggerMessage(1022, LogLevel.Error, "{Device}: {Unreadable}")]
    internal static partial void DeviceUnreadable(ILogger logger, string device, string unreadable);

    [LoggerMessage(1023, LogLevel.Warning, "{Device}: {Damage}")]
    internal static partial void IndexDamaged(ILogger logger, string device, string damage);

    [LoggerMessage(1016, LogLevel.Warning, "{Device}: request {Op} failed with {Error}")]
    internal static partial void RequestFailed(ILogger logger, string device, string op, int error);
}
