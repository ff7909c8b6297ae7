// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using System.Text.Json;
using NUnit.Framework;

namespace DeepLake.Cli.Tests;

/// <summary>Runs the real lakectl with the real laked, as a person would.</summary>
internal static class Cli
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private static string Root { get; } = FindRoot();

    // The tests run from ROOT/tests/cli/bin/CONFIGURATION/FRAMEWORK/; the programs lie likewise.
    private static string Build { get; } = Path.GetRelativePath(Path.Combine(Root, "tests", "cli"), AppContext.BaseDirectory);

    internal static string Lakectl { get; } = Path.Combine(Root, "lakectl", Build, "lakectl");

    internal static string Laked { get; } = Path.Combine(Root, "daemon", "laked", Build, "laked");

    internal static CliResult Run(params string[] arguments)
    {
        using Process process = Start(arguments);
        process.StandardInput.Close();
        return Finish(process);
    }

    /// <summary>Standard output goes to a file or device.</summary>
    internal static CliResult RunInto(string target, params string[] arguments)
    {
        using Process process = Launch("/bin/sh", ["-c", $"exec \"$0\" \"$@\" >{target}", Lakectl, .. arguments]);
        process.StandardInput.Close();
        return Finish(process);
    }

    /// <summary>Started with open standard input.</summary>
    internal static Process Start(params string[] arguments) => Launch(Lakectl, arguments);

    /// <summary>As a script does with <c>&amp;</c>: what it starts so ignores SIGINT.</summary>
    internal static Process StartInBackground(params string[] arguments) =>
        Launch("/bin/sh", ["-c", "trap '' INT; exec \"$0\" \"$@\"", Lakectl, .. arguments]);

    private static Process Launch(string program, string[] arguments)
    {
        var info = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        info.Environment["LAKED"] = Laked;
        info.Environment["LAKED_SOCKET"] = "/nonexistent/laked.sock";
        return Process.Start(info) ?? throw new InvalidOperationException("lakectl did not start");
    }

    internal static CliResult Finish(Process process)
    {
        Task<string> errors = process.StandardError.ReadToEndAsync();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(Limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail("lakectl does not end");
        }
        return new CliResult(process.ExitCode, output.Result, errors.Result);
    }

    /// <summary>A new lake in an image file.</summary>
    internal static void MakeLake(string image, string size = "128M") =>
        Assert.That(Run("mkfs", "--size", size, image).ExitCode, Is.Zero);

    /// <summary>Verify must call it clean, data included.</summary>
    internal static void AssertClean(string image)
    {
        CliResult result = Run("verify", "--full", image);
        Assert.That(result.ExitCode, Is.Zero, result.Output + result.Errors);
    }

    /// <summary>The last line of JSON output.</summary>
    internal static JsonElement Json(CliResult result)
    {
        string line = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Last();
        return JsonDocument.Parse(line).RootElement;
    }

    /// <summary>The worker of a lakectl. Its threads come and go while they are looked at: any of them may have started it.</summary>
    internal static int Child(int parent)
    {
        for (int i = 0; i < 100; i++)
        {
            foreach (string task in Directory.GetDirectories($"/proc/{parent}/task"))
            {
                try
                {
                    string children = File.ReadAllText(Path.Combine(task, "children")).Trim();
                    if (children.Length > 0)
                    {
                        return int.Parse(children.Split(' ')[0]);
                    }
                }
                catch (IOException)
                {
                    // This one has ended.
                }
            }
            Thread.Sleep(50);
        }
        throw new AssertionException("lakectl has no worker");
    }

    internal static void Signal(int process, string signal)
    {
        using Process kill = Process.Start("kill", ["-" + signal, process.ToString()]);
        kill.WaitForExit();
        Assert.That(kill.ExitCode, Is.Zero);
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "DeepLake.sln")))
            {
                return at.FullName;
            }
        }
        throw new DirectoryNotFoundException("DeepLake.sln was not found above the test");
    }
}
