// SPDX-License-Identifier: MPL-2.0
using NUnit.Framework;

namespace DeepLake.Cli.Tests;

[TestFixture]
public sealed class C020UsageTests
{
    [TestCase("frobnicate")]
    [TestCase("mkfs")]
    [TestCase("mkfs", "--frob", "x")]
    [TestCase("import", "only-one")]
    [TestCase("verify", "a", "b")]
    [TestCase("mkfs", "")]
    [TestCase("import", "/etc", "")]
    [TestCase("stats", "")]
    [TestCase("verify", "")]
    [TestCase("hash")]
    [TestCase("hash", "--frob", "x")]
    [TestCase("mkfs", "--uuid", "123", "x")]
    public void WrongUsage_HasStatus2_AndPointsToHelp(params string[] arguments)
    {
        CliResult result = Cli.Run(arguments);
        Assert.That(result.ExitCode, Is.EqualTo(2));
        Assert.That(result.Errors, Does.Contain("--help"));
        Assert.That(result.Errors, Does.Not.Contain("System.").And.Not.Contain("   at "), "words for people");
        Assert.That(result.Output, Is.Empty);
    }

    /// <summary>Regression: an unknown option was taken for the device, and the device was blamed.</summary>
    [TestCase("--frob", "lakectl stats --frob /x", "lakectl stats")]
    [TestCase("--frob", "lakectl stats /x --frob", "lakectl stats")]
    [TestCase("--frob", "lakectl --frob stats /x", "lakectl")]
    [TestCase("--frob", "lakectl --frob", "lakectl")]
    [TestCase("--frob", "lakectl mkfs --frob=1G x", "lakectl mkfs")]
    [TestCase("--frob", "lakectl mkfs --frob:1G x", "lakectl mkfs")]
    [TestCase("--frob", "lakectl logs x --frob", "lakectl logs")]
    [TestCase("--frob", "lakectl hash --frob /etc/passwd", "lakectl hash")]
    [TestCase("--frob", "lakectl mkfs --size 1G x --frob", "lakectl mkfs")]
    [TestCase("-q", "lakectl mkfs x -q", "lakectl mkfs")]
    [TestCase("-fq", "lakectl mkfs -fq", "lakectl mkfs")]
    [TestCase("-x", "lakectl verify -x", "lakectl verify")]
    [TestCase("-x", "lakectl -x", "lakectl")]
    [TestCase("-r", "lakectl import -r a b", "lakectl import")]
    public void AnUnknownOption_IsTheOneThatIsBlamed(string option, string line, string help)
    {
        CliResult result = Cli.Run(line.Split(' ')[1..]);
        Assert.That(result.ExitCode, Is.EqualTo(2), result.Errors);
        Assert.That(result.Errors, Does.Contain($"There is no option {option}").And.Contain($"see {help} --help"));
        Assert.That(result.Errors, Does.Not.Contain("'").And.Not.Contain("did you mean"), "nobody else is blamed, nothing guessed");
    }

    [TestCase("mkfs --szie 1G x", "--szie; did you mean --size?")]
    [TestCase("mkfs --szie=1G x", "--szie; did you mean --size?")]
    [TestCase("mkfs --dry x", "--dry; did you mean --dry-run?")]
    [TestCase("logs --line 4", "--line; did you mean --lines?")]
    [TestCase("verify --ful x", "--ful; did you mean --full?")]
    [TestCase("stats --JSON", "--JSON; did you mean --json?")]
    [TestCase("stats --halp", "--halp; did you mean --help?")]
    [TestCase("--szie 1G mkfs x", "--szie; did you mean --size?")]
    [TestCase("--json stats", "The option --json belongs to stats")]
    [TestCase("stat /x", "There is no command stat; did you mean stats?")]
    [TestCase("frobnicate --json", "There is no command frobnicate.")]
    [TestCase("mkfs --force=maybe x", "The option --force takes no value.")]
    [TestCase("logs --lines many", "many is no number of lines")]
    [TestCase("stats --every 0", "--every takes whole seconds, from 1")]
    [TestCase("stats --every often", "--every takes whole seconds, from 1")]
    public void WhatIsNearlyRight_IsNamed(string line, string said)
    {
        CliResult result = Cli.Run(line.Split(' '));
        Assert.That(result.ExitCode, Is.EqualTo(2), result.Errors);
        Assert.That(result.Errors, Does.Contain(said).And.Contain("--help"));
        Assert.That(result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(2), result.Errors);
    }

