// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Lakectl.Output;

/// <summary>Numbers of things, as a sentence has them.</summary>
internal static class Amounts
{
    internal static string Of(ulong number, string what) => number == 1 ? $"1 {what}" : $"{number} {what}s";
}
