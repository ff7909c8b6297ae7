// SPDX-License-Identifier: MPL-2.0
using DeepLake.Control;
using DeepLake.Laked.Serve;

namespace DeepLake.Laked.Control;

/// <summary>
/// Checks a mounted lake: on its engine's thread, so that what is checked is one moment of its life.
/// Programs whose requests need the daemon wait as long as that takes.
/// </summary>
internal static class MountedVerify
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    internal static VerifyReport Run(LakeServer server, bool full, Action<Response> send)
    {
        if (full)
        {
            throw new CommandException(
                ErrorCode.ErrorGeneral,
                $"{server.DevicePath} is mounted: its data may change while it is read",
                "check the structure without --full, or unmount the lake first");
        }
        send(Responses.Progress("checking the structure", 0, 0, "pages", server.DevicePath));
        VerifyReport? report = null;
        bool done = server.Commands.TryRun((engine, _) => report = EngineCheck.Run(engine, null), Patience);
        return done && report is not null
            ? report
            : throw new CommandException(ErrorCode.ErrorGeneral, $"{server.DevicePath} is not served any more", "see lakectl stats");
    }
}
