// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;
using NUnit.Framework;

namespace DeepLake.InMemory.Tests;

[TestFixture]
public sealed class DataTests : LakeTest
{
    [TestCase(0)]
    [TestCase(1)]
    [TestCase(Block)]
    [TestCase(Block + 1)]
    [TestCase((300 * Block) - 7)]
    [TestCase(256 * Block)]
    public void AFile_IsReadAsItWasWritten_HoweverThatWasDone(int bytes)
    {
        byte[] content = Random(bytes);
        Lake.WriteFile("span", content);
        Lake.WriteFile("stream", new MemoryStream(content));
        for (int at = 0; at < bytes; at += 5000)
        {
            Lake.Append("appended", content.AsSpan(at, Math.Min(5000, bytes - at)));
        }

        foreach (string name in bytes == 0 ? new[] { "span", "stream" } : ["span", "stream", "appended"])
        {
            AssertSame(Lake.ReadFile(name), content);
            using Stream stream = Lake.OpenRead(name);
            var copy = new MemoryStream();
            stream.CopyTo(copy, 3001);
            AssertSame(copy.ToArray(), content);
            Assert.That(Lake.Stat(name).Blocks, Is.EqualTo((bytes + Block - 1) / Block));
        }
    }

    [Test]
    public void Hashes_AreThoseOfB3sum()
    {
        // of 0 and of 3 bytes, as b3sum prints them
        Lake.WriteFile("empty", default(ReadOnlySpan<byte>));
        Lake.WriteFile("abc", "abc"u8);
        Assert.That(Lake.HashOf("empty"), Is.EqualTo("af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"));
        Assert.That(Lake.HashOf("abc"), Is.EqualTo("6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"));
        Lake.WriteAt("sparse", (3L << 20) + 5, "x"u8);
        Lake.Truncate("sparse", 5 << 20);
        Lake.WriteFile("full", Lake.ReadFile("sparse"));
        Assert.That(Lake.HashOf("sparse"), Is.EqualTo(Lake.HashOf("full")));
        Lake.Truncate("sparse", 40L << 30);
        Assert.That(Lake.Stat("sparse").Blocks, Is.EqualTo(1));
    }

    [Test]
    public void HolesAndCuts_ReadAsZeros()
    {
        Lake.WriteFile("f", Random(3 * Block));
        Lake.Truncate("f", Block + 100);
        Assert.That(Lake.GetStats().StoredBytes, Is.EqualTo(2 * Block));
        Lake.Truncate("f", 1L << 40);
        byte[] expected = [.. Random(3 * Block).AsSpan(0, Block + 100), .. new byte[5000]];
        byte[] found = new byte[expected.Length];
        Assert.That(Lake.ReadAt("f", 0, found), Is.EqualTo(found.Length));
        Assert.That(found, Is.EqualTo(expected));
        Lake.WriteAt("f", 1L << 39, "middle"u8);
        Assert.That((Lake.ReadAt("f", (1L << 39) - 3, found.AsSpan(0, 12)), Lake.Stat("f").Blocks), Is.EqualTo((12, 3L)));
        Assert.That(found.AsSpan(0, 12).ToArray(), Is.EqualTo("\0\0\0middle\0\0\0"u8.ToArray()));
        Assert.That(Lake.ReadAt("f", (1L << 40) - 2, found), Is.EqualTo(2));
        Assert.That(Lake.ReadAt("f", 1L << 41, found), Is.Zero);
        Lake.Truncate("f", 0);
        Assert.That((Lake.GetStats().StoredBytes, Lake.ReadFile("f").Length), Is.EqualTo((0L, 0)));
    }

