// SPDX-License-Identifier: MPL-2.0
using DeepLake.Engine.State;
using DeepLake.Storage;

namespace DeepLake.Engine;

/// <summary>
/// What recovery hands to the engine. Damage: why the newest checkpoint could not be used; null when it was.
/// EndedCleanly: as the newest superblock copy has it, whichever checkpoint was used.
/// WhyEndIsUnknown: why nobody can tell whether the lake was unmounted cleanly; null when WasClean tells.
/// LogLoss: why changes after the newest checkpoint may be lost; null when there is no reason to think so.
/// LogHasDamage: the log has to be mended before it goes on (<see cref="Wal.Mend"/>).
/// </summary>
internal readonly record struct RecoveredLake(
    IBlockDevice Device,
    EngineOptions Options,
    IPageStore Store,
    LakeState State,
    Wal Wal,
    CheckpointWriter Checkpoints,
    ulong ReplayedIntents,
    bool WasClean,
    bool EndedCleanly,
    string? Damage,
    string? WhyEndIsUnknown,
    string? LogLoss,
    bool LogHasDamage);
