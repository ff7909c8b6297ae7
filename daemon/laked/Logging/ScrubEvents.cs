// SPDX-License-Identifier: MPL-2.0
using Microsoft.Extensions.Logging;

namespace DeepLake.Laked.Logging;

/// <summary>What is found in data: 1100 to 1119.</summary>
internal static partial class ScrubEvents
{
    [LoggerMessage(1100, LogLevel.Information, "{Device}: scrub: pass {Pass} goes on at inode {Ino}")]
    internal static partial void Running(ILogger logger, string device, ulong pass, ulong ino);

    [LoggerMessage(1101, LogLevel.Information, "{Device}: scrub: pass {Pass} is done: {Blocks} blocks of files compared, {Damaged} damaged")]
    internal static partial void Done(ILogger logger, string device, ulong pass, ulong blocks, ulong damaged);

    [LoggerMessage(1102, LogLevel.Information, "{Device}: scrub: pass {Pass} is stopped")]
    internal static partial void Stopped(ILogger logger, string device, ulong pass);

    [LoggerMessage(1103, LogLevel.Error, "{Device}: scrub: inode {Ino} ({Paths}): bytes {From} to {To} are damaged, at block {Block} of the device ({Kind})")]
    internal static partial void Damaged(ILogger logger, string device, ulong ino, string paths, ulong from, ulong to, ulong block, string kind);

    [LoggerMessage(1104, LogLevel.Error, "{Device}: a program has read damaged data: inode {Ino} ({Paths}), bytes {From} to {To}, block {Block} of the device")]
    internal static partial void ReadDamaged(ILogger logger, string device, ulong ino, string paths, ulong from, ulong to, ulong block);

    [LoggerMessage(1105, LogLevel.Error, "{Device}: a program has read damaged data at block {Block} of the device, which no file maps any more")]
    internal static partial void ReadDamagedNobody(ILogger logger, string device, ulong block);

    [LoggerMessage(1106, LogLevel.Warning, "{Device}: the scrub cannot go on for now: {Reason}")]
    internal static partial void Failed(ILogger logger, Exception? exception, string device, string reason);

    [LoggerMessage(1107, LogLevel.Warning, "what the kernel tells of damaged reads is not heard: {Reason}")]
    internal static partial void NotHeard(ILogger logger, string reason);
}
