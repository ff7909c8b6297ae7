// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using NUnit.Framework;

namespace DeepLake.Cli.Tests;

[TestFixture]
public sealed class C040ImportTarTests : ScratchFixture
{
    [SetUp]
    public void SetUp() => Cli.MakeLake(_scratch["a.img"]);

    [Test]
    public void Import_KeepsEveryKindOfFileAndMetadata_AsAnyUser()
    {
        byte[] capability = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0xff, 0, 0x80, 0, 0, 0, 0, 0];
        byte[] content = RandomNumberGenerator.GetBytes(300_001);
        new TarBuilder()
            .Add('5', "./", mode: 0x1ff, uid: 7, gid: 8, mtime: 1_111_111_111)
            .Add('5', "./dir/", mode: 0x5c0, uid: 1000, gid: 1001, mtime: 1_222_222_222)
            .Pax(("mtime", "1333333333.123456789"u8.ToArray()), ("atime", "1444444444.5"u8.ToArray()), ("SCHILY.xattr.security.capability", capability), ("SCHILY.xattr.user.note", "a\nb=c"u8.ToArray()))
            .Add('0', "./dir/file", mode: 0x9ed, uid: 123, gid: 456, content: content)
            .Add('1', "./hard", link: "./dir/file")
            .Add('2', "./soft", mode: 0x1ff, uid: 3, link: "dir/nowhere")
            .Add('3', "./null", mode: 0x1b6, device: (1, 3))
            .Add('4', "./disk", mode: 0x1b0, gid: 6, device: (259, 70000))
            .Add('6', "./pipe", mode: 0x180)
            .Pax(("path", Encoding.UTF8.GetBytes("./dir/" + new string('ü', 127))), ("uid", "3000000000"u8.ToArray()), ("mtime", "-5.25"u8.ToArray()))
            .Add('0', "short", content: [])
            .Pax(("SCHILY.acl.access", "user::rw-,user:1000:r--,group::r--,mask::r--,other::---"u8.ToArray()))
            .Add('0', "./acl", mode: 0x1a0)
            .WriteTo(_scratch["t.tar"]);
        CliResult result = Cli.Run("import", "--json", _scratch["t.tar"], _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        Cli.AssertClean(_scratch["a.img"]);
        Dictionary<string, LakeNode> lake = LakeReader.ReadAll(_scratch["a.img"]);

        string longName = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes("dir/" + new string('ü', 127)));
        Assert.That(lake.Keys, Is.EquivalentTo(new[] { "", "dir", "dir/file", "hard", "soft", "null", "disk", "pipe", longName, "acl" }));
        AssertNode(lake[""], 0x41ff, 7, 8, 1_111_111_111, 0);
        AssertNode(lake["dir"], 0x45c0, 1000, 1001, 1_222_222_222, 0);
        AssertNode(lake["dir/file"], 0x89ed, 123, 456, 1_333_333_333, 123_456_789);
        Assert.That((lake["dir/file"].Inode.Atime.Sec, lake["dir/file"].Inode.Atime.Nsec), Is.EqualTo((1_444_444_444L, 500_000_000u)));
        Assert.That(lake["dir/file"].Content.AsSpan().SequenceEqual(content));
        Assert.That(lake["dir/file"].Xattrs.Keys, Is.EquivalentTo(new[] { "security.capability", "user.note" }));
        Assert.That(lake["dir/file"].Xattrs["security.capability"], Is.EqualTo(capability));
        Assert.That(lake["dir/file"].Xattrs["user.note"], Is.EqualTo("a\nb=c"u8.ToArray()));
        Assert.That((lake["hard"].Inode.Ino, lake["hard"].Inode.Nlink), Is.EqualTo((lake["dir/file"].Inode.Ino, 2u)));
        Assert.That((lake["soft"].Target, lake["soft"].Type, lake["soft"].Inode.Uid), Is.EqualTo(("dir/nowhere", 0xa000u, 3u)));
        Assert.That((lake["null"].Inode.Mode, lake["null"].Inode.Rdev), Is.EqualTo((0x21b6u, 0x103u)));
        Assert.That((lake["disk"].Inode.Mode, lake["disk"].Inode.Rdev), Is.EqualTo((0x61b0u, (70000u & 0xff) | (259u << 8) | ((70000u & ~0xffu) << 12))));
        Assert.That(lake["pipe"].Inode.Mode, Is.EqualTo(0x1180u));
        AssertNode(lake[longName], 0x81a4, 3_000_000_000, 0, -6, 750_000_000);
        byte[] acl = [2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 0xe8, 3, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255, 16, 0, 4, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255];
        Assert.That(lake["acl"].Xattrs["system.posix_acl_access"], Is.EqualTo(acl));
        Assert.That(lake.Values.SelectMany(n => n.Xattrs.Keys).Any(k => k.StartsWith("trusted.")), Is.False, "no mark of the import stays");
    }

    [TestCase("--format=gnu", "-S")]
    [TestCase("--format=gnu")]
    [TestCase("--format=pax", "-S", "--sparse-version=0.0")]
    [TestCase("--format=pax", "-S", "--sparse-version=0.1")]
    [TestCase("--format=pax", "-S", "--sparse-version=1.0")]
    [TestCase("--format=ustar")]
    [TestCase("--format=v7")]
    [TestCase("--format=pax", "-z")]
    public void Import_ReadsWhatGnuTarWrites(params string[] options)
    {
        bool isOld = options[0] is "--format=ustar" or "--format=v7";
        string tree = _scratch["tree"];
        Directory.CreateDirectory(tree);
        MakeSparse(Path.Combine(tree, "sparse"));
        File.WriteAllText(Path.Combine(tree, "plain"), "text");
        File.CreateSymbolicLink(Path.Combine(tree, "link"), isOld ? "plain" : new string('x', 300));
        string deep = Path.Combine(tree, isOld ? "d" : new string('d', 200), isOld ? "f" : new string('f', 200));
        Directory.CreateDirectory(Path.GetDirectoryName(deep)!);
        File.WriteAllText(deep, "deep");
        using (Process tar = Process.Start("tar", [.. options, "-C", tree, "-cf", _scratch["t.tar"], "."]))
        {
            tar.WaitForExit();
            Assert.That(tar.ExitCode, Is.Zero);
        }
        CliResult result = Cli.Run("import", _scratch["t.tar"], _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        Cli.AssertClean(_scratch["a.img"]);
        Dictionary<string, LakeNode> lake = LakeReader.ReadAll(_scratch["a.img"]);
        Assert.That(lake, Has.Count.EqualTo(6));
        Assert.That(lake["sparse"].Content.AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(tree, "sparse"))));
        if (options.Contains("-S"))
        {
            Assert.That(lake["sparse"].Inode.Blocks, Is.LessThan(40ul), "holes stay holes");
        }
        Assert.That(lake["link"].Target, Is.EqualTo(isOld ? "plain" : new string('x', 300)));
        Assert.That(Encoding.ASCII.GetString(lake[Path.GetRelativePath(tree, deep)].Content), Is.EqualTo("deep"));
    }

    [Test]
    public void Import_TakesTheLastOfTwoMembersWithOneName_AndMakesMissingDirectories()
    {
        new TarBuilder()
            .Add('0', "a/b/file", content: new byte[50_000])
            .Add('0', "a/b/file", mode: 0x180, content: "second"u8.ToArray())
            .WriteTo(_scratch["t.tar"]);
        Assert.That(Cli.Run("import", _scratch["t.tar"], _scratch["a.img"]).ExitCode, Is.Zero);
        Cli.AssertClean(_scratch["a.img"]);
        Dictionary<string, LakeNode> lake = LakeReader.ReadAll(_scratch["a.img"]);
        Assert.That(lake.Keys, Is.EquivalentTo(new[] { "", "a", "a/b", "a/b/file" }));
        Assert.That(lake["a/b/file"].Content, Is.EqualTo("second"u8.ToArray()));
        Assert.That(lake["a"].Inode.Mode, Is.EqualTo(0x41edu));
    }

    [Test]
    public void Import_RefusesHostileArchives_AndLeavesACleanLake()
    {
        byte[] good = new TarBuilder().Add('0', "file", content: new byte[10_000]).ToArray();
        byte[] flipped = [.. good];
        flipped[5] ^= 1;
        var archives = new Dictionary<string, byte[]>
        {
            ["no archive"] = [.. Enumerable.Repeat((byte)'x', 5000)],
            ["checksum"] = flipped,
            ["cut in the content"] = good[..5000],
            ["cut in a header"] = good[..300],
            ["leads out"] = new TarBuilder().Add('0', "../file").ToArray(),
            ["long name"] = new TarBuilder().Pax(("path", new byte[300].Select(_ => (byte)'n').ToArray())).Add('0', "x").ToArray(),
            ["dangling hard link"] = new TarBuilder().Add('1', "a", link: "nothing").ToArray(),
            ["hard link to a directory"] = new TarBuilder().Add('5', "d").Add('1', "a", link: "d").ToArray(),
            ["malformed pax"] = new TarBuilder().Add('x', "p", content: "99 a=b\n"u8.ToArray()).Add('0', "x").ToArray(),
            ["file as directory"] = new TarBuilder().Add('0', "f").Add('0', "f/g").ToArray(),
            ["impossible sparse map"] = new TarBuilder().Pax(("GNU.sparse.map", "0,9999"u8.ToArray()), ("GNU.sparse.size", "100"u8.ToArray())).Add('0', "x", content: new byte[100]).ToArray(),
        };
        foreach ((string what, byte[] bytes) in archives)
        {
            Assert.That(Cli.Run("mkfs", "--force", _scratch["a.img"]).ExitCode, Is.Zero);
            File.WriteAllBytes(_scratch["t.tar"], bytes);
            CliResult result = Cli.Run("import", _scratch["t.tar"], _scratch["a.img"]);
            Assert.That(result.ExitCode, Is.EqualTo(1), what);
            Assert.That(result.Errors, Does.Contain("next:"), what);
            Cli.AssertClean(_scratch["a.img"]);
        }
    }

    /// <summary>Regression: whatever was wrong, the advice was to unpack it.</summary>
    [Test]
    public void Import_OfABadArchive_SaysWhatIsWrong_AndWhatToDoAboutThat()
    {
        byte[] good = new TarBuilder().Add('0', "first").Add('0', "dir/file", content: RandomNumberGenerator.GetBytes(10_000)).ToArray();
        byte[] flipped = [.. good];
        flipped[512 + 5] ^= 1;
        File.WriteAllBytes(_scratch["good.tar"], good);
        byte[] Packed(string program) => Pack(program, _scratch["good.tar"]);
        AssertRefused(
            [.. Enumerable.Repeat((byte)'x', 5000)],
            "no tar archive, or its beginning is damaged: the first 512 bytes are no tar header .* nothing was imported", "name a tar archive", "compare it with its original");
        AssertRefused("short"u8.ToArray(), "no tar archive", "name a tar archive");
        AssertRefused(Packed("xz"), "compressed with xz", "xz -dc FILE |");
        AssertRefused(Packed("bzip2"), "compressed with bzip2", "bzip2 -dc FILE |");
        AssertRefused(good[..5000], "cut off after 5000 bytes, inside dir/file", "copy or download it again", "--resume");
        AssertRefused(good[..700], "cut off after 700 bytes, inside a header", "copy or download it again", "--resume");
        AssertRefused(flipped, "damaged at byte 512: the header of a member there does not match its checksum, .* the members before it were imported", "compare it with its original", "--resume");
        AssertRefused(Packed("gzip")[..5000], "after|unpacked", "again", "--resume");
        AssertRefused(new TarBuilder().Add('0', "first").Add('0', "../out").ToArray(), "impossible path ../out", "byte 512", "--exclude");
    }

    private void AssertRefused(byte[] archive, string cause, params string[] advice)
    {
        Assert.That(Cli.Run("mkfs", "--force", _scratch["a.img"]).ExitCode, Is.Zero);
        File.WriteAllBytes(_scratch["t.tar"], archive);
        CliResult result = Cli.Run("import", _scratch["t.tar"], _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.EqualTo(1), cause);
        Assert.That(result.Errors, Does.Match(cause));
        string next = result.Errors[result.Errors.IndexOf("next:", StringComparison.Ordinal)..];
        foreach (string part in advice)
        {
            Assert.That(next, Does.Contain(part), result.Errors);
        }
    }

    private static byte[] Pack(string program, string file)
    {
        using Process packer = Process.Start(new ProcessStartInfo(program, ["-c", file]) { RedirectStandardOutput = true })!;
        var packed = new MemoryStream();
        packer.StandardOutput.BaseStream.CopyTo(packed);
        packer.WaitForExit();
        return packed.ToArray();
    }

    /// <summary>Of other content each: equal files share their blocks, and twenty of them have room.</summary>
    [Test]
    public void Import_IntoALakeThatIsTooSmall_SaysThatItIsFull()
    {
        var archive = new TarBuilder();
        for (int i = 0; i < 20; i++)
        {
            byte[] content = new byte[8 << 20];
            content[0] = (byte)i;
            archive.Add('0', $"file{i}", content: content);
        }
        archive.WriteTo(_scratch["t.tar"]);
        CliResult result = Cli.Run("import", _scratch["t.tar"], _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Errors, Does.Contain("full"));
        Cli.AssertClean(_scratch["a.img"]);
    }

    private static void MakeSparse(string path)
    {
        using FileStream file = File.Create(path);
        foreach (int offset in new[] { 0, 1 << 20, (3 << 20) + 8192, 7 << 20 })
        {
            file.Position = offset;
            file.Write(RandomNumberGenerator.GetBytes(5000));
        }
        file.SetLength(9_000_001);
    }

    private static void AssertNode(LakeNode node, uint mode, uint uid, uint gid, long mtimeSec, uint mtimeNsec) => Assert.That(
        (node.Inode.Mode, node.Inode.Uid, node.Inode.Gid, node.Inode.Mtime.Sec, node.Inode.Mtime.Nsec),
        Is.EqualTo((mode, uid, gid, mtimeSec, mtimeNsec)));
}
