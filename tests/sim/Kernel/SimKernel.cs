// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Sim;

/// <summary>
/// A kernel in miniature: makes random valid changes to a tree in its memory, numbers them, keeps every
/// record until it is durable, holds leases, writes data before it records the map, and believes nothing
/// that an engine answers. Deterministic by seed.
/// </summary>
internal sealed partial class SimKernel
{
    private readonly Random _random;
    private readonly KernelMix _mix;
    private readonly IBlockDevice? _data;
    private readonly List<ulong> _directories = [LakeFormat.RootIno];
    private readonly List<ulong> _others = [];
    private readonly Contents _contents;
    private ModelTree _tree;
    private ModelTree _base;
    private ulong _names;

    /// <param name="seed">What it does.</param>
    /// <param name="mix">What its programs like to do.</param>
    /// <param name="data">Where file data goes; null: nowhere.</param>
    public SimKernel(int seed, KernelMix? mix = null, IBlockDevice? data = null)
    {
        _random = new Random(seed);
        _mix = mix ?? new KernelMix();
        _data = data;
        _contents = new Contents();
        _tree = ModelTree.CreateEmpty(_contents);
        _base = ModelTree.CreateEmpty(_contents);
    }

    /// <summary>Every record of this boot, the first has seq <see cref="FirstSeq"/> + 1.</summary>
    public List<byte[]> Records { get; } = [];

    /// <summary>What the lake held when this kernel mounted it.</summary>
    public ulong FirstSeq { get; private set; }

    public ulong LastSeq => FirstSeq + (ulong)Records.Count;

    /// <summary>The last record that was put into a ring.</summary>
    public ulong SentSeq { get; private set; }

    /// <summary>The last one that any daemon of this boot got.</summary>
    public ulong MostSent { get; private set; }

    /// <summary>The last one that a commit said is durable.</summary>
    public ulong AckedSeq { get; private set; }

    /// <summary>Somebody waits for this one to be durable.</summary>
    public ulong WantedSeq { get; set; }

    /// <summary>The daemon says that metadata is full.</summary>
    public bool IsFull { get; set; }

    /// <summary>What whole blocks hold.</summary>
    public Contents Contents => _contents;

    /// <summary>The tree with every change in it.</summary>
    public ModelTree Tree => _tree;

    /// <summary>What each regular file maps.</summary>
    public IEnumerable<(ulong Ino, SortedDictionary<ulong, ModelBlock> Blocks)> Maps =>
        _tree.Inodes.Values.Where(i => i.IsRegular).Select(i => (i.Ino, i.Blocks));

    private LakeTime Now => new() { Sec = 1_700_000_000 + (long)LastSeq, Nsec = (uint)_random.Next(1_000_000_000) };

    /// <summary>One random change, told at once to an engine that commits by itself.</summary>
    public void Step(LakeEngine engine)
    {
        Acknowledge(Math.Min(engine.DurableSeq, SentSeq));
        Change(engine);
        Send(engine, int.MaxValue);
    }

    /// <summary>One random change. The engine is only asked for leases.</summary>
    public void Change(LakeEngine engine)
    {
        int[] weights =
        [
            _mix.Create, _mix.CreateDirectory, _mix.CreateTemporary, _mix.Link, _mix.Unlink, _mix.Rename, _mix.SetAttributes,
            _mix.Xattr, _mix.Map, _mix.Overwrite, _mix.Punch, _mix.Reflink, _mix.Shift, _mix.Copy, _mix.Move, _mix.Release,
        ];
        int pick = _random.Next(weights.Sum());
        int kind = 0;
        while (pick >= weights[kind])
        {
            pick -= weights[kind++];
        }

        bool isCrowded = _tree.Inodes.Count >= _mix.MaxInodes;
        switch (kind)
        {
            case < 3 when isCrowded: Unlink(); break;
            case 0: Create(engine, directory: false); break;
            case 1: Create(engine, directory: true); break;
            case 2: CreateTemporary(engine); break;
            case 3: Link(); break;
            case 4: Unlink(); break;
            case 5: Rename(engine); break;
            case 6: SetAttributes(); break;
            case 7: Xattr(); break;
            case 8: Map(engine); break;
            case 9: OverwriteInPlace(); break;
            case 10: Punch(); break;
            case 11: Clone(); break;
            case 12: Shift(); break;
            case 13: WriteCopy(engine); break;
            case 14: MoveOrShare(engine); break;
            default: Release(); break;
        }

        WriteInPlace();
    }

    /// <summary>Puts up to so many records into the ring, and has them applied.</summary>
    public void Send(LakeEngine engine, int count)
    {
        for (; count > 0 && SentSeq < LastSeq; count--)
        {
            byte[] record = Records[(int)(SentSeq - FirstSeq)];
            SentSeq++;
            MostSent = Math.Max(MostSent, SentSeq);
            engine.Apply(record);
        }
    }

