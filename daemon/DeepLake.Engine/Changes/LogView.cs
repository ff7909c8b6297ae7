// SPDX-License-Identifier: MPL-2.0
using DeepLake.Storage;

namespace DeepLake.Engine.Changes;

/// <summary>What there is of the log.</summary>
/// <param name="Tail">The oldest frame in its region; older ones are in the archive.</param>
/// <param name="Next">Where the next frame goes: all before it are durable.</param>
/// <param name="End">The place behind all that is durable.</param>
public sealed record LogView(WalPosition Tail, WalPosition Next, LogPlace End);
