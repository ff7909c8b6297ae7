// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using DeepLake.Abi;

namespace DeepLake.Sim;

/// <summary>Encodes intents as the kernel does: fixed part, then parts padded to 8.</summary>
internal static class IntentWriter
{
    public static byte[] Encode<T>(T intent, IntentOp op, ulong seq, params byte[][] parts)
        where T : unmanaged
    {
        int bytes = (Unsafe.SizeOf<T>() + 7) & ~7;
        int total = bytes + parts.Sum(p => (p.Length + 7) & ~7);
        byte[] entry = new byte[total];
        MemoryMarshal.Write(entry, intent);
        var header = new IntentHeader { Len = (uint)total, Op = op, Seq = seq };
        MemoryMarshal.Write(entry, header);
        foreach (byte[] part in parts)
        {
            part.CopyTo(entry, bytes);
            bytes += (part.Length + 7) & ~7;
        }

        return entry;
    }

    public static byte[] Name(string name) => Encoding.UTF8.GetBytes(name);

    public static byte[] Xattr(string name, byte[] value)
    {
        byte[] key = Name(name);
        byte[] record = new byte[8 + key.Length + value.Length];
        MemoryMarshal.Write(record, new XattrRecord { ValueBytes = (uint)value.Length, NameBytes = (ushort)key.Length });
        key.CopyTo(record, 8);
        value.CopyTo(record, 8 + key.Length);
        return record;
    }
}
