// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace DeepLake.Hash.Bench;

/// <summary>
/// The peer: Debian's b3sum with one thread. It is a program, so what is compared is the same work on
/// the same files in memory (open, read or map, hash, close), less the time it needs to start, which
/// its run on an empty file gives.
/// </summary>
internal sealed unsafe partial class B3sum : IDisposable
{
    private const int BufferBytes = 128 << 10;
    private const int ProtectionRead = 1;
    private const int MapPrivate = 2;

    private readonly string _folder = Directory.CreateDirectory($"/dev/shm/lake-bench-{Environment.ProcessId}").FullName;
    private readonly string _empty;
    private readonly byte[] _buffer = GC.AllocateArray<byte>(BufferBytes, pinned: true);
    private readonly Blake3Hasher _hasher = new();

    public B3sum()
    {
        _empty = Path.Combine(_folder, "empty");
        File.WriteAllBytes(_empty, []);
    }

    /// <summary>Files of this size, not more in all than <paramref name="totalBytes"/> and at most 4,000.</summary>
    public string[] MakeFiles(int bytes, int totalBytes, ReadOnlySpan<byte> content)
    {
        string[] files = new string[Math.Clamp(totalBytes / bytes, 1, 4000)];
        for (int i = 0; i < files.Length; i++)
        {
            files[i] = Path.Combine(_folder, $"{bytes}.{i}");
            using FileStream file = File.Create(files[i]);
            file.Write(content.Slice(i, bytes));
        }
        return files;
    }

    public void Start() => Run(_empty);

    public void Hash(string[] files) => Run(files);

    /// <summary>The same with the hasher of this project, which reads 128 KiB at a time.</summary>
    public void HashHere(string[] files)
    {
        foreach (string name in files)
        {
            using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(name);
            int first = RandomAccess.Read(file, _buffer, 0);
            if (first < _buffer.Length)
            {
                Blake3.Hash(_buffer.AsSpan(0, first));
                continue;
            }
            _hasher.Reset();
            long at = 0;
            for (int count = first; count > 0; count = RandomAccess.Read(file, _buffer, at))
            {
                _hasher.Append(_buffer.AsSpan(0, count));
                at += count;
            }
            _hasher.Finish();
        }
    }

    /// <summary>The same as b3sum does it: mapped instead of read.</summary>
    public static void MapAndHash(string[] files)
    {
        foreach (string name in files)
        {
            using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(name);
            nint bytes = (nint)RandomAccess.GetLength(file);
            byte* map = MMap(null, bytes, ProtectionRead, MapPrivate, (int)file.DangerousGetHandle(), 0);
            if (map == (byte*)-1)
            {
                throw new InvalidOperationException("mmap failed");
            }
            Blake3.Hash(new ReadOnlySpan<byte>(map, (int)bytes));
            MUnmap(map, bytes);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static void Run(params string[] files)
    {
        var info = new ProcessStartInfo("b3sum") { RedirectStandardOutput = true };
        info.ArgumentList.Add("--num-threads");
        info.ArgumentList.Add("1");
        foreach (string file in files)
        {
            info.ArgumentList.Add(file);
        }
        using Process process = Process.Start(info)!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial byte* MMap(byte* address, nint bytes, int protection, int flags, int fd, long offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int MUnmap(byte* address, nint bytes);
}
