// SPDX-License-Identifier: MPL-2.0
using DeepLake.Control;

namespace DeepLake.Laked.Control;

/// <summary>A command cannot be done; says to the person why, and what to do next.</summary>
internal sealed class CommandException(ErrorCode code, string message, string nextStep = "") : Exception(message)
{
    internal ErrorCode Code { get; } = code;

    internal string NextStep { get; } = nextStep;
}
