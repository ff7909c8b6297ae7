// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Hash;
using DeepLake.Metadata.Tree;

namespace DeepLake.Sim;

/// <summary>What a recovery found.</summary>
internal sealed partial class Simulation
{
    private void VerifyRecovered(LakeEngine engine)
    {
        ulong seq = engine.AppliedSeq;
        ulong floor = DeviceLied ? _sink.Floor() : _kernel.AckedSeq;
        Log?.Invoke(
            $"recovered {seq} (acknowledged {_kernel.AckedSeq}, sent {_kernel.MostSent}), epoch {engine.Epoch}, "
            + $"replayed {engine.ReplayedIntents}, clean {engine.WasClean}, fell back {engine.FellBack}");
        Require(seq >= floor, $"{floor} was acknowledged, {seq} is there");
        Require(seq <= _kernel.MostSent, $"{_kernel.MostSent} was sent, {seq} is there");
        Require(!engine.FellBack || DeviceLied, "the newest checkpoint could not be used");
        Require(seq >= _kernel.AckedSeq || engine.LogLoss is not null || _mayLoseFramesSilently, $"{_kernel.AckedSeq} was acknowledged, {seq} is there, and nothing tells of it");
        Require(engine.LogLoss is null || DeviceLied, $"the log is told to be damaged: {engine.LogLoss}");
        if (_isMounted && seq < _kernel.AckedSeq)
        {
            _isRefused = true; // by the kernel: READY says that state was lost
            return;
        }

        // (which is known to be a device that lies); of a mount: its superblock, and the frame that says it began
        bool isMountLost = engine.Epoch < _epoch;
        Require(!isMountLost || engine.LogLoss is not null || _mayLoseFramesSilently, $"epoch {_epoch} was mounted, {engine.Epoch} is there, and nothing tells of it");
        _hasLostFrames |= seq < _kernel.AckedSeq || isMountLost;
        _kernel.Lose(seq);

        if (!DeviceLied)
        {
            Require(!_mustBeClean || engine.WasClean, "the lake was unmounted, and is not clean");
            Require(_mayBeClean || !engine.WasClean, "the lake was in use, and is told to be clean");
        }

        VerifyEpoch(engine);
        NoteArchive(engine);
        Require(!_isInterrupted || _wasInterrupted || DeviceLied || _device.Faults > 0, "the archive is found interrupted, and it was not before");
        ModelTree tree = _kernel.TreeAt(seq, DeviceMayLie ? _kernel.FirstSeq : floor);
        tree = engine.Epoch > _epoch ? Reaped(tree) : isMountLost && seq == _kernel.FirstSeq ? _beforeMount! : tree;
        RequireClean(() => Lake.Check(engine), "the recovered lake");
        new StateComparer(engine).CompareAll(tree);
        VerifyData(tree, seq);
        if (!DeviceLied)
        {
            VerifyIdentities(engine, tree);
            DamageAPackSometimes(engine, tree);
        }
    }

    /// <summary>The epoch of a mount is there with its first record; one that was not answered may be.</summary>
    private void VerifyEpoch(LakeEngine engine)
    {
        Require(DeviceLied || engine.Epoch >= _epoch, $"epoch {_epoch} was mounted, {engine.Epoch} is there");
        Require(!_isMounted || DeviceLied || engine.Epoch == _epoch, $"epoch {_epoch} is mounted, {engine.Epoch} is there");
    }

    /// <summary>Each block holds what the record that mapped it was made for, or what was written in place later.</summary>
    private void VerifyData(ModelTree tree, ulong seq)
    {
        _packsRead.Clear();
        byte[] data = new byte[LakeFormat.BlockSize];
        var found = new Dictionary<ulong, ulong>();
        foreach (ModelInode inode in tree.Inodes.Values)
        {
            foreach ((ulong fileBlock, ModelBlock block) in inode.Blocks)
            {
                if (block.IsUnwritten)
                {
                    continue;
                }

                string where = $"inode {inode.Ino}, block {fileBlock}";
                if (block.IsPacked)
                {
                    found[block.Base] = VerifyPacked(where, block);
                    continue;
                }

                (ulong least, ulong most) = _kernel.VersionsAt(block.Base, seq, block.IsSealed || tree.Refs[block.Phys] > 1);
                _device.Peek(data, Bytes(block.Phys));
                found[block.Base] = VerifyBlock(where, data, block.Phys, block.Base, block.IsChecked, least, block.IsSkewed ? 0 : most);
                // what took the checksum back, so that it could be written in place, may be lost: it is no evidence after such an end
                Require(!block.HasCrc || _hasLostFrames || DataBlock.Crc(data) == block.Crc, $"{where}: the data is not what its checksum is of");
                if (block.IsSkewed)
                {
                    _device.Peek(data, Bytes(block.Phys + 1));
                    found[block.Behind] = VerifyBlock(where, data, block.Phys + 1, block.Behind, isChecked: true, 0, 0);
                }
            }
        }

        if (!_isMounted)
        {
            _kernel.SetVersions(found, isCertain: !_device.HasUnflushed);
        }
    }

