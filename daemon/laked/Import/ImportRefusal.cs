// SPDX-License-Identifier: MPL-2.0
using DeepLake.Control;
using DeepLake.Laked.Control;
using DeepLake.Platform;

namespace DeepLake.Laked.Import;

/// <summary>How an import tells that the lake refuses.</summary>
internal static class ImportRefusal
{
    internal static Exception Of(Errno reason, string what) => reason == Errno.ENOSPC
        ? new CommandException(ErrorCode.ErrorGeneral, "the lake is full", "import into a larger device")
        : new CommandException(ErrorCode.ErrorGeneral, $"cannot {what}: {Linux.Describe(reason)}", "run lakectl verify on the device");
}
