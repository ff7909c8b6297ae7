// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Changes;

/// <summary>Changes cannot be read on from a place.</summary>
public sealed class ChangeLogException(ChangeLogProblem problem, LogPlace place, string message) : Exception(message)
{
    public ChangeLogProblem Problem { get; } = problem;

    public LogPlace Place { get; } = place;
}
