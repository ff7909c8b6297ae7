// SPDX-License-Identifier: MPL-2.0
using NUnit.Framework;

namespace DeepLake.Hash.Tests;

[TestFixture]
public sealed class BatchHasherTests
{
    public static IEnumerable<string> BackendNames => Backends.Names;

    [TestCaseSource(nameof(BackendNames))]
    public void Batches_OfAnySizes_AreTheHashesOneByOne(string backend)
    {
        byte[] data = Samples.Random(2 << 20, 13);
        var random = new Random(14);
        var hasher = new BatchHasher(Backends.Get(backend));
        for (int round = 0; round < 40; round++)
        {
            var inputs = new ByteRange[random.Next(0, 200)];
            int kind = random.Next(4);
            for (int i = 0; i < inputs.Length; i++)
            {
                int length = kind switch
                {
                    0 => random.Next(70),
                    1 => random.Next(2100),
                    2 => 1024 * random.Next(20),
                    _ => random.Next(1 << random.Next(1, 20)),
                };
                inputs[i] = new ByteRange(random.Next(data.Length - length), length);
            }
            var results = new Blake3Hash[inputs.Length];
            hasher.Hash(data, inputs, results);
            for (int i = 0; i < inputs.Length; i++)
            {
                Assert.That(results[i] == Blake3.Hash(data.AsSpan(inputs[i].Start, inputs[i].Length)), $"round {round}, {inputs[i]}");
            }
        }
    }

    [Test]
    public void InputsOutsideTheData_AreRefused()
    {
        var hasher = new BatchHasher();
        var results = new Blake3Hash[2];
        Assert.That(() => hasher.Hash(new byte[10], [new ByteRange(5, 6)], results), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => hasher.Hash(new byte[10], [new ByteRange(-1, 2)], results), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => hasher.Hash(new byte[10], [new(0, 1), new(0, 1), new(0, 1)], results), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }
}
