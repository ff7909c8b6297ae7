// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;

namespace DeepLake.Metadata.Tree;

/// <summary>
/// Key of one item of the metadata tree. Ordered by object, then type, then offset, all unsigned
/// (proto/lakefs_format.h, struct lakefs_key).
/// </summary>
public readonly record struct TreeKey(ulong Object, uint Type, ulong Offset) : IComparable<TreeKey>
{
    /// <summary>Above every key in use.</summary>
    public static readonly TreeKey Max = new(ulong.MaxValue, uint.MaxValue, ulong.MaxValue);

    /// <summary>Whether the key is in [low, high).</summary>
    public bool IsIn(in TreeKey low, in TreeKey high) => !IsBelow(low) && IsBelow(high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsBelow(in TreeKey other) =>
        Object != other.Object ? Object < other.Object
        : Type != other.Type ? Type < other.Type
        : Offset < other.Offset;

    public int CompareTo(TreeKey other)
    {
        if (Object != other.Object)
        {
            return Object < other.Object ? -1 : 1;
        }

        if (Type != other.Type)
        {
            return Type < other.Type ? -1 : 1;
        }

        return Offset == other.Offset ? 0 : Offset < other.Offset ? -1 : 1;
    }

    public static bool operator <(TreeKey left, TreeKey right) => left.CompareTo(right) < 0;

    public static bool operator >(TreeKey left, TreeKey right) => left.CompareTo(right) > 0;

    public static bool operator <=(TreeKey left, TreeKey right) => left.CompareTo(right) <= 0;

    public static bool operator >=(TreeKey left, TreeKey right) => left.CompareTo(right) >= 0;

    public override string ToString() => $"({Object}, {Type}, {Offset})";
}
