// SPDX-License-Identifier: MPL-2.0
using DeepLake.Laked.Scrub;
using NUnit.Framework;

namespace DeepLake.Laked.Tests;

[TestFixture]
public sealed class ScrubPolicyTests
{
    [Test]
    public void WithoutARate_ItIsLess_WhileOthersUseTheLake() =>
        Assert.That(ScrubPolicy.BytesPerSecond(0, isBusy: true) * 8, Is.LessThan(ScrubPolicy.BytesPerSecond(0, isBusy: false)));

    [TestCase(5ul << 20)]
    [TestCase(500ul << 20)]
    public void ARate_IsKept(ulong asked)
    {
        Assert.That(ScrubPolicy.BytesPerSecond(asked, isBusy: true), Is.EqualTo((long)asked));
        Assert.That(ScrubPolicy.BytesPerSecond(asked, isBusy: false), Is.EqualTo((long)asked));
    }
}
