// SPDX-License-Identifier: MPL-2.0
using System.IO.Compression;
using DeepLake.Abi;
using DeepLake.Client;
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Engine.Archive;
using DeepLake.Engine.Ingest;
using DeepLake.Laked.Control;
using DeepLake.Laked.OneShot;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Laked.Import;

/// <summary>
/// Fills a fresh lake. While that lasts the root carries a mark, so that an interrupted import is known
/// as one and can go on. Ends, also when interrupted, with a checkpoint and the clean mark.
/// </summary>
internal static class ImportJob
{
    private const string StandardInput = "-";
    private static readonly byte[] Mark = "trusted.deeplake.import"u8.ToArray();

    internal static ImportResult Run(ImportRequest request, Stream input, Action<Response> send, CancellationToken cancellation)
    {
        CheckSource(request.Source);
        using DirectBlockDevice device = OneShotDevice.Open(request.DevicePath, readOnly: false);
        LakeEngine.RequireWritable(device);
        using LakeEngine engine = LakeEngine.Open(device, new DeviceCommitSink(device), new EngineOptions());
        var lake = new LakeClient(engine, ImportRefusal.Of, TimeProvider.System, new Random());
        using var table = new ChecksumTable(device, engine.Superblock);
        using var data = new DataWriter(lake, device, table);
        bool resume = CheckTarget(lake, engine, request);
        bool isTree = Directory.Exists(request.Source);
        var importer = new TreeImporter(lake, data, resume, mayRepeat: !isTree, Begin, send, cancellation);
        try
        {
            if (isTree)
            {
                new DirectorySource(importer, request.Source).Run();
            }
            else
            {
                RunTar(request.Source, input, importer, lake);
            }
            data.Flush();
            FinishRoot(lake);
        }
        catch (Exception e) when (e is OperationCanceledException or CommandException)
        {
            if (importer.HasBegun)
            {
                data.Flush();
                engine.MarkClean();
            }
            throw Stopped(e, isUnfinished: resume || importer.HasBegun, request);
        }
        send(Responses.Progress("finishing", 0, 0, "", ""));
        data.ReturnLeases();
        if (!new BaseWriter(device, engine, SmallEngine.Options).Run())
        {
            importer.Result.Warnings.Add(
                "there was no room for a base of the archive: should the metadata be lost, nothing of it would come back; laked tries again while the lake is mounted");
        }
        engine.MarkClean();
        importer.Result.DataBytes = data.WrittenBytes;
        return importer.Result;

        void Begin()
        {
            engine.PauseArchive("an import writes a base at its end");
            engine.BeginEpoch(lake.Now(), isMount: false);
            lake.SetXattr(LakeFormat.RootIno, new Xattr(Mark, System.Text.Encoding.UTF8.GetBytes(request.Source)));
            lake.Commit();
        }
    }

    private static CommandException Stopped(Exception e, bool isUnfinished, ImportRequest request)
    {
        if (e is CommandException stopped)
        {
            return isUnfinished && !ImportRefusal.IsFinal(stopped) ? new CommandException(stopped.Code, stopped.Message, Then(stopped.NextStep, request)) : stopped;
        }
        return isUnfinished
            ? new CommandException(ErrorCode.ErrorInterrupted, "the import was interrupted", "go on with lakectl import --resume, and the same source")
            : new CommandException(ErrorCode.ErrorInterrupted, "the import was interrupted before its first entry; the lake was not changed", "give the same command again");
    }

    // What came before the error is in the lake, which is marked as incomplete.
    private static string Then(string nextStep, ImportRequest request)
    {
        string then = $"go on with --resume, or begin anew with lakectl mkfs --force {request.DevicePath}";
        return nextStep.Length == 0 ? then : $"{nextStep}; then {then}";
    }

    /// <summary>What can be known of a source before the lake is touched. A fifo's open would wait for ever.</summary>
    private static void CheckSource(string source)
    {
        if (source == StandardInput || Directory.Exists(source))
        {
            return;
        }
        string file = OneShotDevice.Resolve(source);
        if (LinuxFiles.Status(LinuxFiles.CurrentDirectory, LinuxFiles.Name(file), out FileStatus status) != Errno.None)
        {
            throw new CommandException(ErrorCode.ErrorNotFound, $"{source} does not exist", "name a directory, a tar file, or - for standard input");
        }
        if (!FileType.IsRegular(status.Mode))
        {
            throw new CommandException(
                ErrorCode.ErrorGeneral, $"{source} is neither a directory nor a tar file", "for a stream use standard input: lakectl import - DEVICE < SOURCE");
        }
        using FileStream archive = Open(source);
        using Stream content = Content(archive);
        TarSource.CheckBegin(content);
    }

    /// <summary>Whether an interrupted import goes on; anything but that or an empty lake is refused.</summary>
    private static bool CheckTarget(LakeClient lake, LakeEngine engine, ImportRequest request)
    {
        bool isEmpty = lake.GetInode(LakeFormat.RootIno).Size == 0;
        string? begun = lake.GetXattr(LakeFormat.RootIno, Mark) is { } mark ? System.Text.Encoding.UTF8.GetString(mark) : null;
        if (!isEmpty && begun is null)
        {
            throw NotFresh(engine.Superblock.MountCount, request.DevicePath);
        }
        if (!isEmpty && !request.Resume)
        {
            throw new CommandException(
                ErrorCode.ErrorGeneral, $"an import into {request.DevicePath} was interrupted", "go on with --resume, or begin anew with lakectl mkfs --force");
        }
        // With another one it would be called complete, and what the first was at stay cut short.
        if (!isEmpty && begun != request.Source && begun != StandardInput && request.Source != StandardInput)
        {
            throw new CommandException(
                ErrorCode.ErrorGeneral,
                $"the import into {request.DevicePath} that was interrupted is one of {begun}",
                "go on with --resume and that source, or begin anew with lakectl mkfs --force");
        }
        return !isEmpty;
    }

    // What is in a lake that was never mounted came by an import, and that one took its mark away.
    private static CommandException NotFresh(ulong mounts, string device) => mounts == 0
        ? new CommandException(
            ErrorCode.ErrorGeneral,
            $"the import into {device} is finished already; nothing was changed",
            $"mount the lake; to import anew, make it anew first: lakectl mkfs --force {device}")
        : new CommandException(
            ErrorCode.ErrorGeneral,
            $"the lake on {device} is not empty, and no import into it is unfinished; nothing was changed",
            "if it holds what was to be imported, mount it; else import into a fresh lake (lakectl mkfs), or mount it and copy");

    // Taking the mark away changes the root's ctime only; its mtime is the source's already.
    private static void FinishRoot(LakeClient lake) => lake.RemoveXattr(LakeFormat.RootIno, Mark);

    private static void RunTar(string source, Stream input, TreeImporter importer, LakeClient lake)
    {
        if (source == StandardInput)
        {
            new TarSource(importer, lake, input, 0, null).Run();
            return;
        }
        using FileStream file = Open(source);
        using Stream content = Content(file);
        new TarSource(importer, lake, content, (ulong)file.Length, () => (ulong)file.Position).Run();
    }

    private static Stream Content(FileStream file)
    {
        bool isGzip = file.ReadByte() == 0x1f && file.ReadByte() == 0x8b;
        file.Position = 0;
        return isGzip ? new GZipStream(file, CompressionMode.Decompress) : new BufferedStream(file, 1 << 20);
    }

    private static FileStream Open(string source)
    {
        try
        {
            return new FileStream(source, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ErrorCode.ErrorGeneral, $"cannot read {source}: {e.Message}", "check the name and your permissions");
        }
    }
}
