// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>The engine makes room in its log by itself, wherever in the region the log has come to.</summary>
[TestFixture]
public sealed class LogRoomTests
{
    private const int Entries = 150;

    /// <summary>A frame that did not fit before the end of the region once found no room at its start.</summary>
    [Test]
    public void AFullFrame_AlwaysFindsRoom_WhereverTheLogHasCome([Values(8, 10, 12, 14)] int before, [Values(96, 97, 98)] int small)
    {
        using var device = new MemoryBlockDevice(128L << 20);
        Lake.Format(device);
        ulong seq;
        using (LakeEngine engine = Lake.Open(device))
        {
            Lake.Mount(engine);
            seq = engine.AppliedSeq;
            for (int i = 0; i < before; i++)
            {
                Set(engine, ++seq);
            }

            engine.Checkpoint();
            engine.Checkpoint();
            for (int i = 0; i < Entries; i++)
            {
                Set(engine, ++seq);
                if (i < small)
                {
                    engine.Commit();
                }
            }

            engine.Commit();
        }

        using LakeEngine again = Lake.Open(device);
        Assert.That(again.AppliedSeq, Is.EqualTo(seq));
        Assert.That(Lake.Check(again).Findings, Is.Empty);
    }

    private static void Set(LakeEngine engine, ulong seq)
    {
        byte[] value = new byte[LakeFormat.XattrValueMax - 100];
        var intent = new IntentXattr { Ino = 1, Action = XattrAction.Set, NameBytes = 6, ValueBytes = (uint)value.Length };
        engine.Apply(IntentWriter.Encode(intent, IntentOp.Xattr, seq, [.. IntentWriter.Name("user.a"), .. value]));
    }
}
