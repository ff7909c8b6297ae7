// SPDX-License-Identifier: MPL-2.0
using DeepLake.Control;
using DeepLake.Laked.Control;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Laked.OneShot;

/// <summary>Opens a device or image for a command that must be alone with it.</summary>
internal static class OneShotDevice
{
    private const long QemuWritesByte = 101;
    private const string InUseAdvice = "unmount it first (findmnt shows where it is mounted)";

    /// <summary>Exclusively; a block device that is mounted, or an image that someone uses, is an error.</summary>
    /// <param name="path">Of the device or image.</param>
    /// <param name="readOnly">It will only be read.</param>
    /// <param name="alone">Nobody else may even read an image; so for what will be written to.</param>
    internal static DirectBlockDevice Open(string path, bool readOnly, bool alone = false)
    {
        string target = Resolve(path);
        FileStatus status = Status(target, path);
        switch (status.Mode & FileType.Mask)
        {
            case FileType.BlockDevice:
                return OpenBlock(target, readOnly);
            case FileType.Regular:
                return OpenImage(target, readOnly, alone || !readOnly);
            default:
                throw new CommandException(ErrorCode.ErrorGeneral, $"{path} is neither a block device nor an image file", "check the name");
        }
    }

    internal static bool Exists(string path) =>
        LinuxFiles.Status(LinuxFiles.CurrentDirectory, LinuxFiles.Name(path), out _) != Errno.ENOENT;

    private static DirectBlockDevice OpenBlock(string path, bool readOnly)
    {
        try
        {
            return DirectBlockDevice.Open(path, readOnly, exclusive: true);
        }
        catch (StorageException e) when (e.Errno == Errno.EBUSY)
        {
            throw new CommandException(ErrorCode.ErrorBusy, $"{path} is mounted or in use", InUseAdvice);
        }
    }

    private static DirectBlockDevice OpenImage(string path, bool readOnly, bool alone)
    {
        if (LoopDeviceOf(path) is { } loop)
        {
            throw new CommandException(ErrorCode.ErrorBusy, $"{path} is in use by {loop}", $"detach it first (losetup -d {loop}), or name {loop} instead");
        }
        DirectBlockDevice device = DirectBlockDevice.Open(path, readOnly);
        LockOperation kind = alone ? LockOperation.Exclusive : LockOperation.Shared;
        if (Linux.Lock(device.FileDescriptor, kind | LockOperation.NonBlock) == Errno.None && !IsDiskOfAMachine(device, alone))
        {
            return device;
        }
        device.Dispose();
        throw new CommandException(
            ErrorCode.ErrorBusy,
            $"{path} is in use by another program",
            "wait until that is done; a virtual machine must be shut down first"
            + (alone ? "" : ", or asked itself: what it has not written yet is not in the image (lakectl in it, with its mount point)"));
    }

    // Virtual machines lock single bytes, which a lock of the whole file does not notice: QEMU shares a lock
    // of byte 101 for the right to write, and other ones while it only reads.
    private static bool IsDiskOfAMachine(DirectBlockDevice image, bool alone) => alone
        ? IsLocked(image, writersOnly: false, 0, 0)
        : IsLocked(image, writersOnly: true, 0, 0) || IsLocked(image, writersOnly: false, QemuWritesByte, 1);

    private static bool IsLocked(DirectBlockDevice image, bool writersOnly, long start, long length) =>
        Linux.FindRangeLock(image.FileDescriptor, writersOnly, start, length, out bool isLocked) == Errno.None && isLocked;

    private static string? LoopDeviceOf(string path)
    {
        string full = Path.GetFullPath(path);
        try
        {
            foreach (string directory in Directory.EnumerateDirectories("/sys/block", "loop*"))
            {
                string backing = Path.Combine(directory, "loop", "backing_file");
                if (File.Exists(backing) && IsSameFile(File.ReadAllText(backing).TrimEnd('\n'), full))
                {
                    return "/dev/" + Path.GetFileName(directory);
                }
            }
        }
        catch (IOException)
        {
            // No sysfs here, or a loop device that went away meanwhile: the lock still tells about other laked.
        }
        return null;
    }

    // By name, or by what the names lead to: an image may have several (hard links, bind mounts).
    private static bool IsSameFile(string backing, string path) =>
        backing == path
        || (LinuxFiles.Status(LinuxFiles.CurrentDirectory, LinuxFiles.Name(backing), out FileStatus one) == Errno.None
            && LinuxFiles.Status(LinuxFiles.CurrentDirectory, LinuxFiles.Name(path), out FileStatus other) == Errno.None
            && (one.Device, one.Ino) == (other.Device, other.Ino));

    /// <summary>Where symbolic links lead to in the end.</summary>
    internal static string Resolve(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);
        }
        catch (IOException)
        {
            return Path.GetFullPath(path);
        }
    }

    private static FileStatus Status(string target, string path)
    {
        Errno error = LinuxFiles.Status(LinuxFiles.CurrentDirectory, LinuxFiles.Name(target), out FileStatus status);
        return error switch
        {
            Errno.None => status,
            Errno.ENOENT => throw new CommandException(ErrorCode.ErrorNotFound, $"{path} does not exist", "check the name"),
            _ => throw new CommandException(ErrorCode.ErrorGeneral, $"{path}: {Linux.Describe(error)}", "check the name and your permissions"),
        };
    }
}
