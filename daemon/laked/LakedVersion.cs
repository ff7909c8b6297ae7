// SPDX-License-Identifier: MPL-2.0
using System.Reflection;

namespace DeepLake.Laked;

/// <summary>The version of this build.</summary>
internal static class LakedVersion
{
    internal static string Text { get; } = typeof(LakedVersion).Assembly.GetName().Version is { } v ? v.ToString(3) : "unknown";
}