    // The value of an option, names after --, letters put together, attached values.
    [TestCase(10, "stats", "--", "-nonexistent")]
    [TestCase(10, "mkfs", "-fL", "--frob", "/nonexistent/x")]
    [TestCase(10, "mkfs", "-f", "--label=x", "--dry-run", "/nonexistent/x")]
    [TestCase(10, "mkfs", "--label", "--frob", "/nonexistent/x")]
    [TestCase(10, "logs", "-n5")]
    [TestCase(0, "mkfs", "-h")]
    public void WhatIsNoUnknownOption_IsNotTakenForOne(int status, params string[] arguments) =>
        Assert.That(Cli.Run(arguments).ExitCode, Is.EqualTo(status));

    [Test]
    public void WrongUsage_WithJson_IsAnObjectToo()
    {
        CliResult result = Cli.Run("stats", "--json", "--frob");
        Assert.That(result.ExitCode, Is.EqualTo(2));
        var json = Cli.Json(result);
        Assert.That(json.GetProperty("type").GetString(), Is.EqualTo("error"));
        Assert.That(json.GetProperty("code").GetInt32(), Is.EqualTo(2));
        Assert.That(json.GetProperty("message").GetString(), Does.Contain("--frob"));
    }

    [TestCase("--help", "import")]
    [TestCase("mkfs --help", "--force")]
    [TestCase("mkfs --help", "64 places between")]
    [TestCase("import --help", "--resume")]
    [TestCase("stats --help", "--json")]
    [TestCase("stats --help", "leased_blocks")]
    [TestCase("verify --help", "--full")]
    [TestCase("hash --help", "b3sum")]
    [TestCase("--version", ".")]
    public void Help_IsOnStandardOutput(string arguments, string mentions)
    {
        CliResult result = Cli.Run(arguments.Split(' '));
        Assert.That(result.ExitCode, Is.Zero);
        Assert.That(result.Output, Does.Contain(mentions));
    }

    [Test]
    public void TheListOfCommands_HasALineForEach()
    {
        string[] lines = Cli.Run("--help").Output.Split('\n');
        Assert.That(lines.SkipWhile(l => l != "Commands:").Skip(1).TakeWhile(l => l.Length > 0), Has.Exactly(12).Items);
        Assert.That(lines, Has.All.Length.LessThan(100));
    }

    /// <summary>Regression: a message that could not be written ended lakectl with SIGABRT.</summary>
    [TestCase("2>&-")]
    [TestCase("2>/dev/full")]
    public void AMessageThatNobodyTakes_DoesNotChangeTheStatus(string redirection)
    {
        Assert.That(Cli.RunInto($"/dev/null {redirection}", "stats", "/nonexistent").ExitCode, Is.EqualTo(10));
        Assert.That(Cli.RunInto($"/dev/null {redirection}", "--frob").ExitCode, Is.EqualTo(2));
    }

    /// <summary>Regression: the lake was made, and then it could not be said.</summary>
    [Test]
    public void WithoutStandardOutput_NothingIsDone()
    {
        using var scratch = new Scratch();
        CliResult result = Cli.RunInto("&-", "mkfs", "--size", "128M", scratch["a.img"]);
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Errors, Does.Contain("standard output is closed").And.Contain("next:"));
        Assert.That(File.Exists(scratch["a.img"]), Is.False);
    }

    [Test]
    public void Stats_WithoutADaemon_SaysSo()
    {
        CliResult result = Cli.Run("stats");
        Assert.That(result.ExitCode, Is.EqualTo(10));
        Assert.That(result.Errors, Does.Contain("laked does not answer").And.Contain("no such socket"));
    }

    [TestCase("verify")]
    [TestCase("stats")]
    public void ACommandOnAMissingDevice_HasStatus10(string command)
    {
        CliResult result = Cli.Run(command, "/nonexistent/device");
        Assert.That(result.ExitCode, Is.EqualTo(10));
        Assert.That(result.Errors, Does.Contain("/nonexistent/device"));
    }

    [Test]
    public void ADirectoryOfAnotherFileSystem_IsNoLake()
    {
        CliResult result = Cli.Run("verify", "/proc");
        Assert.That(result.ExitCode, Is.EqualTo(10));
        Assert.That(result.Errors, Does.Contain("not on a lake"));
    }
}
