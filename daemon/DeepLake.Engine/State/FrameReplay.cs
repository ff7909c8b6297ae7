// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata;
using DeepLake.Platform;

namespace DeepLake.Engine.State;

/// <summary>Applies the frames of a log to a state, one after the other; what the state has already is left out.</summary>
internal sealed class FrameReplay(LakeState state, IntentApplier applier)
{
    private readonly ReplayReadAhead _ahead = new(state);

    private bool _hasBegun;

    /// <summary>Intents applied. Entries of the daemon's own, which have no number, are none.</summary>
    public ulong Replayed { get; private set; }

    /// <summary>Called before the first.</summary>
    public Action? Begins { get; init; }

    /// <summary>Called before each: the page store has to have room for it.</summary>
    public required Action MakeRoom { get; init; }

    /// <exception cref="MetadataCorruptException">An entry is malformed.</exception>
    /// <exception cref="IntentFaultException">An entry is impossible in this state.</exception>
    public void Apply(in WalFrame header, ReadOnlySpan<byte> payload)
    {
        // a checkpoint of an earlier recovery may lie within this frame
        bool isBegun = header.FirstSeq != 0 && header.FirstSeq <= state.Counters.AppliedSeq;
        int openBytes = isBegun ? BytesBehindApplied(payload, state.Counters.AppliedSeq) : payload.Length;
        while (!payload.IsEmpty)
        {
            int bytes = payload.Length < 16 ? 0 : (int)Math.Min(MemoryMarshal.Read<uint>(payload), int.MaxValue);
            if (bytes < 16 || bytes > payload.Length)
            {
                throw new MetadataCorruptException($"the log's frame {header.Lsn} holds a malformed entry");
            }

            _ahead.Before(payload);
            ReadOnlySpan<byte> entry = payload[..bytes];
            payload = payload[bytes..];
            bool isBehind = payload.Length + bytes <= openBytes;
            if (IsApplied(entry, isBehind))
            {
                continue;
            }

            if (!_hasBegun)
            {
                _hasBegun = true;
                Begins?.Invoke();
            }

            MakeRoom();
            applier.Apply(entry);
            Replayed += MemoryMarshal.Read<IntentHeader>(entry).Seq == 0 ? 0ul : 1ul;
        }

        state.Space.ReleaseQuarantine(ulong.MaxValue);
    }

    /// <summary>Whether the checkpoint holds an entry; of one without a seq its place in the frame tells.</summary>
    private bool IsApplied(ReadOnlySpan<byte> entry, bool isBehind)
    {
        ulong seq = MemoryMarshal.Read<IntentHeader>(entry).Seq;
        if (Planted.Is(PlantedFault.ReplaySkipsAnEntry) && seq % 32 == 31)
        {
            return true;
        }

        if (seq == 0)
        {
            return !isBehind;
        }

        return seq <= state.Counters.AppliedSeq && !Planted.Is(PlantedFault.ReplayRepeatsAnEntry);
    }

    /// <summary>
    /// What of a frame's payload is behind its last entry that is applied. Entries without a seq right there
    /// may be applied or not; the state is the one that they were made for, and once more they change nothing.
    /// </summary>
    private static int BytesBehindApplied(ReadOnlySpan<byte> payload, ulong appliedSeq)
    {
        int behind = payload.Length;
        while (payload.Length >= 16)
        {
            IntentHeader header = MemoryMarshal.Read<IntentHeader>(payload);
            if (header.Len < 16 || header.Len > (uint)payload.Length)
            {
                break;
            }

            payload = payload[(int)header.Len..];
            if (header.Seq != 0 && header.Seq <= appliedSeq)
            {
                behind = payload.Length;
            }
        }

        return behind;
    }
}
