// SPDX-License-Identifier: MPL-2.0
using NUnit.Framework;

namespace DeepLake.Cli.Tests;

/// <summary>Each test has a folder of its own, which is gone afterwards.</summary>
public abstract class ScratchFixture
{
    private protected Scratch _scratch = null!;

    [SetUp]
    public void MakeScratch() => _scratch = new Scratch();

    [TearDown]
    public void RemoveScratch() => _scratch.Dispose();
}
