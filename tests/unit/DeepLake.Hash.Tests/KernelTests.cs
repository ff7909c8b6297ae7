// SPDX-License-Identifier: MPL-2.0
using DeepLake.Hash.Kernels;
using NUnit.Framework;

namespace DeepLake.Hash.Tests;

/// <summary>What a kernel does with many inputs at once is what one input after the other gives.</summary>
[TestFixture]
public sealed unsafe class KernelTests
{
    public static IEnumerable<string> Names => Backends.Names;

    [TestCaseSource(nameof(Names))]
    public void ManyInputs_GiveWhatEachGivesAlone(string name)
    {
        HashKernel kernel = Backends.Get(name);
        byte[] bytes = new byte[HashKernel.MaxInputs * 1024];
        new Random(5).NextBytes(bytes);
        byte** inputs = stackalloc byte*[HashKernel.MaxInputs];
        byte[] results = new byte[HashKernel.MaxInputs * HashKernel.HashBytes];
        byte[] expected = new byte[HashKernel.HashBytes];
        fixed (byte* data = bytes, made = results, one = expected)
        {
            foreach (int blocks in new[] { 1, 2, 3, 16 })
            {
                // the upper half of the counter changes among them
                ulong counter = blocks == 1 ? 0 : uint.MaxValue - 1UL;
                uint step = blocks == 1 ? 0u : 1u;
                BlockFlags flags = blocks == 1 ? BlockFlags.ParentNode : BlockFlags.Chunk;
                for (int count = 1; count <= HashKernel.MaxInputs; count++)
                {
                    for (int i = 0; i < count; i++)
                    {
                        inputs[i] = data + 1024 * (HashKernel.MaxInputs - 1 - i);
                    }
                    results.AsSpan().Fill(0xAA);
                    kernel.HashMany(inputs, count, blocks, counter, step, flags, 0, made);
                    for (int i = 0; i < count; i++)
                    {
                        HashKernel.Scalar.HashMany(inputs + i, 1, blocks, counter + (ulong)i * step, step, flags, 0, one);
                        Assert.That(results.AsSpan(32 * i, 32).SequenceEqual(expected), $"{count} inputs of {blocks} blocks, number {i}");
                    }
                    Assert.That(results.AsSpan(32 * count).IndexOfAnyExcept((byte)0xAA), Is.EqualTo(-1), $"{count} inputs of {blocks} blocks: nothing is written behind the results");
                }
            }
        }
    }
}
