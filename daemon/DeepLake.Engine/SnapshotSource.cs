// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Storage;

namespace DeepLake.Engine;

/// <summary>What names one checkpoint of a lake that goes on. Both are copies: any thread may have them.</summary>
public sealed record SnapshotSource(Superblock Superblock, CheckpointTicket Ticket);
