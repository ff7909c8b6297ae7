// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Format;
using DeepLake.Platform;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

[TestFixture]
public sealed class LayoutLimitTests
{
    [Test]
    public void ADeviceAboveTheLargest_IsRefused_AndTheLargestIsLaidOut()
    {
        Superblock superblock = default;
        Assert.That(
            () => LakeLayout.Place(ref superblock, LakeFormat.MaxDeviceBlocks + 1, null),
            Throws.InstanceOf<LakeFormatException>().With.Message.Contains("256 TiB at most"));
        LakeLayout.Place(ref superblock, LakeFormat.MaxDeviceBlocks, null);
        Assert.That(superblock.Data.StartBlock + superblock.Data.Blocks, Is.EqualTo(LakeFormat.MaxDeviceBlocks - 1));
    }
}