    [Test]
    public void ImpossibleRanges_AreRefused()
    {
        Lake.WriteFile("f", Random(Block));
        AssertRefused(Errno.EINVAL, "f", () => Lake.WriteAt("f", -1, "x"u8));
        AssertRefused(Errno.EINVAL, "f", () => Lake.ReadAt("f", -1, new byte[1]));
        AssertRefused(Errno.EINVAL, "f", () => Lake.Truncate("f", -1));
        AssertRefused(Errno.EFBIG, "f", () => Lake.WriteAt("f", long.MaxValue, "x"u8));
        AssertRefused(Errno.EFBIG, "f", () => Lake.Truncate("f", long.MaxValue));
        AssertRefused(Errno.ENOENT, "g", () => Lake.Truncate("g", 1));
        Assert.That(Assert.Catch<LakeException>(() => InMemoryLake.Create(new InMemoryLakeOptions { SizeBytes = 1 << 20 }))!.Reason, Is.EqualTo(Errno.EINVAL));
        Assert.That(Assert.Catch<LakeException>(() => InMemoryLake.Create(new InMemoryLakeOptions { Label = new string('x', 65) }))!.Reason, Is.EqualTo(Errno.EINVAL));
    }

    [Test]
    public void ASourceThatFails_ChangesNothing()
    {
        Lake.WriteFile("f", Random(2 * Block));
        long free = Lake.GetStats().FreeBytes;
        using var source = new BrokenStream(3 << 20);
        Assert.That(() => Lake.WriteFile("f", source), Throws.InstanceOf<InvalidOperationException>());
        Assert.That(Lake.ReadFile("f"), Is.EqualTo(Random(2 * Block)));
        Assert.That(Lake.GetStats().FreeBytes, Is.EqualTo(free));
    }

    [Test]
    public void OutOfSpace_IsAnError_NothingIsChanged_AndDeletingMakesRoom()
    {
        Lake.WriteFile("keep", Random(1 << 20, 7));
        int parts = 0;
        byte[] part = Random(4 << 20);
        LakeException? full = null;
        while (full is null)
        {
            try
            {
                Lake.WriteFile($"part {parts}", part);
                parts++;
            }
            catch (LakeException e)
            {
                full = e;
            }
        }

        Assert.That((full.Reason, full.Path), Is.EqualTo((Errno.ENOSPC, $"part {parts}")));
        Assert.That(Lake.GetStats().StoredBytes, Is.EqualTo((1 << 20) + ((long)parts * part.Length)));
        Assert.That(Lake.GetStats().StoredBytes + Lake.GetStats().FreeBytes, Is.EqualTo(Lake.GetStats().CapacityBytes), "what could not be used came back");
        AssertRefused(Errno.ENOSPC, "keep", () => Lake.WriteFile("keep", part));
        AssertRefused(Errno.ENOSPC, "keep", () => Lake.WriteFile("keep", new MemoryStream(part)));
        AssertRefused(Errno.ENOSPC, "keep", () => Lake.WriteAt("keep", 17, part));
        AssertRefused(Errno.ENOSPC, $"part {parts}", () => Lake.Append($"part {parts}", part));
        AssertSame(Lake.ReadFile("keep"), Random(1 << 20, 7));
        for (int i = 0; i < 3; i++)
        {
            Lake.Delete($"part {i}"); // what is freed can be had at once
            Lake.WriteFile($"part {i} again", part);
        }

        AssertSame(Lake.ReadFile("part 2 again"), part);
    }

    [Test]
    public void MetadataWithoutRoom_RefusesWhatMakesItGrow_AndDeletingWorks()
    {
        string name = new('x', 240);
        int made = 0;
        Lake.WriteFile("f", Random(3 * Block));
        Assert.That(
            () =>
            {
                for (; made < 100_000; made++)
                {
                    Lake.CreateDirectory($"{name} {made}");
                }
            },
            Throws.InstanceOf<LakeException>().With.Property("Reason").EqualTo(Errno.ENOSPC));
        AssertRefused(Errno.ENOSPC, "g", () => Lake.WriteFile("g", "x"u8));
        AssertRefused(Errno.ENOSPC, "f", () => Lake.Move("f", "g"));
        AssertRefused(Errno.ENOSPC, "f", () => Lake.SetXattr("f", "user.a", "x"u8));
        Lake.Truncate("f", Block);
        Assert.That(Lake.ReadFile("f"), Is.EqualTo(Random(3 * Block)[..Block]));
        for (int i = 0; i < made / 2; i++)
        {
            Lake.Delete($"{name} {i}");
        }

        Lake.WriteFile("g", "x"u8);
        Lake.Reopen();
        Assert.That(Lake.ReadFile("g"), Is.EqualTo("x"u8.ToArray()));
    }

