// SPDX-License-Identifier: MPL-2.0
using System.Globalization;
using DeepLake.Control;
using DeepLake.Laked.Ingest;
using DeepLake.Transport;

namespace DeepLake.Laked.Serve;

/// <summary>Arguments of <c>laked serve</c>.</summary>
internal sealed record ServeOptions
{
    public const string Usage =
        """
        Usage: laked serve [--socket PATH] [--log PATH] [--no-lock]
        Serves every lake that the kernel wants served, until SIGTERM.
          --socket PATH  control socket (/run/deeplake/laked.sock)
          --log PATH     log file besides standard error
          --no-lock      do not lock memory
          --seal-after SECONDS
                         seal files that have been quiet for so long (30; 0: never)
          --pack-after SECONDS
                         compress files that nothing has changed for so long
                         (86400, a day; 0: never)
          --base-after MIB
                         write a base of the archive when reading the log since the
                         last one costs so much, or twice the metadata if that is
                         more (16)
          --device PATH  control device of the kernel module (/dev/lakefs)
        """;

    private const int SealAfterMost = 86400;
    private const int PackAfterMost = 366 * 86400;
    private const int BaseAfterMost = 1 << 20;

    public string SocketPath { get; init; } = ControlProtocol.DefaultSocketPath;

    public string? LogPath { get; init; }

    public string ControlDevice { get; init; } = ControlFile.DefaultPath;

    /// <summary>How long a file must not have changed before it is sealed; zero: never.</summary>
    public TimeSpan SealAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a file must not have changed before it is packed; zero: never.</summary>
    public TimeSpan PackAfter { get; init; } = PackPolicy.UsualAge;

    /// <summary>See <see cref="DeepLake.Engine.EngineOptions.ArchiveBaseBytes"/>.</summary>
    public ulong BaseAfterBytes { get; init; } = 16UL << 20;

    public bool LockMemory { get; init; } = true;

    /// <summary>The options, or null with the reason.</summary>
    public static ServeOptions? Parse(ReadOnlySpan<string> arguments, out string? problem)
    {
        var options = new ServeOptions();
        problem = null;
        for (int i = 0; i < arguments.Length; i++)
        {
            string name = arguments[i];
            if (name == "--no-lock")
            {
                options = options with { LockMemory = false };
                continue;
            }
            if (i + 1 == arguments.Length)
            {
                problem = $"unknown argument, or one without its value: {name}";
                return null;
            }
            string value = arguments[++i];
            switch (name)
            {
                case "--socket":
                    options = options with { SocketPath = value };
                    break;
                case "--log":
                    options = options with { LogPath = value };
                    break;
                case "--seal-after":
                    if (!TryParse(value, SealAfterMost, name, out TimeSpan sealAfter, ref problem))
                    {
                        return null;
                    }
                    options = options with { SealAfter = sealAfter };
                    break;
                case "--pack-after":
                    if (!TryParse(value, PackAfterMost, name, out TimeSpan packAfter, ref problem))
                    {
                        return null;
                    }
                    options = options with { PackAfter = packAfter };
                    break;
                case "--base-after":
                    if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int mib) || mib is 0 or > BaseAfterMost)
                    {
                        problem = $"--base-after takes MiB, 1 to {BaseAfterMost}, not: {value}";
                        return null;
                    }
                    options = options with { BaseAfterBytes = (ulong)mib << 20 };
                    break;
                case "--device":
                    options = options with { ControlDevice = value };
                    break;
                default:
                    problem = $"unknown argument: {name}";
                    return null;
            }
        }
        return options;
    }

    private static bool TryParse(string value, int mostSeconds, string name, out TimeSpan time, ref string? problem)
    {
        bool isGood = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) && seconds <= mostSeconds;
        problem = isGood ? problem : $"{name} takes seconds, 0 to {mostSeconds}, not: {value}";
        time = TimeSpan.FromSeconds(seconds);
        return isGood;
    }
}
