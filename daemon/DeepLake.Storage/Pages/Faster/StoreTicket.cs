// SPDX-License-Identifier: MPL-2.0
using System.Buffers.Binary;
using DeepLake.Platform;

namespace DeepLake.Storage.Faster;

/// <summary>
/// The contents of a ticket: FASTER's two metadata blobs, which index slot they mean, the addresses that
/// bound what may be overwritten, and how the log is masked. Little-endian, closed by a crc32c.
/// </summary>
internal sealed record StoreTicket
{
    private const uint Magic = 0x31504b4c; // bytes "LKP1"
    private const uint Version = 2;
    private const int FixedBytes = 4 + 4 + 8 + 8 * 5 + 4 + 16 + 16 + 4 * 4;

    /// <summary>log2 of FASTER's own page size, which addresses depend on.</summary>
    internal required int LogPageBits { get; init; }

    internal required ulong Number { get; init; }

    /// <summary>First log address that this checkpoint needs.</summary>
    internal required long BeginAddress { get; init; }

    /// <summary>The same of the checkpoint before it.</summary>
    internal required long PreviousBeginAddress { get; init; }

    internal required long TailAddress { get; init; }

    internal required long LivePages { get; init; }

    /// <summary>Log address at which the index checkpoint was taken; recovery scans the log from there.</summary>
    internal required long IndexAddress { get; init; }

    /// <summary>-1: no index checkpoint, recovery scans the whole log.</summary>
    internal required int IndexSlot { get; init; }

    /// <summary>A slot whose index is of no use, as an <see cref="IndexSlot"/>: the log is scanned, and the slot written next.</summary>
    internal static int DamagedSlot(int slot) => -2 - slot;

    internal required Guid IndexToken { get; init; }

    internal required Guid LogToken { get; init; }

    internal required byte[] IndexMetadata { get; init; }

    internal required byte[] LogMetadata { get; init; }

    internal required IReadOnlyList<IndexPiece> IndexPieces { get; init; }

    /// <summary>Of the log that this checkpoint needs, by address; at least one.</summary>
    internal required IReadOnlyList<LogSalt> Salts { get; init; }

    internal CheckpointTicket Encode()
    {
        var bytes = new byte[FixedBytes + IndexMetadata.Length + LogMetadata.Length + (IndexPieces.Count + Salts.Count) * 16 + 4];
        if (bytes.Length > CheckpointTicket.MaxBytes)
        {
            throw new StorageException(Errno.EOVERFLOW, $"a checkpoint ticket of {bytes.Length} bytes");
        }
        Span<byte> at = bytes;
        Put(ref at, Magic);
        Put(ref at, Version | (uint)LogPageBits << 16);
        Put(ref at, Number);
        Put(ref at, BeginAddress);
        Put(ref at, PreviousBeginAddress);
        Put(ref at, TailAddress);
        Put(ref at, LivePages);
        Put(ref at, IndexAddress);
        Put(ref at, (uint)IndexSlot);
        PutBytes(ref at, IndexToken.ToByteArray());
        PutBytes(ref at, LogToken.ToByteArray());
        Put(ref at, (uint)IndexMetadata.Length);
        Put(ref at, (uint)LogMetadata.Length);
        Put(ref at, (uint)IndexPieces.Count);
        Put(ref at, (uint)Salts.Count);
        PutBytes(ref at, IndexMetadata);
        PutBytes(ref at, LogMetadata);
        foreach (IndexPiece piece in IndexPieces)
        {
            Put(ref at, piece.Offset);
            Put(ref at, (uint)piece.Bytes);
            Put(ref at, piece.Crc32C);
        }
        foreach (LogSalt salt in Salts)
        {
            Put(ref at, salt.Address);
            Put(ref at, salt.Salt);
        }
        Put(ref at, Crc32C.Compute(bytes.AsSpan(0, bytes.Length - 4)));
        return new CheckpointTicket(bytes);
    }

