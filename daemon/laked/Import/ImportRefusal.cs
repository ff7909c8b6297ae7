// SPDX-License-Identifier: MPL-2.0
using DeepLake.Control;
using DeepLake.Laked.Control;
using DeepLake.Platform;

namespace DeepLake.Laked.Import;

/// <summary>How an import tells that the lake refuses.</summary>
internal static class ImportRefusal
{
    private const string ElsewhereAdvice = "make a lake on a larger device, and import from the beginning";

    internal static CommandException Full() => new(ErrorCode.ErrorGeneral, "the lake is full", ElsewhereAdvice);

    /// <summary>Going on with the import would end in the same way.</summary>
    internal static bool IsFinal(CommandException refusal) => refusal.NextStep == ElsewhereAdvice;

    internal static Exception Of(Errno reason, string what) => reason == Errno.ENOSPC
        ? Full()
        : new CommandException(ErrorCode.ErrorGeneral, $"cannot {what}: {Linux.Describe(reason)}", "run lakectl verify on the device");
}
