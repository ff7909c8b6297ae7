// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.State;
using DeepLake.Storage;

namespace DeepLake.Engine;

/// <summary>What recovery hands to the engine.</summary>
internal readonly record struct RecoveredLake(
    Superblock Superblock,
    IPageStore Store,
    LakeState State,
    Wal Wal,
    WalPosition PreviousCheckpoint,
    ulong ReplayedIntents,
    bool WasClean);
