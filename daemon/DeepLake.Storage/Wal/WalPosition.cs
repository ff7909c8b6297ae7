// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Storage;

/// <summary>
/// Where a frame is, or where the next one goes: <see cref="Lsn"/> is that frame's number and
/// <see cref="OffsetBytes"/> its place in the region (before the decision to wrap). A checkpoint keeps
/// the position of the first frame that it does not contain.
/// </summary>
public readonly record struct WalPosition(ulong Lsn, long OffsetBytes)
{
    /// <summary>Of a region that was just made: the first frame has LSN 1.</summary>
    public static WalPosition Start => new(1, 0);
}
