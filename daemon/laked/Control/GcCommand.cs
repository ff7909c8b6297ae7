// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Control;
using DeepLake.Laked.Ingest;
using DeepLake.Laked.Serve;
using DeepLake.Platform;

namespace DeepLake.Laked.Control;

/// <summary>Packing and the rewriting of packs, when somebody asks for it.</summary>
internal sealed class GcCommand(DeviceWatcher watcher)
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(1);

    /// <summary>Waits for the end of the pass; it goes on when the client has gone.</summary>
    internal GcResult Run(GcRequest request, Action<Response> send)
    {
        LakeServer server = ServedLake.Find(watcher, request.OneDevice, request.DevMajor, request.DevMinor);
        IngestThread ingest = server.Ingest ?? throw new CommandException(
            ErrorCode.ErrorBusy, $"{server.DevicePath} is read-only, or not served yet", "see lakectl stats, or start laked without --seal-after 0");
        var pass = new PackRequest { IsAsked = true, IsAll = request.All, IsDryRun = request.DryRun };
        ingest.Ask(pass);
        while (!pass.Wait(ProgressInterval))
        {
            send(new Response { Progress = ProgressOf(server.DevicePath, pass) });
        }

        return ResultOf(server.DevicePath, pass);
    }

    /// <summary>For a lake that is not mounted, too.</summary>
    internal static Progress ProgressOf(string device, PackRequest pass)
    {
        (ulong done, ulong all) = pass.Files;
        bool isPacking = done < all && !pass.IsDryRun;
        string phase = isPacking ? "packing" : "looking for packs that are hardly used";
        return new Progress { Phase = $"{phase} on {device}", Done = isPacking ? done : 0, Total = isPacking ? all : 0, Unit = "inodes" };
    }

    /// <summary>For a lake that is not mounted, too.</summary>
    internal static GcResult ResultOf(string device, PackRequest pass)
    {
        if (pass.Refusal is not (Errno.None or Errno.ENOSPC or Errno.ENOMEM or Errno.EINTR))
        {
            throw new CommandException(ErrorCode.ErrorBusy, $"{device} is not served by this laked any more", "ask again; see lakectl health");
        }

        return new GcResult
        {
            Device = device,
            DryRun = pass.IsDryRun,
            PackedBytes = pass.Packed.Blocks * LakeFormat.BlockSize,
            PackedIntoBytes = pass.Packed.Into * LakeFormat.BlockSize,
            Packs = pass.Collected.Packs,
            PackBytes = pass.Collected.DeviceBlocks * LakeFormat.BlockSize,
            LiveBytes = pass.Collected.LiveBlocks * LakeFormat.BlockSize,
            Stopped = pass.Refusal switch
            {
                Errno.None => "",
                Errno.ENOSPC => "there is no room for it: packs need free blocks in a row, and metadata to describe them",
                _ => "memory was short",
            },
        };
    }
}
