// SPDX-License-Identifier: MPL-2.0
using Microsoft.Extensions.Logging;

namespace DeepLake.Laked.Logging;

/// <summary>What happens on the control socket: 1100 to 1199.</summary>
internal static partial class ControlEvents
{
    [LoggerMessage(1100, LogLevel.Information, "control socket {Path} is open")]
    internal static partial void Listening(ILogger logger, string path);

    [LoggerMessage(1101, LogLevel.Warning, "control: user {Uid} (process {ProcessId}) was refused")]
    internal static partial void Refused(ILogger logger, uint uid, int processId);

    [LoggerMessage(1102, LogLevel.Warning, "control: a client was cut: {Reason}")]
    internal static partial void ClientCut(ILogger logger, string reason);

    [LoggerMessage(1103, LogLevel.Error, "control: command {Command} failed")]
    internal static partial void CommandFailed(ILogger logger, Exception exception, string command);

    [LoggerMessage(1104, LogLevel.Error, "control: the socket failed: {Reason}")]
    internal static partial void SocketFailed(ILogger logger, string reason);
}
