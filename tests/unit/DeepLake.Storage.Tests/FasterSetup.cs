// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Storage.Tests;

/// <summary>A small store whose pages mostly live on the device: 16 MiB of log, 64 KiB FASTER pages, 256 KiB of memory.</summary>
internal static class FasterSetup
{
    private const long MiB = 1L << 20;

    internal const long DeviceBytes = 32 * MiB;

    internal static PageStoreGeometry Geometry => new(1 * MiB, 4 * MiB, 5 * MiB, 4 * MiB, 10 * MiB, 16 * MiB);

    internal static PageStoreOptions TinyMemory => new() { LogPageBits = 16, MemoryBytes = 512 * 1024 };

    internal static PageStoreOptions SomeMemory => TinyMemory with { MemoryBytes = 16 * MiB };
}
