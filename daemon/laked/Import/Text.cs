// SPDX-License-Identifier: MPL-2.0
using System.Text;

namespace DeepLake.Laked.Import;

/// <summary>Names for messages; bytes that are no UTF-8 show as replacement characters.</summary>
internal static class Text
{
    internal static string Of(ReadOnlySpan<byte> name) => Encoding.UTF8.GetString(name.TrimEnd((byte)0));
}
