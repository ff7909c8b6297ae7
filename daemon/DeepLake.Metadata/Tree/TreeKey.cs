// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Metadata.Tree;

/// <summary>
/// Key of one item of the metadata tree. Ordered by object, then type, then offset, all unsigned
/// (proto/lakefs_format.h, struct lakefs_key).
/// </summary>
public readonly record struct TreeKey(ulong Object, uint Type, ulong Offset) : IComparable<TreeKey>
{
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