    [Test]
    public void AStream_StaysWithItsFile()
    {
        Lake.WriteFile("f", "0123456789"u8);
        Lake.Sync();
        using Stream stream = Lake.OpenRead("f");
        byte[] two = new byte[2];
        stream.ReadExactly(two);
        Lake.Move("f", "g");
        Lake.WriteFile("f", "another"u8);
        Lake.Reopen();
        stream.ReadExactly(two);
        Assert.That((two, stream.Position, stream.Length), Is.EqualTo(("23"u8.ToArray(), 4L, 10L)));
        Lake.WriteAt("g", 4, "AB"u8);
        stream.ReadExactly(two);
        Assert.That(two, Is.EqualTo("AB"u8.ToArray()));
        stream.Seek(-1, SeekOrigin.End);
        Assert.That((stream.ReadByte(), stream.ReadByte()), Is.EqualTo(((int)'9', -1)));
        Lake.Delete("g");
        Assert.That(Assert.Catch<LakeException>(() => stream.ReadByte())!.Reason, Is.EqualTo(Errno.ESTALE));
    }

    [Test]
    public void Attributes_AreKept()
    {
        var when = new DateTimeOffset(1965, 3, 2, 1, 0, 0, TimeSpan.Zero).AddTicks(7);
        Lake.WriteFile("f", "x"u8);
        Lake.SetAttributes("f", new LakeAttributes { Permissions = 0x1c0, Uid = 1000, ModifiedAt = when });
        Lake.SetXattr("f", "user.a", "value"u8);
        Lake.SetXattr("f", "user.b", Random(65536));
        Lake.SetXattr("f", "user.a", "other"u8);
        Lake.Sync();
        Lake.Crash();
        LakeFileInfo info = Lake.Stat("f");
        Assert.That((info.Permissions, info.Uid, info.Gid, info.ModifiedAt), Is.EqualTo((0x1c0, 1000u, 0u, when)));
        Assert.That(Lake.ListXattrs("f"), Is.EquivalentTo(new[] { "user.a", "user.b" }));
        Assert.That(Lake.GetXattr("f", "user.a"), Is.EqualTo("other"u8.ToArray()));
        Assert.That(Lake.GetXattr("f", "user.b"), Is.EqualTo(Random(65536)));
        Lake.RemoveXattr("f", "user.b");
        Assert.That(Lake.GetXattr("f", "user.b"), Is.Null);
        AssertRefused(Errno.ENODATA, "f", () => Lake.RemoveXattr("f", "user.b"));
        AssertRefused(Errno.E2BIG, "f", () => Lake.SetXattr("f", "user.c", new byte[65537]));
        AssertRefused(Errno.EINVAL, "f", () => Lake.SetXattr("f", "", "x"u8));
        AssertRefused(Errno.ERANGE, "f", () => Lake.SetXattr("f", new string('x', 256), "x"u8));
        AssertRefused(Errno.EINVAL, "f", () => Lake.SetAttributes("f", new LakeAttributes { Permissions = 0x1000 }));
    }

    [Test]
    public void AfterDispose_NothingGoes()
    {
        var gone = InMemoryLake.Create(new InMemoryLakeOptions { SizeBytes = InMemoryLakeOptions.MinSizeBytes });
        gone.Dispose();
        gone.Dispose();
        Assert.That(() => gone.ReadFile("f"), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => gone.Crash(), Throws.InstanceOf<ObjectDisposedException>());
    }
}
