// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Laked.Control;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Laked.OneShot;

/// <summary>Makes a lake on a device or in an image file. Everything is checked before anything is changed.</summary>
internal static class MkfsJob
{
    private const ulong MinBytes = LakeFormat.MinDeviceBlocks * LakeFormat.BlockSize;
    private const ulong MaxBytes = LakeFormat.MaxDeviceBlocks * LakeFormat.BlockSize;

    internal static MkfsResult Run(MkfsRequest request, CancellationToken cancellation)
    {
        bool isNew = !OneShotDevice.Exists(request.DevicePath);
        CheckRequest(request, isNew);
        Guid uuid = request.Uuid.Length == 16 ? new Guid(request.Uuid.Span, bigEndian: true) : Guid.NewGuid();
        return isNew ? MakeImage(request, uuid, cancellation) : MakeOn(request, uuid, cancellation);
    }

    private static void CheckRequest(MkfsRequest request, bool isNew)
    {
        if (isNew && request.ImageBytes == 0)
        {
            throw new CommandException(
                ErrorCode.ErrorNotFound, $"{request.DevicePath} does not exist", "check the name, or give --size to create an image file");
        }
        if (isNew && Path.GetDirectoryName(Path.GetFullPath(request.DevicePath)) is { } folder && !Directory.Exists(folder))
        {
            throw new CommandException(ErrorCode.ErrorNotFound, $"there is no directory {folder}", "make it first, or check the name");
        }
        if (request.ImageBytes != 0 && request.ImageBytes < MinBytes)
        {
            throw new CommandException(
                ErrorCode.ErrorUsage, $"a lake needs at least {MinBytes >> 20} MiB; --size says {request.ImageBytes >> 20} MiB", "give a larger --size");
        }
        if (request.ImageBytes / LakeFormat.BlockSize > LakeFormat.MaxDeviceBlocks)
        {
            throw new CommandException(
                ErrorCode.ErrorUsage, $"a lake has {MaxBytes >> 40} TiB at most; --size says {request.ImageBytes >> 40} TiB", "give a smaller --size");
        }
        if (request.Uuid.Length is not (0 or 16))
        {
            throw new CommandException(ErrorCode.ErrorUsage, "a UUID has 16 bytes", "leave it out for a random one");
        }
        if (request.Uuid.Length == 16 && !request.Uuid.Span.ContainsAnyExcept((byte)0))
        {
            // RFC 9562 keeps it for "none", and so do the programs that look lakes up by it.
            throw new CommandException(ErrorCode.ErrorUsage, "the nil UUID names nothing", "leave it out for a random one");
        }
        if (request.Label.EnumerateRunes().Any(System.Text.Rune.IsControl))
        {
            throw new CommandException(ErrorCode.ErrorUsage, "the label holds a control character", "choose one that can be printed");
        }
        if (System.Text.Encoding.UTF8.GetByteCount(request.Label) > 64)
        {
            throw new CommandException(ErrorCode.ErrorUsage, "the label is longer than 64 bytes", "choose a shorter one");
        }
    }

    private static MkfsResult MakeImage(MkfsRequest request, Guid uuid, CancellationToken cancellation)
    {
        ulong bytes = request.ImageBytes / LakeFormat.BlockSize * LakeFormat.BlockSize;
        if (request.DryRun)
        {
            return Describe(request, uuid, bytes, 0, new FoundContent("", ""));
        }
        bool done = false;
        try
        {
            DirectBlockDevice.CreateImage(request.DevicePath, (long)bytes).Dispose();
            using DirectBlockDevice device = OneShotDevice.Open(request.DevicePath, readOnly: false);
            MkfsResult result = Format(request, uuid, device, new FoundContent("", ""), cancellation);
            done = true;
            return result;
        }
        finally
        {
            if (!done)
            {
                DeleteQuietly(request.DevicePath);
            }
        }
    }

    // What went wrong is what the person is to read, not that there is nothing to clean up.
    private static void DeleteQuietly(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It was never made: its directory is missing or may not be written to.
        }
    }

    private static MkfsResult MakeOn(MkfsRequest request, Guid uuid, CancellationToken cancellation)
    {
        using DirectBlockDevice device = OneShotDevice.Open(request.DevicePath, readOnly: request.DryRun, alone: true);
        if (request.ImageBytes != 0 && request.ImageBytes / LakeFormat.BlockSize != (ulong)device.LengthBytes / LakeFormat.BlockSize)
        {
            throw new CommandException(
                ErrorCode.ErrorUsage,
                $"{request.DevicePath} exists and has {device.LengthBytes >> 20} MiB; --size is for a new image file",
                "leave --size out, or remove the file first");
        }
        if ((ulong)device.LengthBytes < MinBytes)
        {
            throw new CommandException(
                ErrorCode.ErrorGeneral,
                $"{request.DevicePath} has {device.LengthBytes >> 20} MiB; a lake needs at least {MinBytes >> 20} MiB",
                "use a larger device or image file");
        }
        if ((ulong)device.LengthBytes / LakeFormat.BlockSize > LakeFormat.MaxDeviceBlocks)
        {
            throw new CommandException(
                ErrorCode.ErrorGeneral,
                $"{request.DevicePath} has {device.LengthBytes >> 40} TiB; a lake has {MaxBytes >> 40} TiB at most",
                "use a smaller device, or a partition of it");
        }
        FoundContent content = KnownContent.Look(device);
        if (content.What.Length > 0 && !request.Force)
        {
            throw new CommandException(
                ErrorCode.ErrorGeneral,
                $"{request.DevicePath} is not empty: it holds {content.What}; nothing was changed",
                (content.Rescue.Length == 0 ? "" : content.Rescue + "; ") + "if all of it may be lost, use --force");
        }
        return request.DryRun
            ? Describe(request, uuid, (ulong)device.LengthBytes, 0, content)
            : Format(request, uuid, device, content, cancellation);
    }

    private static MkfsResult Format(MkfsRequest request, Guid uuid, DirectBlockDevice device, FoundContent content, CancellationToken cancellation)
    {
        // From here on the device changes: an interruption waits until it is whole again.
        cancellation.ThrowIfCancellationRequested();
        LakeFormatter.Format(device, new FormatOptions(uuid, request.Label, DateTimeOffset.UtcNow));
        device.Flush();
        using LakeEngine engine = LakeEngine.Open(device, new DeviceCommitSink(device), SmallEngine.Options);
        return Describe(request, uuid, (ulong)device.LengthBytes, engine.GetStats().DataBlocks, content);
    }

    private static MkfsResult Describe(MkfsRequest request, Guid uuid, ulong bytes, ulong dataBlocks, FoundContent content) => new()
    {
        DevicePath = request.DevicePath,
        Uuid = uuid.ToString(),
        Label = request.Label,
        DeviceBytes = bytes,
        DataBlocks = dataBlocks,
        DryRun = request.DryRun,
        Overwrites = content.What,
        LookedAt = content.LookedAt,
    };
}
