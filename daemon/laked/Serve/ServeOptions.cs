// SPDX-License-Identifier: MPL-2.0
using System.Globalization;
using DeepLake.Control;
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
          --device PATH  control device of the kernel module (/dev/lakefs)
        """;

    private const int SealAfterMost = 86400;

    public string SocketPath { get; init; } = ControlProtocol.DefaultSocketPath;

    public string? LogPath { get; init; }

    public string ControlDevice { get; init; } = ControlFile.DefaultPath;

    /// <summary>How long a file must not have changed before it is sealed; zero: never.</summary>
    public TimeSpan SealAfter { get; init; } = TimeSpan.FromSeconds(30);

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
                    if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) || seconds > SealAfterMost)
                    {
                        problem = $"--seal-after takes seconds, 0 to {SealAfterMost}, not: {value}";
                        return null;
                    }
                    options = options with { SealAfter = TimeSpan.FromSeconds(seconds) };
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
}
