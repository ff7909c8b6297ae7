// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;
using NUnit.Framework;

namespace DeepLake.InMemory.Tests;

[TestFixture]
public sealed class NameTests : LakeTest
{
    [Test]
    public void Names_AreAnyTextUpTo255Bytes()
    {
        string longest = new('ä', 127);
        foreach (string name in new[] { "a", "with space", "ünïcödé \U0001f40b", "...", "\n", longest })
        {
            Lake.WriteFile("/" + name, "x"u8);
            Assert.That(Lake.ReadFile(name), Is.EqualTo("x"u8.ToArray()));
        }

        Assert.That(Lake.List("/").Select(e => e.Name), Is.EqualTo(new[] { "a", "with space", "ünïcödé \U0001f40b", "...", "\n", longest }));
        AssertRefused(Errno.ENAMETOOLONG, longest + "ää", () => Lake.WriteFile(longest + "ää", "x"u8));
        AssertRefused(Errno.EINVAL, "", () => Lake.WriteFile("", "x"u8));
        AssertRefused(Errno.EINVAL, "a\0b", () => Lake.WriteFile("a\0b", "x"u8));
        AssertRefused(Errno.EINVAL, "\ud800", () => Lake.CreateDirectory("\ud800"));
    }

    [Test]
    public void Paths_LeadThroughDirectoriesOnly()
    {
        Lake.CreateDirectory("d");
        Lake.CreateDirectory("d/e/");
        Lake.WriteFile("//d/./e/../f", "x"u8);
        Assert.That(Lake.ReadFile("/d/f"), Is.EqualTo("x"u8.ToArray()));
        Assert.That(Lake.Stat("d/e/..").InodeNumber, Is.EqualTo(Lake.Stat("d").InodeNumber));
        Assert.That(Lake.Stat("../..").InodeNumber, Is.EqualTo(Lake.Stat("/").InodeNumber));
        AssertRefused(Errno.ENOENT, "/no/f", () => Lake.WriteFile("/no/f", "x"u8));
        AssertRefused(Errno.ENOTDIR, "/d/f/g", () => Lake.WriteFile("/d/f/g", "x"u8));
        AssertRefused(Errno.ENOTDIR, "/d/f/", () => Lake.ReadFile("/d/f/"));
        AssertRefused(Errno.EISDIR, "/new/", () => Lake.WriteFile("/new/", "x"u8));
        AssertRefused(Errno.EISDIR, "/d", () => Lake.WriteFile("/d", "x"u8));
        AssertRefused(Errno.EISDIR, "/d", () => Lake.ReadFile("/d"));
        AssertRefused(Errno.ENOTDIR, "/d/f", () => Lake.List("/d/f"));
        AssertRefused(Errno.EEXIST, "d", () => Lake.CreateDirectory("d"));
        Assert.That((Lake.Exists("/d/f"), Lake.Exists("/d/f/g"), Lake.Exists("/x/y")), Is.EqualTo((true, false, false)));
    }

    [Test]
    public void Delete_TakesFilesLinksAndEmptyDirectories()
    {
        Lake.CreateDirectory("d");
        Lake.WriteFile("d/f", Random(10 * Block));
        AssertRefused(Errno.ENOTEMPTY, "d", () => Lake.Delete("d"));
        AssertRefused(Errno.EBUSY, "/", () => Lake.Delete("/"));
        AssertRefused(Errno.EBUSY, "d/..", () => Lake.Delete("d/.."));
        AssertRefused(Errno.ENOENT, "d/g", () => Lake.Delete("d/g"));
        Lake.Delete("d/f");
        Lake.Delete("d");
        Assert.That((Lake.List("/").Count, Lake.GetStats().StoredBytes, Lake.GetStats().Inodes), Is.EqualTo((0, 0L, 1L)));
    }

    [Test]
    public void Move_ReplacesWhatHasTheName_AndFreesIt()
    {
        Lake.WriteFile("a", Random(3 * Block, 1));
        Lake.WriteFile("b", Random(5 * Block, 2));
        ulong ino = Lake.Stat("a").InodeNumber;
        Lake.Move("a", "b");
        Assert.That(Lake.List("/").Select(e => e.Name), Is.EqualTo(new[] { "b" }));
        Assert.That((Lake.Stat("b").InodeNumber, Lake.GetStats().StoredBytes), Is.EqualTo((ino, 3L * Block)));
        Assert.That(Lake.ReadFile("b"), Is.EqualTo(Random(3 * Block, 1)));
        Lake.Move("b", "b");
        Lake.CreateDirectory("full");
        Lake.WriteFile("full/f", "x"u8);
        Lake.CreateDirectory("empty");
        AssertRefused(Errno.EISDIR, "empty", () => Lake.Move("b", "empty"));
        AssertRefused(Errno.ENOTDIR, "b", () => Lake.Move("empty", "b"));
        AssertRefused(Errno.ENOTEMPTY, "full", () => Lake.Move("empty", "full"));
        AssertRefused(Errno.ENOENT, "none", () => Lake.Move("none", "b"));
        AssertRefused(Errno.ENOTDIR, "c/", () => Lake.Move("b", "c/"));
        Lake.Move("full", "empty/");
        Assert.That(Lake.ReadFile("empty/f"), Is.EqualTo("x"u8.ToArray()));
        Assert.That(Lake.Exists("full"), Is.False);
    }

