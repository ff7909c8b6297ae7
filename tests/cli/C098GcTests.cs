// SPDX-License-Identifier: MPL-2.0
using System.Text;
using NUnit.Framework;

namespace DeepLake.Cli.Tests;

/// <summary>gc, as far as no mounted lake is needed; of a mounted one: tests/lake/packs-guest.sh.</summary>
[TestFixture]
public sealed class C098GcTests : ScratchFixture
{
    [Test]
    public void AnImage_IsPacked_AndHoldsTheSame()
    {
        byte[] text = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 60_000).Select(i => $"line {i} of text\n")));
        Cli.MakeLake(_scratch["a.img"]);
        new TarBuilder()
            .Add('0', "text", content: text)
            .Add('0', "same", content: text)
            .Add('0', "small", content: text[..3000])
            .Add('0', "smaller", content: text[5000..6000])
            .WriteTo(_scratch["t.tar"]);
        Assert.That(Cli.Run("import", _scratch["t.tar"], _scratch["a.img"]).ExitCode, Is.Zero);
        ulong before = Stats("used_blocks");
        string image = Scratch.HashOf(_scratch["a.img"]);
        CliResult dry = Cli.Run("gc", "--dry-run", _scratch["a.img"]);
        Assert.That((dry.ExitCode, dry.Output), Is.EqualTo((0, $"{_scratch["a.img"]}: 0 packs would be written anew: 0 B with 0 B of files in them\n")), dry.Errors);
        Assert.That(Cli.Json(Cli.Run("gc", "--json", _scratch["a.img"])).GetProperty("packed_bytes").GetUInt64(), Is.Zero, "all of it is new");
        CliResult all = Cli.Run("gc", "--all", "--json", _scratch["a.img"]);
        Assert.That(all.ExitCode, Is.Zero, all.Errors);
        ulong blocks = ((ulong)text.Length + 4095) / 4096;
        Assert.That(Cli.Json(all).GetProperty("packed_bytes").GetUInt64(), Is.EqualTo(((2 * blocks) + 2) * 4096));
        Assert.That(Stats("used_blocks"), Is.LessThan(before * 2 / 3));
        Assert.That(Cli.Run("verify", "--full", _scratch["a.img"]).ExitCode, Is.Zero);
        Dictionary<string, LakeNode> tree = LakeReader.ReadAll(_scratch["a.img"]);
        Assert.That(tree["text"].Content, Is.EqualTo(text));
        Assert.That(tree["same"].Content, Is.EqualTo(text));
        Assert.That(tree["smaller"].Content, Is.EqualTo(text[5000..6000]));
        Assert.That(Scratch.HashOf(_scratch["a.img"]), Is.Not.EqualTo(image));
    }

    private ulong Stats(string counter) => Cli.Json(Cli.Run("stats", "--json", _scratch["a.img"])).GetProperty("lakes")[0].GetProperty(counter).GetUInt64();

    [TestCase("gc --all --dry-run", 2, "--dry-run looks at packs only")]
    [TestCase("gc", 10, "laked does not answer")]
    public void Gc_SaysWhatItCannot(string words, int status, string text)
    {
        CliResult result = Cli.Run(words.Split(' '));
        Assert.That(result.ExitCode, Is.EqualTo(status), result.Errors);
        Assert.That(result.Errors, Does.Contain(text));
        CliResult json = Cli.Run([.. words.Split(' '), "--json"]);
        Assert.That(Cli.Json(json).GetProperty("code").GetInt32(), Is.EqualTo(status));
    }
}
