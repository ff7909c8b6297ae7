// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Sim;

/// <summary>A finding: what the engine did is not what it has to do.</summary>
internal sealed class SimulationException(string message) : Exception(message);
