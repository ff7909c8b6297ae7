// SPDX-License-Identifier: MPL-2.0
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Laked.Control;
using DeepLake.Laked.Serve;
using DeepLake.Storage;

namespace DeepLake.Laked.OneShot;

/// <summary>Health of a lake that is not mounted; nothing on the device changes.</summary>
internal static class HealthJob
{
    internal static Health Run(HealthRequest request, Action<Response> send)
    {
        using DirectBlockDevice direct = OneShotDevice.Open(request.DevicePath, readOnly: true);
        using var device = new SalvagingDevice(direct);
        var overlay = new ReadOnlyOverlayDevice(device);
        using LakeEngine engine = LakeEngine.Open(overlay, new DeviceCommitSink(overlay), SmallEngine.OptionsTelling(send, request.DevicePath));
        var lake = new LakeHealth { Stats = new LakeStats { Device = request.DevicePath, State = "offline" }, IsOpen = true };
        StatsReport.Fill(lake.Stats, engine, device);
        lake.Stats.Notes.AddRange(LakeCondition.Checkpoints(engine, device));
        if (engine.AuditLog(overlay) is { } log)
        {
            lake.Stats.Notes.Add(log.What);
        }

        if (UnreadableBlocks.Describe(device, engine.Superblock) is { } unreadable)
        {
            lake.Stats.Notes.Add(unreadable);
        }

        lake.Scrub = ScrubJob.Written(request.DevicePath, engine);
        HealthVerdict.Judge(lake, isDamaged: false);
        if (LakeCondition.LostChecksums(engine) is { } lost)
        {
            HealthVerdict.AddDamage(lake, "checksums_lost", lost, $"lakectl repair {request.DevicePath} writes them anew where the files' identities prove the data");
        }

        return new Health { Lakes = { lake } };
    }
}
