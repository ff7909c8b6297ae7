// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using DeepLake.Engine;
using DeepLake.Platform;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Cli.Tests;

[TestFixture]
public sealed class C050ImportDirectoryTests : ScratchFixture
{
    [SetUp]
    public void SetUp() => Cli.MakeLake(_scratch["a.img"]);

    /// <summary>Regression: all free blocks were leased to the import, and it left no archive without a word.</summary>
    [Test]
    public void Import_IntoTheSmallestLake_LeavesAnArchive()
    {
        Assert.That(Cli.Run("mkfs", "--size", "96M", _scratch["small.img"]).ExitCode, Is.Zero);
        Directory.CreateDirectory(_scratch["few"]);
        File.WriteAllBytes(_scratch["few/file"], new byte[100_000]);
        CliResult result = Cli.Run("import", _scratch["few"], _scratch["small.img"]);
        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        Assert.That(Cli.Run("stats", _scratch["small.img"]).Output, Does.Match("archive .*, up to change ([0-9]+) of \\1\n"));
        Assert.That(Cli.Run("health", _scratch["small.img"]).Output, Does.Contain(": healthy"));
    }

    [Test]
    public void Import_KeepsEverythingThatTheSourceHas()
    {
        string tree = MakeTree();
        CliResult result = Cli.Run("import", tree, _scratch["a.img"]);
        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        Cli.AssertClean(_scratch["a.img"]);
        Dictionary<string, LakeNode> lake = LakeReader.ReadAll(_scratch["a.img"]);
        string[] paths = [.. Directory.EnumerateFileSystemEntries(tree, "*", SearchOption.AllDirectories).Select(p => Path.GetRelativePath(tree, p))];
        Assert.That(lake.Keys, Is.EquivalentTo(paths.Append("")));
        foreach ((string path, LakeNode node) in lake)
        {
            Compare(Path.Combine(tree, path), node);
        }
        Assert.That(lake["a/first"].Inode.Ino, Is.EqualTo(lake["b/second"].Inode.Ino));
        Assert.That(lake["sparse"].Inode.Blocks, Is.LessThan(10ul));
        Assert.That(lake["big"].Xattrs.Keys, Does.Contain("user.test"));
        Assert.That(lake["big"].Xattrs.ContainsKey("security.capability"), Is.EqualTo(Environment.IsPrivilegedProcess));
        Assert.That(lake["a/link"].Target, Is.EqualTo("../nowhere"));
    }

    [Test]
    public void Import_SealsAllDataAndHasItChecked()
    {
        Assert.That(Cli.Run("import", MakeTree(), _scratch["a.img"]).ExitCode, Is.Zero);
        ulong mapped = 0;
        foreach (LakeNode node in LakeReader.ReadAll(_scratch["a.img"]).Values.DistinctBy(node => node.Inode.Ino))
        {
            mapped += node.Inode.Blocks;
        }
        CliResult stats = Cli.Run("stats", "--json", _scratch["a.img"]);
        using JsonDocument json = JsonDocument.Parse(stats.Output);
        JsonElement counters = json.RootElement.GetProperty("lakes")[0].GetProperty("counters");
        Assert.That(mapped, Is.GreaterThan(1400ul));
        Assert.That(counters.GetProperty("sealed_blocks").GetUInt64(), Is.EqualTo(mapped));
        Assert.That(counters.GetProperty("checked_blocks").GetUInt64(), Is.EqualTo(mapped));
        CliResult verify = Cli.Run("verify", "--full", _scratch["a.img"]);
        Assert.That(verify.ExitCode, Is.Zero, verify.Output);
    }

