// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using System.Globalization;
using DeepLake.Engine;
using DeepLake.Engine.Archive;
using DeepLake.Laked.Logging;
using DeepLake.Laked.OneShot;
using DeepLake.Laked.Serve;
using DeepLake.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DeepLake.Scale;

/// <summary>
/// What `laked serve` is without a kernel that wants something: its host, its locked memory, the budgets
/// of its first lake, and a thread with the engine that does the work it is told.
/// </summary>
internal sealed class ServedProcess
{
    private const int ThreadStackBytes = 1 << 20;
    private const int DieAtCheckpoint = 2;

    private static readonly TimeSpan PreloadPatience = TimeSpan.FromSeconds(2);

    private readonly string _image;
    private readonly string[] _work;
    private readonly ManualResetEventSlim _isMounted = new();
    private readonly ManualResetEventSlim _isHosted = new();
    private int _result;

    private readonly bool _mounts;

    private ServedProcess(string image, bool mounts, string[] work)
    {
        _image = image;
        _mounts = mounts;
        _work = work;
    }

    public static int Run(string image, bool mounts, string[] work) => new ServedProcess(image, mounts, work).Run();

    // In the order of ServeCommand: the lake first, the host behind it.
    private int Run()
    {
        var options = new ServeOptions { SocketPath = Path.Combine(Path.GetTempPath(), $"scale-{Environment.ProcessId}", "laked.sock") };
        var buffer = new LogBuffer();
        using var provider = new BufferLoggerProvider(buffer, TimeProvider.System);
        ILogger logger = provider.CreateLogger(nameof(ServedProcess));
        using var watcher = new DeviceWatcher(options, logger, logger, () => { });
        ServeCommand.LockMemory(logger);
        var thread = new Thread(Serve, ThreadStackBytes) { IsBackground = true, Name = "lake" };
        thread.Start();
        _isMounted.Wait();
        IHost host = ServeCommand.Build(options, buffer, provider, watcher);
        host.Start();
        Preload.Start();
        _isHosted.Set();
        thread.Join();
        Directory.Delete(Path.GetDirectoryName(options.SocketPath)!, recursive: true);
        return _result;
    }

    private void Serve()
    {
        try
        {
            using DirectBlockDevice device = DirectBlockDevice.Open(_image);
            using LakeEngine engine = LakeEngine.Open(device, new DeviceCommitSink(device), DeviceWatcher.OnlyBudget);
            string end = engine.WasClean ? "clean stop" : $"unclean end, {engine.ReplayedIntents} intents replayed";
            Figures.Print(
                $"ready {Figures.Age().TotalSeconds:F2} s after the start of the process, {Figures.Waited().TotalSeconds:F2} s of it waiting for a processor; "
                + $"{Figures.Processor().TotalSeconds:F2} s of processor; "
                + $"{engine.GetStats().Inodes} inodes, {end}");
            var lake = new ServedLake(engine);
            if (_mounts)
            {
                lake.Mount();
                Figures.Print($"mounted {Figures.Age().TotalSeconds:F2} s after the start");
            }

            _isMounted.Set();
            _isHosted.Wait();
            Thread.Sleep(PreloadPatience);
            Figures.Print("idle");
            for (int i = 0; i < _work.Length; i++)
            {
                Do(lake, ref i);
            }
        }
        catch (Exception e)
        {
            Console.Error.WriteLine(e);
            _result = 1;
        }
        finally
        {
            _isMounted.Set();
        }
    }

    private void Do(ServedLake lake, ref int at)
    {
        long started = Stopwatch.GetTimestamp();
        TimeSpan processor = Figures.Processor();
        string done = Work(lake, ref at);
        Figures.Print(
            $"{done}: {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s, {(Figures.Processor() - processor).TotalSeconds:F1} s of processor");
    }

    private string Work(ServedLake lake, ref int at)
    {
        switch (_work[at])
        {
            case "walk":
                var walk = new TreeWalk(lake);
                walk.Run();
                return $"walk of {walk.Inodes} inodes";
            case "lookups":
                long names = Number(ref at);
                new Changes(lake).Lookups(names);
                return $"{names} lookups";
            case "change":
                long changes = Number(ref at);
                new Changes(lake).Run(changes);
                return $"{changes} changes, {lake.Engine.GetStats().Checkpoints} checkpoints";
            case "base":
                using (DirectBlockDevice device = DirectBlockDevice.Open(_image))
                {
                    return new BaseWriter(device, lake.Engine, SmallEngine.Options).Run() ? "base of the archive" : "a base that was given up";
                }

            case "stop":
                lake.Engine.MarkClean();
                return "stop";
            case "die":
                Die(lake, _work[++at]);
                return "";
            default:
                throw new ArgumentException($"no such work: {_work[at]}");
        }
    }

    private long Number(ref int at) => long.Parse(_work[++at], CultureInfo.InvariantCulture);

    // What came since the last checkpoint is most right before the next one.
    private static void Die(ServedLake lake, string kind)
    {
        int checkpoints = 0;
        lake.Checkpointing = () =>
        {
            if (++checkpoints == DieAtCheckpoint)
            {
                Console.WriteLine($"kill -9 under load ({kind}), {lake.LogBytes >> 10} KiB of intents behind the last checkpoint");
                Process.GetCurrentProcess().Kill();
            }
        };
        new Changes(lake).Stream(kind);
    }
}
