// SPDX-License-Identifier: MPL-2.0
using DeepLake.Hash.Kernels;

namespace DeepLake.Hash.Tests;

/// <summary>The kernels this processor can run, by name.</summary>
internal static class Backends
{
    private static readonly HashKernel[] All = [.. new[] { HashKernel.Scalar, HashKernel.Avx2Only, HashKernel.Avx512 }.OfType<HashKernel>()];

    public static IEnumerable<string> Names => All.Select(k => k.Name);

    public static HashKernel Get(string name) => All.Single(k => k.Name == name);
}
