// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using NUnit.Framework;

namespace DeepLake.Cli.Tests;

/// <summary>Compared with Debian's b3sum, which the host has.</summary>
[TestFixture]
public sealed class C080HashTests : ScratchFixture
{
    [Test]
    public void Files_ArePrintedAsB3sumPrintsThem()
    {
        var random = new Random(1);
        List<string> names = [];
        foreach (int length in new[] { 0, 1, 63, 64, 65, 1023, 1024, 1025, 65536, 100_000, 262_143, 262_144, 262_145, 524_288, 3_000_000 })
        {
            byte[] content = new byte[length];
            random.NextBytes(content);
            names.Add(_scratch[$"of {length}"]);
            File.WriteAllBytes(names[^1], content);
        }
        AssertSame([.. names]);
    }

    [Test]
    public void OddNames_AreQuotedAsB3sumQuotesThem()
    {
        string[] names = ["a b", "back\\slash", "new\nline", "both\\\n", "ünï", "@file", "'", "tab\t", "-x"];
        foreach (string name in names)
        {
            File.WriteAllText(_scratch[name], name);
        }
        AssertSame([.. names.Select(n => _scratch[n])]);
    }

    [Test]
    public void ANameThatIsNoText_IsFound()
    {
        const string make = "printf x >\"$1/bad$(printf '\\377')\"; printf y >\"$1/bad$(printf '\\376')\"";
        Assert.That(Run("sh", "-c", make, "sh", _scratch["."]).ExitCode, Is.Zero);
        // Only a shell can name them.
        CliResult ours = Run("sh", "-c", "\"$1\" hash \"$2\"/bad*", "sh", Cli.Lakectl, _scratch["."]);
        CliResult theirs = Run("sh", "-c", "b3sum \"$1\"/bad*; rm \"$1\"/bad*", "sh", _scratch["."]);
        Assert.That(ours.Output, Is.EqualTo(theirs.Output).And.Not.Empty, ours.Errors);
        Assert.That(ours.ExitCode, Is.Zero);
    }

    [Test]
    public void SparseFiles_HaveTheHashOfTheirZeros()
    {
        MakeSparse("hole at the end", 50_000_000, (0, 300_000));
        MakeSparse("hole first", 40_000_000, (39_000_000, 1_000_000));
        MakeSparse("all a hole", 64 << 20);
        MakeSparse("holes between", 30_000_001, (0, 1), (1 << 20, 4096), (5_000_000, 300_000), (29_999_999, 2));
        MakeSparse("small", 5000, (4999, 1));
        string[] names = ["hole at the end", "hole first", "all a hole", "holes between", "small"];
        AssertSame([.. names.Select(n => _scratch[n])]);
    }

    [TestCase(0)]
    [TestCase(5)]
    [TestCase(700_000)]
    public void StandardInput_IsNamedByADash(int length)
    {
        byte[] content = new byte[length];
        new Random(2).NextBytes(content);
        string file = _scratch["file"];
        File.WriteAllBytes(file, content);
        using Process process = Cli.Start("hash", "-");
        process.StandardInput.BaseStream.Write(content);
        process.StandardInput.Close();
        CliResult result = Cli.Finish(process);
        Assert.That(result.Output, Is.EqualTo(Run("b3sum", "--no-names", file).Output.Trim() + "  -\n"));
        Assert.That(result.ExitCode, Is.Zero);
    }

    /// <summary>Regression: the runtime's own descriptor 0 was read, and that waits for ever.</summary>
    [TestCase("hash -")]
    [TestCase("hash --json -")]
    [TestCase("import - /dev/null")]
    public void AClosedStandardInput_IsAnError(string arguments)
    {
        CliResult result = Run("sh", "-c", $"exec timeout 60 \"$0\" {arguments} <&-", Cli.Lakectl);
        Assert.That(result.ExitCode, Is.EqualTo(1), result.Errors);
        Assert.That(result.Errors, Does.Contain("standard input is closed").And.Contain("next:"));
    }

    [TestCase("</dev/null")]
    [TestCase("0<>/dev/null")]
    public void AnEmptyStandardInput_IsNoClosedOne(string redirection)
    {
        CliResult result = Run("sh", "-c", $"exec timeout 60 \"$0\" hash - {redirection}", Cli.Lakectl);
        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        Assert.That(result.Output, Does.StartWith("af1349b9f5f9a1a6a0404dea36dcc949"));
    }

