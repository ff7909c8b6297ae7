// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using DeepLake.Control;
using DeepLake.Laked.Control;

namespace DeepLake.Laked.OneShot;

/// <summary>Tells how far a job is, a few times a second, and ends it when the person interrupts.</summary>
internal sealed class PacedProgress(Action<Response> send, string item, CancellationToken cancellation)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private string _phase = "";
    private long _told;

    /// <exception cref="OperationCanceledException">The person interrupted.</exception>
    internal void Tell(string phase, ulong done, ulong total, string unit)
    {
        cancellation.ThrowIfCancellationRequested();
        if (phase != _phase || Stopwatch.GetElapsedTime(_told) > Interval)
        {
            (_phase, _told) = (phase, Stopwatch.GetTimestamp());
            send(Responses.Progress(phase, done, total, unit, item));
        }
    }
}
