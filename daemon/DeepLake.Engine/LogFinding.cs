// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine;

/// <summary>Damage of the log that costs nothing.</summary>
/// <param name="What">For a person.</param>
/// <param name="IsKept">Frames are damaged that the archive may still have to take.</param>
public sealed record LogFinding(string What, bool IsKept);
