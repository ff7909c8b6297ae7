// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using DeepLake.Engine;
using DeepLake.Engine.Archive;
using DeepLake.Engine.Ingest;
using DeepLake.Laked.OneShot;
using DeepLake.Storage;

namespace DeepLake.Scale;

/// <summary>Makes the images: sparse, with all metadata and no data.</summary>
internal static class LakeMaker
{
    // Files have 8 blocks on average, and the metadata region is a part of the device.
    private const long BytesPerFile = 48L << 10;
    private const long LeastBytes = 1L << 30;

    /// <summary>An empty lake.</summary>
    public static void Format(string image, long bytes)
    {
        File.Delete(image);
        using DirectBlockDevice device = DirectBlockDevice.CreateImage(image, bytes);
        LakeFormatter.Format(device, new FormatOptions(Guid.NewGuid(), "scale", DateTimeOffset.UnixEpoch));
    }

    /// <summary>A lake with so many files, cleanly unmounted, archived to its end by a base.</summary>
    /// <param name="image">The file.</param>
    /// <param name="files">How many.</param>
    /// <param name="isChecked">They were ingested: all is checked, all have identities.</param>
    public static void Make(string image, int files, bool isChecked)
    {
        Format(image, Math.Max(files * BytesPerFile, LeastBytes));
        using DirectBlockDevice device = DirectBlockDevice.Open(image);
        using LakeEngine engine = LakeEngine.Open(device, new DeviceCommitSink(device), new EngineOptions { TreeCacheBytes = 64 << 20 });
        var lake = new ServedLake(engine);
        engine.PauseArchive("a base follows");
        engine.BeginEpoch(lake.Client.Now(), isMount: false);
        long started = Stopwatch.GetTimestamp();
        using ChecksumTable? table = isChecked ? new ChecksumTable(device, engine.Superblock) : null;
        var tree = new TreeMaker(lake, files, table);
        tree.Run();
        table?.Store();
        TimeSpan took = Stopwatch.GetElapsedTime(started);
        Console.WriteLine(
            $"{tree.Files} files in {tree.Directories} directories, {tree.Extents} extents, {tree.Blocks >> 18} GiB mapped; "
            + $"{files / took.TotalSeconds:F0} files a second");
        if (!new BaseWriter(device, engine, SmallEngine.Options).Run())
        {
            throw new InvalidOperationException("the base of the archive was not finished");
        }

        engine.MarkClean();
        EngineStats stats = engine.GetStats();
        Console.WriteLine($"{stats.MetadataPages} pages of metadata of {stats.MetadataCapacityPages}, {stats.ArchiveBlocks} blocks of archive");
    }
}
