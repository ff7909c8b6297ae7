// SPDX-License-Identifier: MPL-2.0
using DeepLake.Engine.State;
using DeepLake.Storage;

namespace DeepLake.Engine;

/// <summary>What recovery hands to the engine.</summary>
internal readonly record struct RecoveredLake(
    IPageStore Store,
    LakeState State,
    Wal Wal,
    CheckpointWriter Checkpoints,
    ulong ReplayedIntents,
    bool WasClean,
    bool FellBack);
