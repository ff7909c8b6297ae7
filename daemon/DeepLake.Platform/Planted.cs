// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Platform;

/// <summary>
/// The defect that is planted in this process: none, unless the simulator says so. Nothing else can: no
/// variable, file or message leads here.
/// </summary>
internal static class Planted
{
    internal static PlantedFault Fault { get; set; }

    internal static bool Is(PlantedFault fault) => Fault == fault;
}
