// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Sim;

/// <summary>
/// What whole blocks hold, by the number that a map's record leads to: most say it in their first bytes, some
/// were made of bytes of others, some were moved. Knows all of a simulation.
/// </summary>
internal sealed class Contents
{
    private const ulong MadeBase = 0xfffe_0000_0000_0000;
    private const ulong MovedBase = MadeBase | (1ul << 47);
    private const long MadeSec = 2; // a time that no other record has

    private readonly Dictionary<ulong, byte[]> _made = [];

    /// <summary>Takes up the next blocks; the times of the record that maps them say which they are.</summary>
    public LakeTime Add(byte[][] blocks)
    {
        var time = new LakeTime { Sec = MadeSec, Nsec = ModelTree.CopiedContents + (uint)_made.Count };
        for (int i = 0; i < blocks.Length; i++)
        {
            _made.Add(MadeBase | (time.Nsec + (uint)i), blocks[i]);
        }

        return time;
    }

    /// <summary>The number of a block that a record gave another place, where it has these bytes.</summary>
    public ulong Move(ulong boot, ulong seq, int index, Func<byte[]> bytes)
    {
        ulong number = MovedBase | (boot << 40) | (seq << 12) | (uint)index;
        if (!_made.ContainsKey(number))
        {
            _made.Add(number, bytes());
        }

        return number;
    }

    /// <summary>All bytes of a block, as they were written first.</summary>
    public byte[] Of(ulong contents) => IsMade(contents) ? _made[contents] : DataBlock.Block(contents);

    public static bool IsMade(ulong contents) => contents >> 48 == MadeBase >> 48;

    /// <summary>The number of a block that a record with these times maps; null: it was not made of others.</summary>
    public static ulong? BaseOf(LakeTime time, int index) => time.Sec == MadeSec ? MadeBase | (time.Nsec + (uint)index) : null;
}
