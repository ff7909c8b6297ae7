// SPDX-License-Identifier: MPL-2.0
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Laked.Control;

/// <summary>Short ways to say what the protocol can say.</summary>
internal static class Responses
{
    internal static Response Error(ErrorCode code, string message, string nextStep = "") =>
        new() { Error = new Error { Code = code, Message = message, NextStep = nextStep } };

    internal static Response Progress(string phase, ulong done, ulong total, string unit, string item = "") =>
        new() { Progress = new Progress { Phase = phase, Done = done, Total = total, Unit = unit, Item = item } };

    /// <summary>What a person is told about a failure of ours or of the device.</summary>
    internal static Response FromException(Exception e) => e switch
    {
        CommandException command => Error(command.Code, command.Message, command.NextStep),
        LakeFormatException format => Error(ErrorCode.ErrorGeneral, format.Message, format.NextStep),
        StorageException { Errno: Errno.EBUSY } busy =>
            Error(ErrorCode.ErrorBusy, $"the device is mounted or in use: {busy.Message}", "unmount it first (findmnt shows where it is mounted)"),
        StorageException { Errno: Errno.ENOENT } missing => Error(ErrorCode.ErrorNotFound, missing.Message, "check the name"),
        StorageException { Errno: Errno.EACCES } denied => Error(ErrorCode.ErrorGeneral, denied.Message, "run the command as root, or with sudo"),
        StorageException { Errno: Errno.EPERM } denied => Error(ErrorCode.ErrorGeneral, denied.Message, "run the command as root, or with sudo; a file may also be marked as one that cannot be changed (lsattr, chattr -i)"),
        StorageException { Errno: Errno.EROFS } denied => Error(ErrorCode.ErrorGeneral, denied.Message, "use another device, or allow writing to it: blockdev --setrw DEVICE; for an image file, mount the file system that holds it read-write"),
        StorageException { Errno: Errno.EFBIG } large => Error(ErrorCode.ErrorGeneral, large.Message, "choose a smaller size, or a filesystem that allows such files"),
        StorageException { Errno: Errno.ENOSPC } full => Error(ErrorCode.ErrorGeneral, full.Message, "use a larger device"),
        StorageException { IsCorruption: true } corrupt => Error(ErrorCode.ErrorPartial, corrupt.Message, "run lakectl verify on the device"),
        StorageException storage => Error(ErrorCode.ErrorGeneral, storage.Message, "see the kernel log (dmesg) for errors of the device"),
        OperationCanceledException => Error(ErrorCode.ErrorInterrupted, "interrupted"),
        UnauthorizedAccessException => Error(ErrorCode.ErrorGeneral, e.Message, "try again as root, or as the file's owner"),
        _ => Error(ErrorCode.ErrorGeneral, $"{e.GetType().Name}: {e.Message}", "this is a defect of DeepLake; please report it"),
    };
}