    [Test]
    public void Move_OfADirectory_KeepsTheTreeATree()
    {
        Lake.CreateDirectory("a");
        Lake.CreateDirectory("a/b");
        Lake.CreateDirectory("a/b/c");
        Lake.CreateDirectory("z");
        Lake.SymbolicLink("way", "a/b");
        AssertRefused(Errno.EINVAL, "a/b/c/a", () => Lake.Move("a", "a/b/c/a"));
        AssertRefused(Errno.EINVAL, "way/a", () => Lake.Move("a", "way/a"));
        AssertRefused(Errno.EBUSY, "/", () => Lake.Move("/", "z"));
        AssertRefused(Errno.ENOTEMPTY, "a", () => Lake.Move("a/b", "a"));
        Lake.Move("a/b", "z/b");
        Assert.That((Lake.Stat("a").Links, Lake.Stat("z").Links), Is.EqualTo((2, 3)));
        Assert.That(Lake.Exists("z/b/c"), Is.True);
    }

    [Test]
    public void HardLinks_AreTheSameFile()
    {
        Lake.WriteFile("a", "one"u8);
        Lake.CreateDirectory("d");
        Lake.HardLink("a", "d/b");
        Lake.WriteFile("d/b", "two"u8);
        Assert.That(Lake.ReadFile("a"), Is.EqualTo("two"u8.ToArray()));
        Assert.That((Lake.Stat("a").Links, Lake.Stat("a").InodeNumber), Is.EqualTo((2, Lake.Stat("d/b").InodeNumber)));
        Lake.Move("a", "d/b"); // two names of one file: both stay, as with rename(2)
        Assert.That(Lake.Stat("a").Links, Is.EqualTo(2));
        AssertRefused(Errno.EEXIST, "d/b", () => Lake.HardLink("a", "d/b"));
        AssertRefused(Errno.EPERM, "d", () => Lake.HardLink("d", "e"));
        AssertRefused(Errno.ENOENT, "e/", () => Lake.HardLink("a", "e/"));
        Lake.Delete("a");
        Assert.That(Lake.ReadFile("d/b"), Is.EqualTo("two"u8.ToArray()));
        Lake.Delete("d/b");
        Assert.That(Lake.GetStats().StoredBytes, Is.Zero);
    }

    [Test]
    public void SymbolicLinks_AreFollowed()
    {
        string deep = string.Concat(Enumerable.Repeat("./", 2000)) + "f";
        Lake.CreateDirectory("d");
        Lake.SymbolicLink("d/up", "../f");
        Lake.SymbolicLink("d/root", "/f");
        Lake.SymbolicLink("dir", "d/");
        Lake.SymbolicLink("deep", deep);
        Lake.WriteFile("dir/up", "x"u8);
        Assert.That(Lake.Stat("f").SizeBytes, Is.EqualTo(1));
        Assert.That(new[] { "d/root", "dir/root", "deep" }.Select(p => Lake.ReadFile(p)), Is.All.EqualTo("x"u8.ToArray()));
        Assert.That((Lake.ReadLink("dir"), Lake.ReadLink("deep")), Is.EqualTo(("d/", deep)));
        Assert.That((Lake.Stat("dir").Kind, Lake.Stat("dir/").Kind), Is.EqualTo((LakeFileKind.SymbolicLink, LakeFileKind.Directory)));
        Lake.SymbolicLink("l1", "l2");
        Lake.SymbolicLink("l2", "l1");
        AssertRefused(Errno.ELOOP, "l1", () => Lake.WriteFile("l1", "x"u8));
        AssertRefused(Errno.EINVAL, "f", () => Lake.ReadLink("f"));
        AssertRefused(Errno.EINVAL, "e", () => Lake.SymbolicLink("e", ""));
        AssertRefused(Errno.ENAMETOOLONG, "e", () => Lake.SymbolicLink("e", new string('x', 4096)));
        Lake.Delete("d/up");
        Assert.That(Lake.Exists("f"), Is.True);
    }

    [Test]
    public void ManyNames_AreListedInTheirOrder()
    {
        Lake.CreateDirectory("d");
        string[] names = [.. Enumerable.Range(0, 5000).Select(i => $"a rather long name of a file {i}")];
        foreach (string name in names)
        {
            Lake.WriteFile("d/" + name, default(ReadOnlySpan<byte>));
        }

        Assert.That(Lake.List("d").Select(e => e.Name), Is.EqualTo(names));
        Lake.Reopen();
        Assert.That(Lake.List("d").Select(e => e.Name), Is.EqualTo(names));
    }
}
