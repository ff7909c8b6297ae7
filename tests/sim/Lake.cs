// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using System.Text;
using DeepLake.Abi;
using DeepLake.Check;
using DeepLake.Engine;
using DeepLake.Metadata.Tree;
using DeepLake.Storage;

namespace DeepLake.Sim;

/// <summary>Shared steps of the engine tests.</summary>
internal static class Lake
{
    public static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    public static readonly EngineOptions Options = new() { TreeCacheBytes = 1 << 20, PageStoreBytes = 6 << 20 };

    public static void Format(IBlockDevice device) =>
        LakeFormatter.Format(device, new FormatOptions(new Guid("00112233-4455-6677-8899-aabbccddeeff"), "test", Now));

    public static LakeEngine Open(IBlockDevice device) => LakeEngine.Open(device, new DeviceCommitSink(device), Options);

    public static ReplyMount Mount(LakeEngine engine)
    {
        var request = new RequestMount { Header = new RequestHeader { Len = 48, Op = RequestOp.Mount } };
        byte[] payload = new byte[1024];
        int bytes = engine.HandleRequest(MemoryMarshal.AsBytes(new ReadOnlySpan<RequestMount>(in request)), payload, out _);
        if (bytes < 0)
        {
            throw new InvalidOperationException($"mount failed: {bytes}");
        }

        return MemoryMarshal.Read<ReplyMount>(payload);
    }

    public static void Unmount(LakeEngine engine)
    {
        var request = new RequestHeader { Len = 24, Op = RequestOp.Unmount };
        engine.HandleRequest(MemoryMarshal.AsBytes(new ReadOnlySpan<RequestHeader>(in request)), new byte[64], out _);
    }

    public static CheckReport Check(LakeEngine engine)
    {
        BTree tree = engine.TreeForCheck();
        return Check(tree, engine.CountersForCheck(), engine.Superblock);
    }

    /// <summary>Data as well.</summary>
    public static CheckReport CheckData(LakeEngine engine, IBlockDevice device) =>
        Check(engine.TreeForCheck(), engine.CountersForCheck(), engine.Superblock, device, engine.EvidenceAfter);

    /// <summary>What the checker says of one damaged block of a file whose name is its number.</summary>
    public static string Damage(ulong ino, ulong fileBlock, ulong physBlock) =>
        $"inode {ino} (/{ino}): its bytes {fileBlock * 4096} to {(fileBlock * 4096) + 4095} are damaged "
        + $"(at byte {physBlock * 4096} of the device, block {physBlock}): they do not match their checksum";

    public static CheckReport Check(LakeSnapshot snapshot, SnapshotSource source) =>
        Check(snapshot.Tree, snapshot.Counters, source.Superblock);

    private static CheckReport Check(BTree tree, EngineState counters, Superblock superblock, IBlockDevice? device = null, ulong evidenceAfter = 0)
    {
        (ulong root, uint height) = tree.RootForCheck();
        var target = new CheckTarget
        {
            ReadPage = tree.CopyPage,
            ReadData = device is null ? null : device.Read,
            Root = root,
            Height = height,
            PageCount = tree.PageCount,
            Data = superblock.Data,
            Sums = superblock.Sums,
            Uuid = new Guid(superblock.Uuid, bigEndian: true),
            Counters = counters,
            EvidenceAfter = evidenceAfter,
        };
        return LakeChecker.Check(target, new CheckOptions { Full = device is not null, PlacesPerFile = int.MaxValue });
    }

    /// <summary>Every item of the tree but the engine's counters, as text.</summary>
    public static string Dump(LakeEngine engine) => Dump(engine.TreeForCheck());

    public static string Dump(BTree tree) => Dump(tree, key => key.Object != ObjectIds.State);

    /// <summary>As <see cref="Dump(LakeEngine)"/>, without the archive and with it the map of free space: when a segment comes is the engine's to decide.</summary>
    public static string DumpFiles(LakeEngine engine) =>
        Dump(engine.TreeForCheck(), key => key.Object is not (ObjectIds.State or ObjectIds.Archive or ObjectIds.Bitmap));

    private static string Dump(BTree tree, Func<TreeKey, bool> isWanted)
    {
        var text = new StringBuilder();
        TreeKey from = default;
        while (tree.TryGetAtOrAfter(from, out TreeKey key, out ReadOnlySpan<byte> data))
        {
            if (isWanted(key))
            {
                text.Append(key).Append(' ').AppendLine(Convert.ToHexString(data));
            }

            from = new TreeKey(key.Object, key.Type, key.Offset + 1);
        }

        return text.ToString();
    }

    /// <summary>A file's whole map as the kernel is told, a few extents an answer.</summary>
    public static (ulong FileBlock, ulong PhysBlock, uint Blocks, uint Flags)[] Extents(LakeEngine engine, ulong ino)
    {
        var all = new List<(ulong, ulong, uint, uint)>();
        for (ulong at = 0; ;)
        {
            var request = new RequestExtents
            {
                Header = new RequestHeader { Len = 48, Op = RequestOp.Extents },
                Ino = ino,
                FileBlock = at,
                MaxExtents = 3,
            };
            byte[] payload = new byte[1024];
            int bytes = engine.HandleRequest(
                MemoryMarshal.AsBytes(new ReadOnlySpan<RequestExtents>(in request)), payload, out uint flags);
            foreach (ReplyExtent extent in MemoryMarshal.Cast<byte, ReplyExtent>(payload.AsSpan(0, bytes)))
            {
                all.Add((extent.FileBlock, extent.PhysBlock, extent.Blocks, extent.Flags));
                at = extent.FileBlock + extent.Blocks;
            }

            if ((flags & LakeRing.ReplyMore) == 0)
            {
                return [.. all];
            }
        }
    }
}