    [Test]
    public void Import_OfEqualFiles_TakesTheSpaceOfOne()
    {
        string tree = _scratch["tree"];
        byte[] big = RandomNumberGenerator.GetBytes(3_000_001);
        byte[] other = [.. big];
        other[2_900_000] ^= 1;
        byte[] sparse = new byte[21 << 20];
        big.AsSpan(0, 100_000).CopyTo(sparse.AsSpan(20 << 20));
        foreach (string name in new[] { "a", "b", "c" })
        {
            Directory.CreateDirectory(Path.Combine(tree, name));
            File.WriteAllBytes(Path.Combine(tree, name, "big"), big);
            File.WriteAllText(Path.Combine(tree, name, "small"), "the same");
            File.WriteAllText(Path.Combine(tree, name, "own"), name);
            using FileStream file = File.Create(Path.Combine(tree, name, "sparse"));
            file.Position = 20 << 20;
            file.Write(sparse.AsSpan(20 << 20));
        }
        File.WriteAllBytes(Path.Combine(tree, "other"), other);
        File.WriteAllBytes(Path.Combine(tree, "empty"), []);
        Assert.That(Cli.Run("import", tree, _scratch["a.img"]).ExitCode, Is.Zero);
        JsonElement lake = Cli.Json(Cli.Run("stats", "--json", _scratch["a.img"])).GetProperty("lakes")[0];
        JsonElement counters = lake.GetProperty("counters");
        const uint one = 733 + 1 + 256;
        Assert.That(
            lake.GetProperty("used_blocks").GetUInt32() - counters.GetProperty("archive_blocks").GetUInt32(), Is.EqualTo(one + 3 + 733));
        Assert.That(counters.GetProperty("saved_blocks").GetUInt32(), Is.EqualTo(2 * one));
        Assert.That(counters.GetProperty("objects").GetUInt32(), Is.EqualTo(13u));
        Assert.That(Cli.Run("stats", _scratch["a.img"]).Output, Does.Contain("identified  13 files"));
        Cli.AssertClean(_scratch["a.img"]);
        Dictionary<string, LakeNode> all = LakeReader.ReadAll(_scratch["a.img"]);
        foreach (string name in new[] { "a", "b", "c" })
        {
            Assert.That(all[$"{name}/big"].Content.AsSpan().SequenceEqual(big), name);
            Assert.That(all[$"{name}/sparse"].Content.AsSpan().SequenceEqual(sparse), name);
            Assert.That(all[$"{name}/own"].Content, Is.EqualTo(System.Text.Encoding.UTF8.GetBytes(name)));
        }
        Assert.That(all["other"].Content.AsSpan().SequenceEqual(other));
    }

    /// <summary>The checksums of the blocks say that they are right; the content is another one.</summary>
    [Test]
    public void VerifyFull_ComparesTheIdentitiesOfFiles()
    {
        string tree = _scratch["tree"];
        Directory.CreateDirectory(tree);
        File.WriteAllText(Path.Combine(tree, "f"), "a very recognisable content");
        Assert.That(Cli.Run("import", tree, _scratch["a.img"]).ExitCode, Is.Zero);
        byte[] image = File.ReadAllBytes(_scratch["a.img"]);
        int at = image.AsSpan().LastIndexOf("a very recognisable content"u8);
        uint before = Crc32C.Compute(image.AsSpan(at, 4096));
        image[at + 3] ^= 1;
        int entry = image.AsSpan().LastIndexOf(BitConverter.GetBytes(before));
        BitConverter.GetBytes(Crc32C.Compute(image.AsSpan(at, 4096))).CopyTo(image, entry);
        File.WriteAllBytes(_scratch["b.img"], image);
        Assert.That(Cli.Run("verify", _scratch["b.img"]).ExitCode, Is.Zero);
        CliResult result = Cli.Run("verify", "--full", _scratch["b.img"]);
        Assert.That(result.ExitCode, Is.EqualTo(3));
        Assert.That(result.Output, Does.Match(@"problem: inode \d+ \(/f\): its content is not the one that its identity says, although each of its blocks matches its checksum: its BLAKE3 is [0-9a-f]{64}, the identity is [0-9a-f]{64}"));
    }

    [Test]
    public void Import_IntoALakeThatIsNotEmpty_IsRefused()
    {
        string tree = _scratch["tree"];
        Directory.CreateDirectory(tree);
        File.WriteAllText(Path.Combine(tree, "f"), "1");
        Assert.That(Cli.Run("import", tree, _scratch["a.img"]).ExitCode, Is.Zero);
        string before = Scratch.HashOf(_scratch["a.img"]);
        foreach (string[] again in new[] { new[] { "import", tree, _scratch["a.img"] }, ["import", "--resume", tree, _scratch["a.img"]] })
        {
            CliResult result = Cli.Run(again);
            Assert.That(result.ExitCode, Is.EqualTo(1));
            // Regression: only that the lake is not empty, which is what an import is to lead to.
            Assert.That(result.Errors, Does.Contain("is finished already").And.Contain("next: mount the lake").And.Contain("mkfs --force"));
        }
        Assert.That(Scratch.HashOf(_scratch["a.img"]), Is.EqualTo(before));
        // Regression: an import was counted as a mount.
        Assert.That(Cli.Run("stats", _scratch["a.img"]).Output, Does.Contain("epoch 1, mounted 0 times"));
        // What came into a lake that was mounted may be anything.
        using (DirectBlockDevice device = DirectBlockDevice.Open(_scratch["a.img"]))
        using (LakeEngine engine = LakeEngine.Open(device, new DeviceCommitSink(device), new EngineOptions()))
        {
            engine.BeginEpoch(default);
            engine.MarkClean();
        }
        CliResult used = Cli.Run("import", tree, _scratch["a.img"]);
        Assert.That(used.ExitCode, Is.EqualTo(1));
        Assert.That(used.Errors, Does.Contain("not empty").And.Contain("no import into it is unfinished"));
    }

