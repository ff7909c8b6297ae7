// SPDX-License-Identifier: MPL-2.0
using DeepLake.Engine;
using DeepLake.Engine.Bench;
using DeepLake.Storage;

// The engine's hot paths on a device in memory: what an intent and a request cost, commits and
// checkpoints included. `dotnet run -c Release --project tests/bench/engine [ROUNDS]`; the last round
// is the warm one.
int rounds = args.Length > 0 ? int.Parse(args[0]) : 3;
for (int round = 1; round <= rounds; round++)
{
    Console.WriteLine($"round {round}");
    using var device = new MemoryBlockDevice(2L << 30);
    byte[] touched = new byte[1 << 20];
    for (long at = 0; at < 256L << 20; at += touched.Length)
    {
        device.Write(touched, at); // the device's own memory is there before the clock runs
    }

    LakeFormatter.Format(device, new FormatOptions(Guid.Empty, "bench", DateTimeOffset.UnixEpoch));
    using var lake = new BenchLake(device);
    lake.Run();
}
