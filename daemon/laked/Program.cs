// SPDX-License-Identifier: MPL-2.0
using DeepLake.Laked;
using DeepLake.Laked.OneShot;
using DeepLake.Laked.Serve;

const int UsageError = 2;

switch (args.FirstOrDefault())
{
    case "serve":
        ServeOptions? options = ServeOptions.Parse(args.AsSpan(1), out string? problem);
        if (options is not null)
        {
            return ServeCommand.Run(options);
        }
        Console.Error.WriteLine($"laked: {problem}\n{ServeOptions.Usage}");
        return UsageError;
    case "oneshot" when args.Length == 1:
        return OneShotCommand.Run();
    case "--version":
        Console.WriteLine($"laked {LakedVersion.Text}");
        return 0;
    case "--help" or "-h":
        Console.WriteLine(ServeOptions.Usage);
        Console.WriteLine("Usage: laked oneshot\nOne request of the control protocol on standard input, its answer on standard output.");
        return 0;
    default:
        Console.Error.WriteLine($"laked: what to do?\n{ServeOptions.Usage}");
        return UsageError;
}
