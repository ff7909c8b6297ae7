// SPDX-License-Identifier: MPL-2.0
using DeepLake.Engine.State;
using DeepLake.Storage;

namespace DeepLake.Engine;

/// <summary>What recovery hands to the engine. Damage: why the newest checkpoint could not be used; null when it was.</summary>
internal readonly record struct RecoveredLake(
    IPageStore Store,
    LakeState State,
    Wal Wal,
    CheckpointWriter Checkpoints,
    ulong ReplayedIntents,
    bool WasClean,
    string? Damage);