    /// <summary>It is waited for, as b3sum does, until the person has had enough.</summary>
    [TestCase(false)]
    [TestCase(true)]
    public void AFifoThatNobodyFills_WaitsUntilInterrupted_AndSaysNothing(bool isOpened)
    {
        string fifo = _scratch["fifo"];
        Assert.That(Run("mkfifo", fifo).ExitCode, Is.Zero);
        // Programs that a script starts in the background ignore the signal, and so do theirs.
        var info = new ProcessStartInfo("env", ["--default-signal=INT", Cli.Lakectl, "hash", fifo])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process hash = Process.Start(info)!;
        using FileStream? writer = isOpened ? new FileStream(fifo, FileMode.Open, FileAccess.Write) : null;
        Assert.That(hash.WaitForExit(TimeSpan.FromSeconds(2)), Is.False);
        Assert.That(Run("kill", "-INT", hash.Id.ToString()).ExitCode, Is.Zero);
        CliResult result = Cli.Finish(hash);
        Assert.That(result.ExitCode, Is.EqualTo(130));
        Assert.That(result.Output + result.Errors, Is.Empty);
    }

    [Test]
    public void Json_HasVersionNameHashAndLength()
    {
        File.WriteAllText(_scratch["new\nline"], "abc");
        CliResult result = Cli.Run("hash", "--json", _scratch["new\nline"]);
        JsonElement json = Cli.Json(result);
        Assert.That(json.GetProperty("version").GetInt32(), Is.EqualTo(1));
        Assert.That(json.GetProperty("type").GetString(), Is.EqualTo("hash"));
        Assert.That(json.GetProperty("name").GetString(), Is.EqualTo(_scratch["new\nline"]));
        Assert.That(json.GetProperty("bytes").GetInt64(), Is.EqualTo(3));
        Assert.That(json.GetProperty("blake3").GetString(), Is.EqualTo("6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"));
    }

    // A leading @ does not name a file of arguments.
    [TestCase("/nonexistent/file")]
    [TestCase("@nonexistent")]
    public void AMissingFile_HasStatus10_AndIsNamed(string name)
    {
        CliResult result = Cli.Run("hash", name);
        Assert.That(result.ExitCode, Is.EqualTo(10));
        Assert.That(result.Output, Is.Empty);
        Assert.That(result.Errors, Does.Contain($"{name}: No such file or directory").And.Contain("next:"));
    }

    [Test]
    public void AName_AfterTwoDashes_MayBeginWithADash()
    {
        CliResult result = Cli.Run("hash", "--json", "--", "-nonexistent", "--json");
        Assert.That(result.ExitCode, Is.EqualTo(10));
        Assert.That(result.Errors, Does.Contain("-nonexistent: No such file").And.Contain("--json: No such file"));
    }

    [Test]
    public void ADirectory_IsAnError()
    {
        CliResult result = Cli.Run("hash", "/etc");
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Errors, Does.Contain("/etc: Is a directory").And.Contain("next:"));
    }

    [Test]
    public void SomeFilesThatCannotBeRead_DoNotStopTheOthers()
    {
        File.WriteAllText(_scratch["a"], "abc");
        CliResult result = Cli.Run("hash", "--json", "/nonexistent", _scratch["a"], "/etc");
        Assert.That(result.ExitCode, Is.EqualTo(3));
        string[] types = [.. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => JsonDocument.Parse(l).RootElement.GetProperty("type").GetString()!)];
        Assert.That(types, Is.EqualTo(new[] { "error", "hash", "error" }));
    }

    [Test]
    public void FilesThatHaveNoSize_AreReadToTheirEnd()
    {
        // Of /proc: it says that it has 0 bytes.
        AssertSame(["/proc/version"]);
    }

    private static void AssertSame(string[] files)
    {
        CliResult ours = Cli.Run(["hash", .. files]);
        CliResult theirs = Run("b3sum", files);
        Assert.That(ours.Output, Is.EqualTo(theirs.Output).And.Not.Empty);
        Assert.That(ours.ExitCode, Is.Zero);
        Assert.That(ours.Errors, Is.Empty);
    }

    private void MakeSparse(string name, long length, params (long Offset, int Length)[] data)
    {
        using FileStream file = File.Create(_scratch[name]);
        file.SetLength(length);
        var random = new Random(3);
        foreach ((long offset, int bytes) in data)
        {
            byte[] content = new byte[bytes];
            random.NextBytes(content);
            file.Position = offset;
            file.Write(content);
        }
    }

    private static CliResult Run(string program, params string[] arguments)
    {
        var info = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        return Cli.Finish(Process.Start(info) ?? throw new InvalidOperationException($"{program} did not start"));
    }
}
