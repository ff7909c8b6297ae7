// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Metadata.Tables;
using DeepLake.Packs;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Cli.Tests;

/// <summary>
/// Reads a whole lake out of an image with the requests that the kernel uses. Names are Latin1 strings,
/// so that every byte stays what it is.
/// </summary>
internal sealed class LakeReader : IDisposable
{
    private readonly DirectBlockDevice _device;
    private readonly LakeEngine _engine;
    private readonly byte[] _reply = new byte[LakeRing.ReplyMax];

    private LakeReader(string image)
    {
        _device = DirectBlockDevice.Open(image, readOnly: true);
        var overlay = new ReadOnlyOverlayDevice(_device);
        _engine = LakeEngine.Open(overlay, new DeviceCommitSink(overlay), new EngineOptions());
    }

    /// <summary>Every file by its path from the root, which is "".</summary>
    internal static Dictionary<string, LakeNode> ReadAll(string image)
    {
        using var reader = new LakeReader(image);
        var result = new Dictionary<string, LakeNode>();
        reader.Walk(LakeFormat.RootIno, "", result);
        return result;
    }

    public void Dispose()
    {
        _engine.Dispose();
        _device.Dispose();
    }

    private void Walk(ulong ino, string path, Dictionary<string, LakeNode> result)
    {
        LakeNode node = ReadNode(ino);
        result.Add(path, node);
        if (node.Type != 0x4000)
        {
            return;
        }
        foreach ((string name, ulong child) in ReadDirectory(ino))
        {
            Walk(child, path.Length == 0 ? name : path + "/" + name, result);
        }
    }

    private LakeNode ReadNode(ulong ino)
    {
        byte[] bytes = Ask(new RequestIno { Header = Header(RequestOp.Inode), Ino = ino });
        var inode = MemoryMarshal.Read<InodeRecord>(bytes);
        string target = Encoding.Latin1.GetString(bytes.AsSpan(Unsafe.SizeOf<InodeRecord>(), (int)inode.LinkBytes));
        byte[] content = (inode.Mode & 0xf000) == 0x8000 ? ReadContent(inode) : [];
        return new LakeNode(inode, content, target, ReadXattrs(ino));
    }

    private List<(string Name, ulong Ino)> ReadDirectory(ulong ino)
    {
        var entries = new List<(string, ulong)>();
        ulong cookie = 0;
        while (true)
        {
            byte[] bytes = Ask(new RequestReaddir { Header = Header(RequestOp.Readdir), Ino = ino, Cookie = cookie, MaxBytes = 4096 });
            if (bytes.Length == 0)
            {
                return entries;
            }
            for (int at = 0; at < bytes.Length;)
            {
                var entry = MemoryMarshal.Read<ReplyDirent>(bytes.AsSpan(at));
                entries.Add((Encoding.Latin1.GetString(bytes, at + Unsafe.SizeOf<ReplyDirent>(), entry.NameBytes), entry.Ino));
                cookie = entry.Cookie;
                at += entry.Len;
            }
        }
    }

    private byte[] ReadContent(in InodeRecord inode)
    {
        var blocks = new byte[(inode.Size + 4095) / 4096 * 4096];
        ulong at = 0;
        while (true)
        {
            byte[] bytes = Ask(new RequestExtents { Header = Header(RequestOp.Extents), Ino = inode.Ino, FileBlock = at, MaxExtents = 100 });
            if (bytes.Length == 0)
            {
                return blocks[..(int)inode.Size];
            }
            foreach (ReplyExtent extent in MemoryMarshal.Cast<byte, ReplyExtent>(bytes))
            {
                var mapped = new Extent(extent.FileBlock, extent.PhysBlock, extent.Blocks, extent.Flags, 0);
                var read = new byte[mapped.DeviceBlocks * 4096];
                _device.Read(read, (long)mapped.DeviceBlock * 4096);
                using var packs = new PackReader();
                mapped.ContentOf(mapped.IsPacked ? packs.Read(read) : read).CopyTo(blocks.AsSpan((int)extent.FileBlock * 4096));
                at = extent.FileBlock + extent.Blocks;
            }
        }
    }

    private Dictionary<string, byte[]> ReadXattrs(ulong ino)
    {
        var result = new Dictionary<string, byte[]>();
        byte[] names = Ask(new RequestIno { Header = Header(RequestOp.Listxattr), Ino = ino });
        foreach (string name in Encoding.Latin1.GetString(names).Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            var request = new byte[Unsafe.SizeOf<RequestName>() + 256];
            var fixedPart = new RequestName { Header = Header(RequestOp.Getxattr), Ino = ino, NameBytes = (ushort)name.Length };
            MemoryMarshal.Write(request, in fixedPart);
            Encoding.Latin1.GetBytes(name, request.AsSpan(Unsafe.SizeOf<RequestName>()));
            int length = _engine.HandleRequest(request, _reply, out _);
            result[name] = _reply.AsSpan(0, length).ToArray();
        }
        return result;
    }

    private static RequestHeader Header(RequestOp op) => new() { Len = 256, Op = op };

    private byte[] Ask<T>(T request)
        where T : unmanaged
    {
        int length = _engine.HandleRequest(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in request)), _reply, out _);
        return length >= 0 ? _reply.AsSpan(0, length).ToArray() : throw new InvalidOperationException($"request failed: {(Errno)(-length)}");
    }
}
