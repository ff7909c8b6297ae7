// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using DeepLake.Abi;
using DeepLake.Platform;

namespace DeepLake.Sim;

/// <summary>
/// What a sequence of records must lead to (docs/ring-protocol.md), in plain dictionaries and block by
/// block: nothing of it is shared with the engine but the layout of the records.
/// </summary>
internal sealed partial class ModelTree
{
    /// <summary>How many contents there are that more than one file may have.</summary>
    public const uint CopiedContents = 3;

    private const ulong CopiedBase = 0xffff_0000_0000_0000;

    private readonly Dictionary<ulong, int> _refs = [];
    private readonly Contents _contents;

    private ModelTree(Contents contents) => _contents = contents;

    public Dictionary<ulong, ModelInode> Inodes { get; } = [];

    /// <summary>How many extents refer to each device block.</summary>
    public IReadOnlyDictionary<ulong, int> Refs => _refs;

    public ulong Seq { get; private set; }

    /// <summary>Tells the contents of one boot from those of another.</summary>
    public ulong Boot { get; set; }

    /// <summary>Device block, intent: its last reference went.</summary>
    public Action<ulong, ulong>? OnFreed { get; set; }

    /// <summary>Device block, intent: its last reference but one went.</summary>
    public Action<ulong, ulong>? OnUnshared { get; set; }

    public static ModelTree CreateEmpty(Contents contents)
    {
        var now = new LakeTime { Sec = Lake.Now.ToUnixTimeSeconds() };
        var tree = new ModelTree(contents);
        tree.Inodes.Add(LakeFormat.RootIno, new ModelInode(LakeFormat.RootIno, FileType.Directory | 0x1ed)
        {
            Nlink = 2,
            Generation = 1,
            Atime = now,
            Mtime = now,
            Ctime = now,
            Btime = now,
        });
        return tree;
    }

    /// <summary>
    /// What the block that a record maps holds at first: unique in a simulation, unless the file is one of a
    /// few that are written again and again, or made of others' bytes, which the record's times say.
    /// </summary>
    public static ulong BaseOf(ulong boot, ulong seq, ulong fileBlock, LakeTime time, int index) => Contents.BaseOf(time, index) is { } made
        ? made
        : time.Nsec < CopiedContents
        ? CopiedBase | ((ulong)time.Nsec << 32) | (fileBlock + (ulong)index)
        : (boot << 48) | (seq << 8) | (uint)index;

    /// <summary>Whether other blocks may hold the same; these are not written in place.</summary>
    public static bool IsCopied(ulong contents) => contents >= CopiedBase || Contents.IsMade(contents);

    public ModelTree Copy()
    {
        var copy = new ModelTree(_contents) { Seq = Seq, Boot = Boot };
        foreach ((ulong ino, ModelInode inode) in Inodes)
        {
            copy.Inodes.Add(ino, inode.Copy());
        }

        foreach ((ulong phys, int refs) in _refs)
        {
            copy._refs.Add(phys, refs);
        }

        return copy;
    }

    /// <summary>A new epoch: nobody has what has no name open any more.</summary>
    public void ReapOrphans()
    {
        foreach (ModelInode orphan in Inodes.Values.Where(i => i.Nlink == 0).ToArray())
        {
            Destroy(orphan);
        }
    }

    public void Apply(ReadOnlySpan<byte> record)
    {
        var header = MemoryMarshal.Read<IntentHeader>(record);
        if (header.Seq != Seq + 1)
        {
            throw new SimulationException($"the model is at {Seq} and gets record {header.Seq}");
        }

        Seq = header.Seq;
        switch (header.Op)
        {
            case IntentOp.Create: Create(record); break;
            case IntentOp.Link: Link(record); break;
            case IntentOp.Unlink: Unlink(record); break;
            case IntentOp.Rename: Rename(record); break;
            case IntentOp.Setattr: SetAttributes(Read<IntentSetattr>(record)); break;
            case IntentOp.Xattr: ChangeXattr(record); break;
            case IntentOp.Map: Map(record); break;
            case IntentOp.Unmap: Unmap(Read<IntentUnmap>(record)); break;
            case IntentOp.Overwrite: Overwrite(record); break;
            case IntentOp.Release: Destroy(Inodes[Read<IntentRelease>(record).Ino]); break;
            case IntentOp.Clone: Clone(Read<IntentClone>(record)); break;
            case IntentOp.Shift: Shift(Read<IntentShift>(record)); break;
            case IntentOp.Share: Share(Read<IntentShare>(record)); break;
            case IntentOp.Remap: Remap(Read<IntentRemap>(record)); break;
            case IntentOp.Seal or IntentOp.Checked or IntentOp.Unseal: Seal(Read<IntentSeal>(record), header.Op); break;
            default: throw new SimulationException($"the model does not know operation {header.Op}");
        }
    }

    private static T Read<T>(ReadOnlySpan<byte> record)
        where T : unmanaged => MemoryMarshal.Read<T>(record);

    private static ReadOnlySpan<byte> Tail<T>(ReadOnlySpan<byte> record)
        where T : unmanaged => record[((Unsafe.SizeOf<T>() + 7) & ~7)..];

    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> rest, int bytes)
    {
        ReadOnlySpan<byte> part = rest[..bytes];
        rest = rest[((bytes + 7) & ~7)..];
        return part;
    }

    private static string Name(ref ReadOnlySpan<byte> rest, int bytes) => Encoding.UTF8.GetString(Take(ref rest, bytes));

    private ModelInode Changed(ulong ino)
    {
        ModelInode inode = Inodes[ino];
        inode.LastSeq = Seq;
        inode.Barrier = Seq;
        return inode;
    }

    private ModelInode ChangedData(ulong ino)
    {
        ModelInode inode = Changed(ino);
        inode.MapSeq = Seq;
        inode.DataSeq = Seq;
        return inode;
    }

    private void Destroy(ModelInode inode)
    {
        foreach (ulong block in inode.Blocks.Keys.ToArray())
        {
            RemoveBlock(inode, block);
        }

        Inodes.Remove(inode.Ino);
    }
}
