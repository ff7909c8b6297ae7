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

    [TestCase("--help", "import")]
    [TestCase("mkfs --help", "--force")]
    [TestCase("import --help", "--resume")]
    [TestCase("stats --help", "--json")]
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
