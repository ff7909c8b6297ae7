// SPDX-License-Identifier: MPL-2.0
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Laked.Control;
using DeepLake.Storage;

namespace DeepLake.Laked.OneShot;

/// <summary>Numbers of a lake that is not mounted; nothing on the device changes.</summary>
internal static class StatsJob
{
    internal static Stats Run(StatsRequest request, Action<Response> send)
    {
        using DirectBlockDevice direct = OneShotDevice.Open(request.DevicePath, readOnly: true);
        using var device = new SalvagingDevice(direct);
        var overlay = new ReadOnlyOverlayDevice(device);
        using LakeEngine engine = LakeEngine.Open(overlay, new DeviceCommitSink(overlay), SmallEngine.OptionsTelling(send, request.DevicePath));
        var lake = new LakeStats { Device = request.DevicePath, State = "offline" };
        StatsReport.Fill(lake, engine, device);
        return new Stats { Lakes = { lake } };
    }
}