    /// <summary>A commit came back.</summary>
    public void Acknowledge(ulong durableSeq)
    {
        if (durableSeq > SentSeq)
        {
            throw new SimulationException($"{durableSeq} is said to be durable, {SentSeq} was sent");
        }

        AckedSeq = Math.Max(AckedSeq, durableSeq);
    }

    /// <summary>Damaged frames took with them what was acknowledged after this one; it does not come back.</summary>
    public void Lose(ulong seq) => AckedSeq = Math.Min(AckedSeq, seq);

    /// <summary>A successor of a daemon that died has recovered: the end of READY.</summary>
    public void Attach(LakeEngine engine)
    {
        if (engine.AppliedSeq < AckedSeq)
        {
            throw new SimulationException($"the successor has {engine.AppliedSeq}, {AckedSeq} was acknowledged");
        }

        Declare(engine);
        AckedSeq = engine.AppliedSeq;
        SentSeq = AckedSeq;
        MostSent = Math.Max(MostSent, SentSeq);
        if (Planted.Is(PlantedFault.SequenceGapAccepted) && SentSeq + 1 < LastSeq)
        {
            SentSeq++;
        }
    }

    /// <summary>Sends again what is not known to be durable.</summary>
    public void Resend(LakeEngine engine)
    {
        SentSeq = AckedSeq;
        Send(engine, int.MaxValue);
    }

    /// <summary>The oldest record that <see cref="TreeAt"/> still knows.</summary>
    public ulong OldestSeq => _base.Seq;

    /// <summary>The tree as of a record of this boot that is not older than what is acknowledged.</summary>
    /// <param name="seq">That record.</param>
    /// <param name="floor">The oldest one that will be asked for again.</param>
    public ModelTree TreeAt(ulong seq, ulong floor)
    {
        if (seq == LastSeq)
        {
            return _tree;
        }

        Advance(_base, Math.Min(floor, seq));
        ModelTree tree = _base.Copy();
        Advance(tree, seq);
        return tree;
    }

    /// <summary>The machine started again and mounts a lake that holds this.</summary>
    public void Boot(ModelTree tree, ulong boot)
    {
        _tree = tree.Copy();
        _tree.Boot = boot;
        foreach (ModelInode inode in _tree.Inodes.Values)
        {
            foreach ((ulong block, ModelBlock value) in inode.Blocks.ToArray())
            {
                inode.Blocks[block] = value with { IsMarked = true }; // until the daemon says otherwise
            }
        }

        _base = _tree.Copy();
        Records.Clear();
        FirstSeq = SentSeq = AckedSeq = MostSent = tree.Seq;
        WantedSeq = 0;
        IsFull = false;
        ForgetLeases();
        Watch();
        _directories.Clear();
        _others.Clear();
        foreach (ModelInode inode in _tree.Inodes.Values.OrderBy(i => i.Ino))
        {
            (inode.IsDirectory && inode.Nlink > 0 ? _directories : _others).Add(inode.Ino);
        }
    }

    private void Advance(ModelTree tree, ulong seq)
    {
        while (tree.Seq < seq)
        {
            tree.Apply(Records[(int)(tree.Seq - FirstSeq)]);
        }
    }

    private void Record<T>(T intent, IntentOp op, params byte[][] parts)
        where T : unmanaged
    {
        byte[] record = IntentWriter.Encode(intent, op, LastSeq + 1, parts);
        Records.Add(record);
        Watch();
        _tree.Apply(record);
    }

    private void Watch()
    {
        _tree.OnFreed ??= (phys, seq) => _freedBy[phys] = seq;
        _tree.OnUnshared ??= (phys, seq) => _unsharedBy[phys] = seq;
    }

    private ModelInode Pick(List<ulong> from) => _tree.Inodes[from[_random.Next(from.Count)]];

    private string NewName() => $"{new string('n', _random.Next(1, 60))}{_names++}";

    /// <summary>A file whose content others have, too, or once had.</summary>
    public static bool HoldsCopy(ModelInode inode) => inode.Blocks.Count > 0 && ModelTree.IsCopied(inode.Blocks.First().Value.Base);

    private ModelInode? PickRegular()
    {
        for (int i = 0; i < 5 && _others.Count > 0; i++)
        {
            ModelInode inode = Pick(_others);
            // copies are left alone now and then, so that some are found to be equal
            if (inode.IsRegular && !(HoldsCopy(inode) && _random.Next(3) > 0))
            {
                return inode;
            }
        }

        return null;
    }
}
