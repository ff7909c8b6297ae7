// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using System.Text.Json;
using DeepLake.Control;
using DeepLake.Lakectl.Commands;
using NUnit.Framework;

namespace DeepLake.Cli.Tests;

[TestFixture]
public sealed class C035StatsTests : ScratchFixture
{
    [Test]
    public void Every_GoesOnWithALineEach_UntilItIsStopped()
    {
        Cli.MakeLake(_scratch["a.img"]);
        using Process process = Cli.Start("stats", "--json", "--every", "1", _scratch["a.img"]);
        for (int i = 0; i < 2; i++)
        {
            using JsonDocument line = JsonDocument.Parse(process.StandardOutput.ReadLine() ?? "{}");
            Assert.That(line.RootElement.GetProperty("lakes").GetArrayLength(), Is.EqualTo(1));
        }
        Assert.That(process.HasExited, Is.False);
        process.Kill();
        Cli.Finish(process);
    }

    [Test]
    public void Every_EndsWhenNobodyReads()
    {
        Cli.MakeLake(_scratch["a.img"]);
        using Process process = Cli.Start("stats", "--every", "1", _scratch["a.img"]);
        process.StandardOutput.ReadLine();
        process.StandardOutput.Close();
        Assert.That(process.WaitForExit(TimeSpan.FromMinutes(1)), Is.True);
        Assert.That(process.ExitCode, Is.Zero);
        Assert.That(process.StandardError.ReadToEnd(), Is.Empty);
    }

    /// <summary>Regression: what came last were names of counters and bare numbers.</summary>
    [Test]
    public void Stats_SayWhatTheirNumbersAreOf()
    {
        Cli.MakeLake(_scratch["a.img"]);
        string output = Cli.Run("stats", _scratch["a.img"]).Output;
        Assert.That(output, Does.Match(@"\n  metadata    \d+ of the \d+ pages there is room for, 4096 bytes each\n"));
        Assert.That(output, Does.Match(@"\n  log         \S+( \S+)? of \S+ \S+ with the changes since the older of the two checkpoints\n"));
        foreach (string line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1))
        {
            Assert.That(line, Does.Match("^  (uuid|data|inodes|history|sequence|unmounted|metadata|log|archive)  "), output);
        }
        string help = Cli.Run("stats", "--help").Output;
        foreach (JsonProperty counter in Cli.Json(Cli.Run("stats", "--json", _scratch["a.img"])).GetProperty("lakes")[0].GetProperty("counters").EnumerateObject())
        {
            Assert.That(help, Does.Match($@"\n  {counter.Name} +\S"), "each has its line");
        }
    }

    /// <summary>What a newer daemon counts is not kept from anybody.</summary>
    [Test]
    public void Stats_ShowCountersThatTheyDoNotKnow()
    {
        var lake = new LakeStats { State = "serving", Uuid = "u" };
        foreach ((string name, ulong value) in new[] { ("commits", 3ul), ("checkpoints", 2ul), ("metadata_pages", 5ul), ("new_things_found", 7ul) })
        {
            lake.Counters[name] = value;
        }
        string[] lines = [.. StatsShow.CounterLines(lake, plain: false)];
        Assert.That(lines, Does.Contain("  served      3 commits of the log and 2 checkpoints by the laked that serves it now"));
        Assert.That(lines, Does.Contain("  new things found 7"));
    }

    [Test]
    public void Every_EndsWithTheFirstFailure()
    {
        CliResult result = Cli.Run("stats", "--every", "1", _scratch["missing.img"]);
        Assert.That(result.ExitCode, Is.EqualTo(10), result.Errors);
        Assert.That(result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(2), result.Errors);
    }
}
