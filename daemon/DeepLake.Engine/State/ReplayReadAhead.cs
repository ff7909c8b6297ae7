// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tree;

namespace DeepLake.Engine.State;

/// <summary>
/// Looks ahead in a frame that is being replayed and has the pages read that its entries will need, many
/// together: one by one, each would wait for the device. A hint only: entries are not checked here, and
/// what is missed is read when it is needed.
/// </summary>
internal sealed class ReplayReadAhead(LakeState state)
{
    /// <summary>Entries looked at together: their pages have to fit into the store's cache.</summary>
    private const int Entries = 512;

    private const int KeysOfEntry = 6;
    private const int FirstField = 16; // behind the header
    private const int FieldBytes = sizeof(ulong);

    private readonly TreeKey[] _keys = new TreeKey[Entries * KeysOfEntry];
    private int _count;
    private int _left;

    /// <summary>Before the first entry of the payload is applied; what is behind it is looked at now and then.</summary>
    public void Before(ReadOnlySpan<byte> payload)
    {
        if (_left-- > 0 || !state.Tree.ReadsAhead)
        {
            return;
        }

        _count = 0;
        int entries = 0;
        for (; entries < Entries && payload.Length >= FirstField; entries++)
        {
            uint bytes = MemoryMarshal.Read<uint>(payload);
            if (bytes < FirstField || bytes > payload.Length)
            {
                break;
            }

            Look(payload[..(int)bytes]);
            payload = payload[(int)bytes..];
        }

        _left = entries - 1;
        state.Tree.ReadAhead(_keys.AsSpan(0, _count));
    }

    private void Look(ReadOnlySpan<byte> entry)
    {
        IntentHeader header = MemoryMarshal.Read<IntentHeader>(entry);
        if (header.Seq != 0 && header.Seq <= state.Counters.AppliedSeq)
        {
            return;
        }

        switch (header.Op)
        {
            case IntentOp.Create when entry.Length >= Marshal.SizeOf<IntentCreate>():
                Named(entry, Marshal.SizeOf<IntentCreate>(), MemoryMarshal.Read<IntentCreate>(entry).NameBytes);
                break;
            case IntentOp.Link or IntentOp.Unlink when entry.Length >= Marshal.SizeOf<IntentUnlink>():
                Named(entry, Marshal.SizeOf<IntentUnlink>(), MemoryMarshal.Read<IntentUnlink>(entry).NameBytes);
                break;
            case IntentOp.Rename when entry.Length >= Marshal.SizeOf<IntentRename>():
                Rename(entry, MemoryMarshal.Read<IntentRename>(entry));
                break;
            case IntentOp.Map or IntentOp.Unmap or IntentOp.Shift when entry.Length >= FirstField + (2 * FieldBytes):
                Inode(Field(entry, 0));
                Add(Field(entry, 0), ItemType.Extent, Field(entry, 1));
                break;
            case IntentOp.Clone when entry.Length >= FirstField + (4 * FieldBytes):
                Inode(Field(entry, 0));
                Add(Field(entry, 0), ItemType.Extent, Field(entry, 1));
                Inode(Field(entry, 2));
                Add(Field(entry, 2), ItemType.Extent, Field(entry, 3));
                break;
            case IntentOp.Share when entry.Length >= FirstField + (3 * FieldBytes):
                Inode(Field(entry, 0));
                Add(Field(entry, 0), ItemType.Extent, Field(entry, 2));
                Inode(Field(entry, 1));
                Add(Field(entry, 1), ItemType.Extent, Field(entry, 2));
                break;
            case IntentOp.WalObject when entry.Length >= FirstField + FieldBytes:
                Inode(Field(entry, 0));
                Add(Field(entry, 0), ItemType.Object, 0);
                break;
            case IntentOp.Setattr or IntentOp.Xattr or IntentOp.Overwrite or IntentOp.Release when entry.Length >= FirstField + FieldBytes:
                Inode(Field(entry, 0));
                break;
            default:
                break;
        }
    }

    // Directory, inode, then behind the fixed part the name.
    private void Named(ReadOnlySpan<byte> entry, int fixedBytes, int nameBytes)
    {
        Inode(Field(entry, 0));
        Inode(Field(entry, 1));
        Name(Field(entry, 0), entry, fixedBytes, nameBytes);
    }

    private void Rename(ReadOnlySpan<byte> entry, in IntentRename intent)
    {
        Inode(intent.SrcDir);
        Inode(intent.DstDir);
        Inode(intent.Ino);
        Name(intent.SrcDir, entry, Marshal.SizeOf<IntentRename>(), intent.SrcBytes);
        Name(intent.DstDir, entry, Marshal.SizeOf<IntentRename>() + ((intent.SrcBytes + 7) & ~7), intent.DstBytes);
        if (intent.TargetIno != 0)
        {
            Inode(intent.TargetIno);
        }
    }

    private void Name(ulong dir, ReadOnlySpan<byte> entry, int at, int bytes)
    {
        if (bytes > 0 && at + bytes <= entry.Length)
        {
            Add(dir, ItemType.Dirname, state.Names.Compute(entry.Slice(at, bytes)));
        }
    }

    private void Inode(ulong ino) => Add(ino, ItemType.Inode, 0);

    private void Add(ulong obj, ItemType type, ulong offset) => _keys[_count++] = new TreeKey(obj, (uint)type, offset);

    private static ulong Field(ReadOnlySpan<byte> entry, int index) =>
        MemoryMarshal.Read<ulong>(entry[(FirstField + (index * FieldBytes))..]);
}
