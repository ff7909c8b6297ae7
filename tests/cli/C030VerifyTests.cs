// SPDX-License-Identifier: MPL-2.0
using System.Text;
using NUnit.Framework;

namespace DeepLake.Cli.Tests;

[TestFixture]
public sealed class C030VerifyTests
{
    private const int BlockBytes = 4096;

    private Scratch _scratch = null!;

    [SetUp]
    public void SetUp()
    {
        _scratch = new Scratch();
        Cli.MakeLake(_scratch["a.img"]);
    }

    [TearDown]
    public void TearDown() => _scratch.Dispose();

    [Test]
    public void Verify_ReadsOnly()
    {
        string before = Scratch.HashOf(_scratch["a.img"]);
        Cli.AssertClean(_scratch["a.img"]);
        Assert.That(Cli.Run("stats", _scratch["a.img"]).ExitCode, Is.Zero);
        Assert.That(Scratch.HashOf(_scratch["a.img"]), Is.EqualTo(before));
    }

    [Test]
    public void Verify_OfSomethingElse_SaysThatItIsNoLake()
    {
        File.WriteAllBytes(_scratch["other"], new byte[1 << 20]);
        CliResult result = Cli.Run("verify", _scratch["other"]);
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Errors, Does.Contain("next:"));
    }

    [Test]
    public void Verify_OfATruncatedImage_Fails()
    {
        using (FileStream file = File.OpenWrite(_scratch["a.img"]))
        {
            file.SetLength(100 << 20);
        }
        CliResult result = Cli.Run("verify", _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.Not.Zero);
        Assert.That(result.Errors, Does.Contain("next:"));
    }

    [Test]
    public void Verify_WithOneDamagedSuperblock_UsesTheOther()
    {
        Damage(_scratch["a.img"], BlockBytes + 100);
        Cli.AssertClean(_scratch["a.img"]);
        Damage(_scratch["a.img"], (128 << 20) - BlockBytes + 100);
        CliResult result = Cli.Run("verify", _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Errors, Does.Contain("next:"));
    }

    [Test]
    public void Verify_Full_FindsAFlippedBitOfData_AndWithoutFullDoesNotLook()
    {
        byte[] marker = Encoding.ASCII.GetBytes("a very recognisable content");
        new TarBuilder().Add('0', "file", content: [.. marker, .. new byte[20_000]]).WriteTo(_scratch["t.tar"]);
        Assert.That(Cli.Run("import", _scratch["t.tar"], _scratch["a.img"]).ExitCode, Is.Zero);
        Cli.AssertClean(_scratch["a.img"]);
        byte[] image = File.ReadAllBytes(_scratch["a.img"]);
        Damage(_scratch["a.img"], image.AsSpan().IndexOf(marker) + 3);
        Assert.That(Cli.Run("verify", _scratch["a.img"]).ExitCode, Is.Zero);
        CliResult result = Cli.Run("verify", "--full", "--json", _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.EqualTo(3));
        Assert.That(Cli.Json(result).GetProperty("clean").GetBoolean(), Is.False);
        Assert.That(Cli.Json(result).GetProperty("problem_count").GetInt32(), Is.EqualTo(1));
    }

    private static void Damage(string path, long offset)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = offset;
        int old = file.ReadByte();
        file.Position = offset;
        file.WriteByte((byte)(old ^ 1));
    }
}
