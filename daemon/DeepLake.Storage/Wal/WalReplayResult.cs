// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Storage;

/// <summary>What a replay found.</summary>
/// <param name="Frames">Frames handed to the callback.</param>
/// <param name="Bytes">Device bytes of those frames.</param>
/// <param name="LastSeq">Highest seq among them, 0 for none.</param>
/// <param name="Next">Where the next frame goes.</param>
/// <param name="LaterFrameFound">
/// A valid frame with a higher LSN lies shortly after the end. Frames are durable one by one, so this is
/// not a torn tail: the frame at the end was damaged after it was acknowledged.
/// </param>
/// <param name="EndDamage">Whether the frame that the log does not have was there, and is damaged.</param>
/// <param name="EndIsUnread">The device could not read that place: perhaps it can another time.</param>
/// <param name="KeptIsThere">The frame at the position that is kept for is intact; true when nothing before the replay is kept.</param>
public readonly record struct WalReplayResult(
    long Frames, long Bytes, ulong LastSeq, WalPosition Next, bool LaterFrameFound, LogEndDamage EndDamage, bool EndIsUnread, bool KeptIsThere);
