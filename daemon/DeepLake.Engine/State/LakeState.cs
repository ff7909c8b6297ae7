// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata;
using DeepLake.Metadata.Space;
using DeepLake.Metadata.Tables;
using DeepLake.Metadata.Tree;
using DeepLake.Storage;

namespace DeepLake.Engine.State;

/// <summary>
/// The live tree of one lake with every applied intent in it: the tables, the space map and the
/// engine-wide counters. Changed only by <see cref="IntentApplier"/>.
/// </summary>
internal sealed class LakeState : IDisposable
{
    private static readonly TreeKey StateKey = new(ObjectIds.State, (uint)ItemType.State, 0);

    private LakeState(BTree tree, ReadOnlySpan<byte> uuid, SpaceMap space)
    {
        var hash = new NameHash(uuid);
        Names = hash;
        Tree = tree;
        Space = space;
        Inodes = new InodeTable(tree);
        Directories = new DirectoryTable(tree, hash);
        Xattrs = new XattrTable(tree, hash);
        Extents = new ExtentTable(tree);
        Shared = new SharedTable(tree);
        Objects = new ObjectTable(tree);
        Identities = new IdentityTable(tree);
        Archive = new ArchiveTable(tree);
        Scrub = new ScrubTable(tree);
    }

    public BTree Tree { get; }

    public SpaceMap Space { get; }

    /// <summary>Of this lake's names.</summary>
    public NameHash Names { get; }

    public InodeTable Inodes { get; }

    public DirectoryTable Directories { get; }

    public XattrTable Xattrs { get; }

    public ExtentTable Extents { get; }

    public SharedTable Shared { get; }

    public ObjectTable Objects { get; }

    public IdentityTable Identities { get; }

    public ArchiveTable Archive { get; }

    public ScrubTable Scrub { get; }

    /// <summary>Counters; a field so that the applier changes them in place.</summary>
    public EngineState Counters;

    public static LakeState CreateEmpty(IPageStore store, in Superblock superblock, int cacheFrames)
    {
        BTree tree = BTree.CreateEmpty(store, cacheFrames);
        return new LakeState(tree, UuidOf(superblock), SpaceMap.CreateEmpty(tree, superblock.Data))
        {
            Counters = new EngineState
            {
                NextIno = LakeFormat.FirstIno,
                ArchiveNumber = 1,
                ArchiveLsn = superblock.CheckpointWalLsn,
                ArchiveOffset = superblock.CheckpointWalOffset,
            },
        };
    }

    public static LakeState Open(IPageStore store, in Superblock superblock, int cacheFrames)
    {
        BTree tree = BTree.Open(store, cacheFrames);
        try
        {
            if (!tree.TryGet(StateKey, out ReadOnlySpan<byte> data) || data.Length != Marshal.SizeOf<EngineState>())
            {
                throw new MetadataCorruptException("the engine state record is missing");
            }

            EngineState counters = MemoryMarshal.Read<EngineState>(data);
            var state = new LakeState(tree, UuidOf(superblock), SpaceMap.Load(tree, superblock.Data)) { Counters = counters };
            tree.Seq = counters.AppliedSeq;
            if (counters.UsedBlocks != state.Space.UsedBlocks)
            {
                throw new MetadataCorruptException(
                    $"{counters.UsedBlocks} blocks are counted as used, the free-space map says {state.Space.UsedBlocks}");
            }

            return state;
        }
        catch
        {
            tree.Dispose();
            throw;
        }
    }

    /// <summary>Puts everything kept outside the tree into it and hands the pages to the store.</summary>
    public void Flush()
    {
        Space.Store();
        Counters.UsedBlocks = Space.UsedBlocks;
        MemoryMarshal.Write(Tree.Reserve(StateKey, Marshal.SizeOf<EngineState>()), Counters);
        Tree.Flush();
    }

    public void Dispose()
    {
        Tree.Dispose();
        Space.Dispose();
    }

    private static byte[] UuidOf(in Superblock superblock) => ((ReadOnlySpan<byte>)superblock.Uuid).ToArray();
}
