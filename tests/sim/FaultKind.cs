// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Sim;

/// <summary>What a seed is about; power cuts and kills are in all of them.</summary>
internal enum FaultKind
{
    Crashes,
    IoErrors,

    /// <summary>Writes that go astray or nowhere, wrong bits.</summary>
    Damage,
    FullDevice,
    FullMetadata,

    /// <summary>Long logs, late checkpoints, the newest one damaged, recoveries that have little room.</summary>
    Recoveries,
}
