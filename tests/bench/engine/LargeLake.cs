// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using DeepLake.Abi;
using DeepLake.Storage;

namespace DeepLake.Engine.Bench;

/// <summary>
/// A lake of millions of files in an image file: what it costs to make, what of it stays in memory, and
/// how soon it can be used again after a clean and after an unclean stop. Folders hold 1000 files of one
/// block each; it is the engine alone, without kernel and host.
/// </summary>
internal sealed class LargeLake : IDisposable
{
    private const ulong FirstIno = 100;
    private const int FilesOfFolder = 1000;
    private const uint Regular = 0x81a4;
    private const uint Directory = 0x41ed;

    private readonly DirectBlockDevice _device;
    private readonly LakeEngine _engine;
    private readonly Workload _work;

    private LargeLake(string path)
    {
        _device = DirectBlockDevice.Open(path);
        // what laked gives the first lake of a machine with 2 GiB or more
        var options = new EngineOptions { TreeCacheBytes = 64L << 20, PageStoreBytes = 32L << 20 };
        _engine = LakeEngine.Open(_device, new DeviceCommitSink(_device), options);
        _work = new Workload(_engine.AppliedSeq);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _device.Dispose();
    }

    /// <summary>Makes the image, 24 GiB (sparse) for each million, and stops cleanly.</summary>
    public static void Make(string path, double millions)
    {
        int files = (int)(millions * 1_000_000);
        using (FileStream image = File.Create(path))
        {
            image.SetLength((long)(millions * 24 * (1L << 30)));
        }

        using (DirectBlockDevice device = DirectBlockDevice.Open(path))
        {
            LakeFormatter.Format(device, new FormatOptions(Guid.NewGuid(), "large", DateTimeOffset.UnixEpoch));
        }

        using var lake = new LargeLake(path);
        lake.Mount();
        long started = Stopwatch.GetTimestamp();
        lake.CreateFiles(files);
        TimeSpan took = Stopwatch.GetElapsedTime(started);
        PrintMemory($"{files} files made in {took.TotalSeconds:F1} s ({files / took.TotalSeconds:F0} a second)");
        lake._engine.MarkClean();
    }

    /// <summary>Opens it in this process and looks up files here and there.</summary>
    public static void Open(string path, int lookups = 1000)
    {
        long started = Stopwatch.GetTimestamp();
        using var lake = new LargeLake(path);
        lake.Mount();
        TimeSpan took = Stopwatch.GetElapsedTime(started);
        string stop = lake._engine.WasClean ? "clean" : $"unclean, {lake._engine.ReplayedIntents} intents replayed";
        PrintMemory($"ready in {took.TotalMilliseconds:F0} ms ({stop})");
        int folders = (int)(lake._engine.GetStats().Inodes / (FilesOfFolder + 1));
        var random = new Random(1);
        started = Stopwatch.GetTimestamp();
        for (int i = 0; i < lookups; i++)
        {
            lake.Lookup(FirstIno + (ulong)random.Next(folders), $"file{random.Next(FilesOfFolder):D6}");
        }

        took = Stopwatch.GetElapsedTime(started);
        PrintMemory($"{lookups} lookups, {took.TotalMicroseconds / lookups:F0} us each");
    }

    /// <summary>Changes attributes for a while and ends as a process does that is killed.</summary>
    public static void Crash(string path, int seconds)
    {
        var lake = new LargeLake(path);
        lake.Mount();
        ulong files = lake._engine.GetStats().Inodes;
        var random = new Random(2);
        long started = Stopwatch.GetTimestamp();
        long changes = 0;
        while (Stopwatch.GetElapsedTime(started).TotalSeconds < seconds)
        {
            lake._work.Touch(FirstIno + (ulong)random.NextInt64((long)files - 1));
            lake.Apply();
            changes++;
        }

        lake._engine.Commit();
        PrintMemory($"{changes} changes of attributes at random places");
        Environment.Exit(0); // no checkpoint, no mark
    }

    private void CreateFiles(int files)
    {
        int folders = Math.Max(files / FilesOfFolder, 1);
        ulong block = _engine.Superblock.Data.StartBlock;
        ulong ino = FirstIno + (ulong)folders;
        for (int folder = 0; folder < folders; folder++)
        {
            ulong dir = FirstIno + (ulong)folder;
            _work.Create(1, dir, Directory, $"folder{folder:D6}");
            for (int i = 0; i < FilesOfFolder; i++)
            {
                _work.Create(dir, ino, Regular, $"file{i:D6}");
                _work.Map(ino++, block++);
            }

            Apply();
        }
    }

    // as the ring loop does: commit at half a frame, checkpoint in slices when due
    private void Apply()
    {
        foreach (byte[] entry in _work.Take())
        {
            _engine.Apply(entry);
            if (_engine.UncommittedBytes < LakeFormat.WalFrameMax / 2)
            {
                continue;
            }

            _engine.Commit();
            if (_engine.CheckpointDue && !_engine.PrepareCheckpoint())
            {
                _engine.Checkpoint();
            }
        }
    }

    private void Mount()
    {
        var request = new RequestMount { Header = new RequestHeader { Len = 48, Op = RequestOp.Mount } };
        Ask(MemoryMarshal.AsBytes(new ReadOnlySpan<RequestMount>(in request)));
        // its epoch is an entry of the log, without a number
    }

    private void Lookup(ulong dir, string name)
    {
        byte[] request = new byte[Marshal.SizeOf<RequestName>() + name.Length];
        MemoryMarshal.Write(request, new RequestName
        {
            Header = new RequestHeader { Len = (uint)request.Length, Op = RequestOp.Lookup },
            Ino = dir,
            NameBytes = (ushort)name.Length,
        });
        Encoding.ASCII.GetBytes(name, request.AsSpan(Marshal.SizeOf<RequestName>()));
        Ask(request);
    }

    private void Ask(ReadOnlySpan<byte> request)
    {
        if (_engine.HandleRequest(request, new byte[4096], out _) <= 0)
        {
            throw new InvalidOperationException("a request was not answered");
        }
    }

    private static void PrintMemory(string what) =>
        Console.WriteLine($"{what}; resident {Environment.WorkingSet >> 20} MiB, managed {GC.GetTotalMemory(false) >> 20} MiB");
}