    internal static StoreTicket Decode(CheckpointTicket ticket)
    {
        ReadOnlySpan<byte> at = ticket.Bytes;
        if (at.Length < FixedBytes + 4 ||
            BinaryPrimitives.ReadUInt32LittleEndian(at) != Magic ||
            BinaryPrimitives.ReadUInt16LittleEndian(at[4..]) != Version ||
            BinaryPrimitives.ReadUInt32LittleEndian(at[^4..]) != Crc32C.Compute(at[..^4]))
        {
            throw StorageException.Corruption("the page store's part of the checkpoint ticket does not match its checksum");
        }
        int logPageBits = BinaryPrimitives.ReadUInt16LittleEndian(at[6..]);
        at = at[8..^4];
        ulong number = (ulong)TakeLong(ref at);
        long begin = TakeLong(ref at);
        long previousBegin = TakeLong(ref at);
        long tail = TakeLong(ref at);
        long livePages = TakeLong(ref at);
        long indexAddress = TakeLong(ref at);
        int slot = (int)TakeUInt(ref at);
        var indexToken = new Guid(TakeBytes(ref at, 16));
        var logToken = new Guid(TakeBytes(ref at, 16));
        uint indexBytes = TakeUInt(ref at);
        uint logBytes = TakeUInt(ref at);
        uint pieces = TakeUInt(ref at);
        uint salts = TakeUInt(ref at);
        if (slot is < -1 or > 1 || begin < 0 || previousBegin < 0 || previousBegin > begin || begin > tail || tail % sizeof(ulong) != 0 || livePages < 0 ||
            salts is 0 or > LogMask.MaxSalts || indexBytes + (ulong)logBytes + (pieces + (ulong)salts) * 16 != (ulong)at.Length)
        {
            throw StorageException.Corruption("the page store's part of the checkpoint ticket contradicts itself");
        }
        byte[] indexMetadata = TakeBytes(ref at, (int)indexBytes).ToArray();
        byte[] logMetadata = TakeBytes(ref at, (int)logBytes).ToArray();
        var list = new List<IndexPiece>((int)pieces);
        for (uint i = 0; i < pieces; i++)
        {
            list.Add(new IndexPiece(TakeLong(ref at), (int)TakeUInt(ref at), TakeUInt(ref at)));
        }
        var saltList = new List<LogSalt>((int)salts);
        for (uint i = 0; i < salts; i++)
        {
            var salt = new LogSalt(TakeLong(ref at), (ulong)TakeLong(ref at));
            if (salt.Address < 0 || salt.Address % sizeof(ulong) != 0 || (i > 0 && salt.Address <= saltList[^1].Address))
            {
                throw StorageException.Corruption("the page store's part of the checkpoint ticket has its salts in no order");
            }
            saltList.Add(salt);
        }
        return new StoreTicket
        {
            LogPageBits = logPageBits,
            Number = number,
            BeginAddress = begin,
            PreviousBeginAddress = previousBegin,
            TailAddress = tail,
            LivePages = livePages,
            IndexAddress = indexAddress,
            IndexSlot = slot,
            IndexToken = indexToken,
            LogToken = logToken,
            IndexMetadata = indexMetadata,
            LogMetadata = logMetadata,
            IndexPieces = list,
            Salts = saltList,
        };
    }

    private static void Put(ref Span<byte> at, uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(at, value);
        at = at[4..];
    }

    private static void Put(ref Span<byte> at, ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(at, value);
        at = at[8..];
    }

    private static void Put(ref Span<byte> at, long value) => Put(ref at, (ulong)value);

    private static void PutBytes(ref Span<byte> at, ReadOnlySpan<byte> value)
    {
        value.CopyTo(at);
        at = at[value.Length..];
    }

    private static long TakeLong(ref ReadOnlySpan<byte> at) => BinaryPrimitives.ReadInt64LittleEndian(TakeBytes(ref at, 8));

    private static uint TakeUInt(ref ReadOnlySpan<byte> at) => BinaryPrimitives.ReadUInt32LittleEndian(TakeBytes(ref at, 4));

    private static ReadOnlySpan<byte> TakeBytes(ref ReadOnlySpan<byte> at, int count)
    {
        ReadOnlySpan<byte> taken = at[..count];
        at = at[count..];
        return taken;
    }
}
