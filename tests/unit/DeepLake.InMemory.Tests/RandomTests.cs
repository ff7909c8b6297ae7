// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;
using NUnit.Framework;

namespace DeepLake.InMemory.Tests;

/// <summary>Random operations, compared with a dictionary of names and bytes that does the same.</summary>
[TestFixture]
public sealed class RandomTests : LakeTest
{
    private const int Operations = 1500;
    private static readonly string[] Names = [.. Enumerable.Range(0, 12).Select(i => $"{(i % 2 == 0 ? "" : "d/")}file {i}")];

    // Names of one file have the same list.
    private Dictionary<string, List<byte>> _files = [];
    private Dictionary<string, List<byte>> _durable = [];
    private Random _random = null!;

    [Test]
    public void RandomOperations_AgreeWithAModel([Values(1, 2, 3, 4)] int seed)
    {
        _random = new Random(seed);
        _files = [];
        Lake.CreateDirectory("d");
        Sync();
        for (int i = 0; i < Operations; i++)
        {
            Step();
            if (i % 100 == 0)
            {
                Compare();
                Assert.That(Lake.Verify(full: true).Findings, Is.Empty);
            }
        }

        Compare();
    }

    private void Step()
    {
        string name = Pick();
        switch (_random.Next(20))
        {
            case < 4: Write(name); break;
            case < 9: WriteAt(name); break;
            case < 11: Truncate(name); break;
            case < 13: Delete(name); break;
            case < 15: Move(name, Pick()); break;
            case 15: Link(name, Pick()); break;
            case 16: Lake.Settle(); break;
            case 17: Sync(); break;
            case 18 when _random.Next(3) == 0: Reopen(); break;
            case 19 when _random.Next(3) == 0: Crash(); break;
            default: Read(name); break;
        }
    }

    private void Write(string name)
    {
        // few contents, so that there are equal files
        byte[] content = Random(_random.Next(4) * 9000, _random.Next(5));
        Lake.WriteFile(name, content);
        if (_files.TryGetValue(name, out List<byte>? file))
        {
            file.Clear();
            file.AddRange(content);
        }
        else
        {
            _files[name] = [.. content];
        }
    }

    private void WriteAt(string name)
    {
        int offset = _random.Next(60_000);
        byte[] bytes = Random(_random.Next(20_000), _random.Next());
        bool isAppend = _random.Next(3) == 0;
        List<byte> file = _files.TryGetValue(name, out List<byte>? known) ? known : _files[name] = [];
        if (isAppend)
        {
            Lake.Append(name, bytes);
            file.AddRange(bytes);
            return;
        }

        Lake.WriteAt(name, offset, bytes);
        if (bytes.Length > 0)
        {
            Grow(file, offset + bytes.Length);
            file.RemoveRange(offset, bytes.Length);
            file.InsertRange(offset, bytes);
        }
    }

    private void Truncate(string name)
    {
        int size = _random.Next(70_000);
        if (!_files.TryGetValue(name, out List<byte>? file))
        {
            AssertRefused(Errno.ENOENT, name, () => Lake.Truncate(name, size));
            return;
        }

        Lake.Truncate(name, size);
        Grow(file, size);
        file.RemoveRange(size, file.Count - size);
    }

    private void Delete(string name)
    {
        if (_files.Remove(name))
        {
            Lake.Delete(name);
        }
        else
        {
            AssertRefused(Errno.ENOENT, name, () => Lake.Delete(name));
        }
    }

    private void Move(string from, string to)
    {
        if (!_files.TryGetValue(from, out List<byte>? file))
        {
            AssertRefused(Errno.ENOENT, from, () => Lake.Move(from, to));
            return;
        }

        Lake.Move(from, to);
        if (_files.GetValueOrDefault(to) != file)
        {
            _files.Remove(from);
            _files[to] = file;
        }
    }

    private void Link(string from, string to)
    {
        if (!_files.TryGetValue(from, out List<byte>? file))
        {
            AssertRefused(Errno.ENOENT, from, () => Lake.HardLink(from, to));
        }
        else if (_files.ContainsKey(to))
        {
            AssertRefused(Errno.EEXIST, to, () => Lake.HardLink(from, to));
        }
        else
        {
            Lake.HardLink(from, to);
            _files[to] = file;
        }
    }

    private void Read(string name)
    {
        if (_files.TryGetValue(name, out List<byte>? file))
        {
            Assert.That(Lake.ReadFile(name).AsSpan().SequenceEqual([.. file]), Is.True, name);
        }
        else
        {
            AssertRefused(Errno.ENOENT, name, () => Lake.ReadFile(name));
        }
    }

    private void Sync()
    {
        Lake.Sync();
        _durable = Copy(_files);
    }

    private void Reopen()
    {
        Lake.Reopen();
        _durable = Copy(_files);
    }

    /// <summary>The lake makes nothing durable by itself here: the records of all operations between two syncs are few.</summary>
    private void Crash()
    {
        ulong durable = Lake.GetStats().DurableSeq;
        Lake.Crash();
        Assert.That(Lake.GetStats().AppliedSeq, Is.EqualTo(durable));
        _files = Copy(_durable);
        Compare();
    }

    private void Compare()
    {
        string[] found = [.. List("").Concat(List("d/"))];
        Assert.That(found, Is.EquivalentTo(_files.Keys));
        foreach (string name in found)
        {
            Read(name);
        }
    }

    private IEnumerable<string> List(string directory) =>
        Lake.List("/" + directory).Where(e => e.Kind == LakeFileKind.File).Select(e => directory + e.Name);

    private string Pick() => Names[_random.Next(Names.Length)];

    private static void Grow(List<byte> file, int size) => file.AddRange(new byte[Math.Max(0, size - file.Count)]);

    private static Dictionary<string, List<byte>> Copy(Dictionary<string, List<byte>> files)
    {
        var copies = new Dictionary<List<byte>, List<byte>>(ReferenceEqualityComparer.Instance);
        return files.ToDictionary(f => f.Key, f => copies.TryGetValue(f.Value, out List<byte>? copy) ? copy : copies[f.Value] = [.. f.Value]);
    }
}
