// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using System.Text.Json;
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

    [Test]
    public void Every_EndsWithTheFirstFailure()
    {
        CliResult result = Cli.Run("stats", "--every", "1", _scratch["missing.img"]);
        Assert.That(result.ExitCode, Is.EqualTo(10), result.Errors);
        Assert.That(result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(2), result.Errors);
    }
}
