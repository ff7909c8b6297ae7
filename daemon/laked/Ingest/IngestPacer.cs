// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Laked.Ingest;

/// <summary>
/// Spreads the work of the ingest over time. Work that was allowed is a debt, paid off by waiting at the
/// rate that the policy has for a lake that is busy, or is not; so a file is never waited for longer than its
/// size says, and what was begun while programs worked goes on fast when they have stopped. One thread.
/// </summary>
/// <param name="clock">Only goes forward.</param>
/// <param name="wait">Waits that long, less when the work is to end; true when it is.</param>
/// <param name="isBusy">Whether others use the lake now.</param>
/// <param name="rate">Bytes a second while others use the lake, and while they do not; null: the ingest's.</param>
internal sealed class IngestPacer(Func<TimeSpan> clock, Func<TimeSpan, bool> wait, Func<bool> isBusy, Func<bool, long>? rate = null)
{
    private readonly Func<bool, long> _rate = rate ?? IngestPolicy.BytesPerSecond;
    private double _debtBytes;
    private TimeSpan _paidUntil;

    /// <summary>Waits until so many bytes may be read.</summary>
    public void Allow(int bytes)
    {
        Pay();
        while (_debtBytes > 0)
        {
            double leftMs = _debtBytes / _rate(isBusy()) * 1000;
            // whole ones: what is less is no waiting at all, and would be tried again at once
            var left = TimeSpan.FromMilliseconds(Math.Ceiling(leftMs));
            if (wait(left < IngestPolicy.LookInterval ? left : IngestPolicy.LookInterval))
            {
                return;
            }
            Pay();
        }
        _debtBytes = bytes;
    }

    private void Pay()
    {
        TimeSpan now = clock();
        _debtBytes -= (now - _paidUntil).TotalSeconds * _rate(isBusy());
        _debtBytes = Math.Max(_debtBytes, 0);
        _paidUntil = now;
    }
}
