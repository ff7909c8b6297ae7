// SPDX-License-Identifier: MPL-2.0
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using DeepLake.Abi;
using DeepLake.Client;
using DeepLake.Engine.Ingest;
using DeepLake.Hash;
using DeepLake.Platform;

namespace DeepLake.Scale;

/// <summary>
/// A tree as systems have them: directories of 20 to 100 entries, some of thousands; names of 8 to 30
/// bytes; mostly small files of one extent, some of several, a few large, empty or symbolic links.
/// Always the same for a number of files. Blocks are leased and mapped, nothing is written to them.
/// </summary>
/// <param name="lake">Where.</param>
/// <param name="files">How many.</param>
/// <param name="table">
/// Of a lake that has been ingested: its files, which are zeroes, are checked, and each has an identity of its own, as
/// if they were not all alike.
/// </param>
internal sealed class TreeMaker(ServedLake lake, int files, ChecksumTable? table = null)
{
    private const uint BlocksOfALease = 1 << 14;
    private const int LargeOneIn = 500;
    private const int LargeEntries = 4000;
    private const int QueueMost = 64;

    private static readonly string[] Words =
        ["index", "module", "README", "lib", "test", "image-large", "report_final", "chunk", "a", "session-log", "Makefile", "core", "translations.de", "x86_64"];

    private static readonly string[] Endings = [".c", ".h", ".js", ".json", ".txt", ".so.1.2.3", "", ".html", ".py", ".png", ".md5sums"];

    private static readonly NodeAttributes Folder = new() { Mode = FileType.Directory | 0x1ed };
    private static readonly NodeAttributes Plain = new() { Mode = FileType.Regular | 0x1a4, Uid = 1000, Gid = 1000 };
    private static readonly NodeAttributes Symlink = new() { Mode = FileType.Symlink | 0x1ff };

    private readonly Random _random = new(1);
    private readonly Queue<ulong> _directories = new([LakeFormat.RootIno]);
    private readonly byte[] _zeroes = new byte[LakeFormat.BlockSize];
    private readonly uint[] _sums = new uint[LakeRing.MapBlocksMax];

    // Two places that are filled in turn, so that extents of a file do not follow each other on the device.
    private readonly BlockRange[] _lease = new BlockRange[2];

    public int Files { get; private set; }

    public int Directories { get; private set; }

    public long Extents { get; private set; }

    public long Blocks { get; private set; }

    public void Run()
    {
        while (Files < files)
        {
            Fill(_directories.Dequeue());
        }
    }

    private void Fill(ulong dir)
    {
        int entries = _random.Next(LargeOneIn) == 0 ? LargeEntries : _random.Next(20, 101);
        int folders = _directories.Count < QueueMost ? 4 : 1;
        for (int i = 0; i < entries && Files < files; i++)
        {
            if (i < folders)
            {
                _directories.Enqueue(Create(dir, $"{Words[_random.Next(Words.Length)]}.{i}", Folder, ""));
                Directories++;
                continue;
            }

            string name = NameOf(i);
            int kind = _random.Next(100);
            if (kind < 2)
            {
                Create(dir, name, Symlink, $"../../usr/share/{name}");
            }
            else
            {
                AddFile(Create(dir, name, Plain, ""), kind);
            }

            Files++;
        }
    }

    private string NameOf(int i) => string.Create(
        CultureInfo.InvariantCulture, $"{Words[_random.Next(Words.Length)]}{i:x}{Endings[_random.Next(Endings.Length)]}");

    private ulong Create(ulong dir, string name, NodeAttributes node, string target)
    {
        ulong ino = lake.Client.Create(dir, Encoding.UTF8.GetBytes(name), node, Encoding.UTF8.GetBytes(target));
        lake.Changed();
        return ino;
    }

    private void AddFile(ulong ino, int kind)
    {
        (int extents, int most) = kind switch
        {
            < 7 => (0, 1),
            < 65 => (1, 4),
            < 85 => (2, 8),
            < 97 => (_random.Next(3, 5), 16),
            _ => (4, (int)LakeRing.MapBlocksMax),
        };
        ulong at = 0;
        for (int i = 0; i < extents; i++)
        {
            uint blocks = (uint)_random.Next(1, most + 1);
            Map(ino, at, blocks, i & 1);
            at += blocks;
        }

        if (table is not null && extents > 0)
        {
            InodeRecord inode = lake.Client.GetInode(ino);
            lake.Engine.PutObject(ino, inode.DataSeq, inode.Size, Blake3.Hash(MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in ino))));
            lake.Changed();
        }
    }

    private void Map(ulong ino, ulong at, uint blocks, int place)
    {
        ref BlockRange lease = ref _lease[place];
        if (lease.Count < blocks)
        {
            lake.Client.ReturnBlocks(new ReadOnlySpan<BlockRange>(in lease)[..(lease.Count == 0 ? 0 : 1)]);
            BlockRange[] leased = lake.Client.LeaseBlocks(BlocksOfALease, 0);
            lease = leased.Length == 0 ? throw new InvalidOperationException("the lake is full") : leased[0];
        }

        _sums.AsSpan().Fill(table is null ? (uint)ino * 0x9e3779b9u : Crc32C.Compute(_zeroes));
        ulong size = ((at + blocks) * LakeFormat.BlockSize) - (ulong)_random.Next((int)LakeFormat.BlockSize);
        table?.Stage(lease.Start, _sums.AsSpan(0, (int)blocks));
        lake.Client.Map(ino, at, lease.Start, _sums.AsSpan(0, (int)blocks), size);
        if (table is not null)
        {
            lake.Client.SealChecked(ino, at, blocks);
        }

        lake.Changed();
        lease.Start += blocks;
        lease.Count -= blocks;
        Extents++;
        Blocks += blocks;
    }
}
