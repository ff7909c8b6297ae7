// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using NUnit.Framework;

namespace DeepLake.Cli.Tests;

/// <summary>Scrub and health of a lake that is not mounted; of a mounted one: tests/lake/scrub-guest.sh.</summary>
[TestFixture]
public sealed class C085ScrubTests : ScratchFixture
{
    private static readonly byte[] Marker = Encoding.ASCII.GetBytes("a very recognisable content");

    [SetUp]
    public void Import()
    {
        Cli.MakeLake(_scratch["a.img"]);
        new TarBuilder()
            .Add('5', "a/")
            .Add('0', "a/file", content: [.. new byte[4096], .. Marker, .. new byte[20_000]])
            .Add('1', "link", link: "a/file")
            .Add('0', "twin", content: [.. new byte[4096], .. Marker, .. new byte[20_000]])
            .Add('0', "other", content: Encoding.ASCII.GetBytes("something else"))
            .WriteTo(_scratch["t.tar"]);
        Assert.That(Cli.Run("import", _scratch["t.tar"], _scratch["a.img"]).ExitCode, Is.Zero);
    }

    [Test]
    public void ASoundLake_IsScrubbed_AndHealthy_AndOnlyRead()
    {
        string before = Scratch.HashOf(_scratch["a.img"]);
        CliResult scrub = Cli.Run("scrub", "--wait", _scratch["a.img"]);
        Assert.That(scrub.ExitCode, Is.Zero, scrub.Errors);
        Assert.That(scrub.Output, Does.Match("pass 1 done .*: .* compared, 0 blocks damaged"));
        CliResult health = Cli.Run("health", _scratch["a.img"]);
        Assert.That(health.ExitCode, Is.Zero, health.Output);
        Assert.That(health.Output.Split('\n')[0], Is.EqualTo($"{_scratch["a.img"]}: healthy"));
        Assert.That(Scratch.HashOf(_scratch["a.img"]), Is.EqualTo(before));
    }

    [Test]
    public void AFlippedBit_IsNamedByAllNamesOfTheFiles()
    {
        Flip();
        CliResult scrub = Cli.Run("scrub", "--json", _scratch["a.img"]);
        Assert.That(scrub.ExitCode, Is.EqualTo(3), scrub.Errors);
        JsonElement json = Cli.Json(scrub);
        string[][] paths = [.. json.GetProperty("damaged").EnumerateArray().Select(d => d.GetProperty("paths").EnumerateArray().Select(p => p.GetString()!).ToArray())];
        Assert.That(paths, Is.EquivalentTo(new[] { new[] { "/a/file", "/link" }, ["/twin"] }));
        Assert.That(json.GetProperty("damaged_blocks").GetInt32(), Is.EqualTo(1));
        Assert.That(json.GetProperty("damaged")[0].GetProperty("first_byte").GetInt32(), Is.EqualTo(4096));
        CliResult told = Cli.Run("scrub", "start", "--rate", "100", _scratch["a.img"]);
        Assert.That(told.ExitCode, Is.EqualTo(3));
        Assert.That(told.Output, Does.Contain("damaged: /a/file, /link: bytes 4096 to 8191 do not match their checksum"));
        Assert.That(told.Errors, Does.Contain("next:"));
    }

    /// <summary>Regression: the worker was sent SIGINT, which it ignored as well, and went on to its end.</summary>
    [Test]
    public void Terminated_InTheBackgroundOfAScript_ItEnds()
    {
        byte[] content = new byte[6 << 20];
        new Random(1).NextBytes(content);
        new TarBuilder().Add('0', "large", content: content).WriteTo(_scratch["large.tar"]);
        Cli.MakeLake(_scratch["b.img"]);
        Assert.That(Cli.Run("import", _scratch["large.tar"], _scratch["b.img"]).ExitCode, Is.Zero);
        using Process scrub = Cli.StartInBackground("scrub", "--json", "--rate", "1", _scratch["b.img"]);
        scrub.StandardInput.Close();
        Assert.That(scrub.StandardOutput.ReadLine(), Does.Contain("progress"), "it is at work");
        Cli.Signal(scrub.Id, "TERM");
        CliResult result = Cli.Finish(scrub);
        Assert.That(result.ExitCode, Is.EqualTo(130), result.Output + result.Errors);
    }

    [Test]
    public void Health_TellsOfASuperblockCopy()
    {
        using (FileStream image = File.OpenWrite(_scratch["a.img"]))
        {
            image.Position = 4096 + 100;
            image.WriteByte(0xff);
        }

        CliResult health = Cli.Run("health", _scratch["a.img"]);
        Assert.That(health.ExitCode, Is.EqualTo(3));
        Assert.That(health.Output, Does.StartWith($"{_scratch["a.img"]}: needs attention").And.Contain("attention: superblock copy A is damaged").And.Contain("  next: "));
        JsonElement lake = Cli.Json(Cli.Run("health", "--json", _scratch["a.img"])).GetProperty("lakes")[0];
        Assert.That(lake.GetProperty("verdict").GetString(), Is.EqualTo("attention"));
        Assert.That(lake.GetProperty("findings")[0].GetProperty("what").GetString(), Is.EqualTo("superblock"));
    }

    [TestCase("scrub status", 0, "never scrubbed")]
    [TestCase("scrub stop", 2, "not mounted")]
    [TestCase("scrub stop --wait", 2, "--wait")]
    [TestCase("scrub status --rate 5", 2, "--rate belongs to start")]
    [TestCase("scrub --rate 0", 2, "whole MiB")]
    [TestCase("scrub begin", 2, "neither start, status nor stop")]
    public void Scrub_SaysWhatItCannot(string words, int status, string text)
    {
        CliResult result = Cli.Run([.. words.Split(' '), _scratch["a.img"]]);
        Assert.That(result.ExitCode, Is.EqualTo(status));
        Assert.That(result.Output + result.Errors, Does.Contain(text));
    }

    [TestCase("scrub")]
    [TestCase("health")]
    public void WithoutADaemon_AMountedLakeCannotBeAsked(string command)
    {
        CliResult result = Cli.Run(command);
        Assert.That(result.ExitCode, Is.EqualTo(10));
        Assert.That(result.Errors, Does.Contain("laked does not answer"));
    }

    private void Flip()
    {
        int at = File.ReadAllBytes(_scratch["a.img"]).AsSpan().IndexOf(Marker);
        using FileStream image = File.Open(_scratch["a.img"], FileMode.Open);
        image.Position = at + 3;
        image.WriteByte((byte)'X');
    }
}