    [Test]
    public void Import_OfWhatIsNotThere_HasStatus10() =>
        Assert.That(Cli.Run("import", _scratch["nothing"], _scratch["a.img"]).ExitCode, Is.EqualTo(10));

    private string MakeTree()
    {
        string tree = _scratch["tree"];
        Directory.CreateDirectory(Path.Combine(tree, "a"));
        Directory.CreateDirectory(Path.Combine(tree, "b", "empty"));
        File.WriteAllText(Path.Combine(tree, "a", "first"), "one inode");
        Shell("ln a/first b/second; ln -s ../nowhere a/link; mkfifo -m 640 b/pipe; chmod 2750 b; chmod 4711 a/first; touch empty");
        File.WriteAllBytes(Path.Combine(tree, "big"), RandomNumberGenerator.GetBytes(3_000_001));
        for (int i = 0; i < 700; i++)
        {
            File.WriteAllBytes(Path.Combine(tree, "b", $"small{i:000}"), RandomNumberGenerator.GetBytes(i * 11));
        }
        using (FileStream sparse = File.Create(Path.Combine(tree, "sparse")))
        {
            sparse.Position = 5 << 20;
            sparse.Write(new byte[100]);
            sparse.SetLength(20 << 20);
        }
        Shell("touch -h -d '2001-02-03 04:05:06.123456789' a/link a/first big; touch -d '1999-01-01 00:00:00.5' b");
        if (Environment.IsPrivilegedProcess)
        {
            Shell("mknod node c 250 300; mknod disk b 8 17; chown 1234:4321 big; chown -h 77:88 a/link");
            // struct vfs_cap_data, revision 2: cap_net_raw, permitted and effective
            SetXattr(Path.Combine(tree, "big"), "security.capability", Convert.FromHexString("0100000200200000000000000000000000000000"));
        }
        SetXattr(Path.Combine(tree, "big"), "user.test", "value"u8.ToArray());
        return tree;
    }

    [DllImport("libc", EntryPoint = "setxattr", SetLastError = true)]
    private static extern int SetXattrCall(string path, string name, byte[] value, nint size, int flags);

    private static void SetXattr(string path, string name, byte[] value) =>
        Assert.That(SetXattrCall(path, name, value, value.Length, 0), Is.Zero, $"{name}: errno {Marshal.GetLastPInvokeError()}");

    private void Shell(string script)
    {
        using Process process = Process.Start(new ProcessStartInfo("sh", ["-ec", script]) { WorkingDirectory = _scratch["tree"] })!;
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, script);
    }

    private static void Compare(string path, LakeNode node)
    {
        Assert.That(LinuxFiles.Status(LinuxFiles.CurrentDirectory, LinuxFiles.Name(path), out FileStatus status), Is.EqualTo(Errno.None));
        Assert.Multiple(() =>
        {
            Assert.That((node.Inode.Mode, node.Inode.Uid, node.Inode.Gid), Is.EqualTo((status.Mode, status.Uid, status.Gid)), path);
            Assert.That(node.Inode.Mtime, Is.EqualTo(status.Mtime), path + " mtime");
            Assert.That(node.Inode.Nlink, Is.EqualTo(status.LinkCount).Or.EqualTo(node.Type == 0x4000 ? node.Inode.Nlink : status.LinkCount), path);
            uint rdev = (status.RdevMinor & 0xff) | (status.RdevMajor << 8) | ((status.RdevMinor & ~0xffu) << 12);
            Assert.That(node.Inode.Rdev, Is.EqualTo(rdev), path);
        });
        if (node.Type == 0x8000)
        {
            Assert.That(node.Content.AsSpan().SequenceEqual(File.ReadAllBytes(path)), path);
        }
        Assert.That(node.Xattrs, Is.EquivalentTo(SourceXattrs(path)), path);
    }

    private static Dictionary<string, byte[]> SourceXattrs(string path)
    {
        var result = new Dictionary<string, byte[]>();
        var list = new byte[65536];
        var value = new byte[65536];
        LinuxFiles.ListXattrs(LinuxFiles.Name(path), list, out int length);
        foreach (string name in System.Text.Encoding.UTF8.GetString(list, 0, length).Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            LinuxFiles.GetXattr(LinuxFiles.Name(path), LinuxFiles.Name(name), value, out int bytes);
            result[name] = value[..bytes];
        }
        return result;
    }
}
