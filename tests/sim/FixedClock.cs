// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Sim;

/// <summary>It is always the same time.</summary>
internal sealed class FixedClock : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => Lake.Now;
}