    /// <summary>
    /// A block of the device; returns how often it was written in place. When acknowledged frames are lost, which was
    /// told, what they had freed may hold what others wrote since.
    /// </summary>
    private ulong VerifyBlock(string where, byte[] data, ulong phys, ulong contents, bool isChecked, ulong least, ulong most)
    {
        ulong version = 0;
        if (Contents.IsMade(contents))
        {
            Require(_hasLostFrames || data.AsSpan().SequenceEqual(_kernel.Contents.Of(contents)), $"{where} at {phys} does not hold what was written");
        }
        else
        {
            (ulong held, version) = DataBlock.Parse(data);
            if (held != contents && _hasLostFrames)
            {
                return most;
            }

            Require(
                held == contents && version >= least && version <= most,
                $"{where} at {phys} holds {held:x}.{version}, it has to be {contents:x}.{least} to {most}");
        }

        Require(
            !isChecked || DeviceLied || DataBlock.Crc(data) == Entry(phys),
            $"{where} at {phys}: the data is not what the checksum table says");
        return version;
    }

    /// <summary>An identity that holds is that of what the device has.</summary>
    private void VerifyIdentities(LakeEngine engine, ModelTree tree)
    {
        var hasher = new Blake3Hasher();
        byte[] data = new byte[2 * LakeFormat.BlockSize];
        BTree items = engine.TreeForCheck();
        foreach (ModelInode inode in tree.Inodes.Values.Where(i => i.IsRegular))
        {
            if (!items.TryGet(new TreeKey(inode.Ino, (uint)ItemType.Object, 0), out ReadOnlySpan<byte> item))
            {
                continue;
            }

            ObjectItem identity = MemoryMarshal.Read<ObjectItem>(item);
            if (identity.DataSeq != inode.DataSeq || identity.Size != inode.Size)
            {
                continue;
            }

            hasher.Reset();
            ulong at = 0;
            foreach ((ulong fileBlock, ModelBlock block) in inode.Blocks.Where(b => !b.Value.IsUnwritten))
            {
                ulong from = fileBlock * LakeFormat.BlockSize;
                if (from >= inode.Size)
                {
                    break;
                }

                hasher.AppendZeros((long)(from - at));
                int bytes = (int)Math.Min(inode.Size - from, LakeFormat.BlockSize);
                if (block.IsPacked)
                {
                    hasher.Append(ReadPacked($"inode {inode.Ino}, block {fileBlock}", block)[..bytes]);
                }
                else
                {
                    _device.Peek(data.AsSpan(0, (block.IsSkewed ? 2 : 1) * LakeFormat.BlockSize), Bytes(block.Phys));
                    hasher.Append(data.AsSpan((int)block.Skew, bytes));
                }

                at = from + (ulong)bytes;
            }

            hasher.AppendZeros((long)(inode.Size - at));
            Require(hasher.Finish() == Blake3Hash.Read(identity.Id), $"the identity of inode {inode.Ino} is not that of what it holds");
            Identities++;
        }
    }

    /// <summary>What the checksum table has of a block.</summary>
    private uint Entry(ulong phys)
    {
        byte[] entry = new byte[sizeof(uint)];
        _device.Peek(entry, Bytes(_sink.Layout.Sums.StartBlock) + ((long)(phys - _sink.Layout.Data.StartBlock) * sizeof(uint)));
        return BitConverter.ToUInt32(entry);
    }
}
