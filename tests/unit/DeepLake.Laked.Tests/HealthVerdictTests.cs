// SPDX-License-Identifier: MPL-2.0
using DeepLake.Control;
using DeepLake.Laked.Control;
using NUnit.Framework;

namespace DeepLake.Laked.Tests;

[TestFixture]
public sealed class HealthVerdictTests
{
    private LakeHealth _lake = null!;

    [SetUp]
    public void SetUp()
    {
        _lake = new LakeHealth { IsOpen = true, Scrub = new ScrubReport { State = "never" }, Stats = new LakeStats { State = "serving", DataBlocks = 10_000, FreeBlocks = 5_000 } };
        _lake.Stats.Counters["metadata_pages"] = 10;
        _lake.Stats.Counters["metadata_capacity_pages"] = 1000;
    }

    [Test]
    public void ALakeThatIsAsItShouldBe_IsHealthy() => Expect("healthy");

    [Test]
    public void AnUncleanEnd_NeedsNobody()
    {
        _lake.Stats.ReplayedIntents = 700;
        Expect("healthy");
    }

    [Test]
    public void DamageThatAFileMaps_IsDamage_AndNamesIt()
    {
        _lake.Scrub.Damaged.Add(Range(20, "/a/b", 4096));
        _lake.Scrub.DamagedBlocks = 1;
        Expect("damaged", "damaged_data");
        Assert.That(_lake.Findings[0].Cause, Does.StartWith("/a/b: bytes 4096 to 8191 differ"));
        Assert.That(_lake.Findings[0].NextStep, Is.Not.Empty);
    }

    [Test]
    public void DamageThatNobodyMapsAnyMore_IsNone()
    {
        _lake.Scrub.Damaged.Add(Range(20, "/a", 0, gone: true));
        _lake.Scrub.EndedDamagedBlocks = 1;
        _lake.DamagedReads = 3;
        Expect("healthy");
    }

    [Test]
    public void WhatProgramsMet_IsToldOnce_WhenTheScrubKnowsIt()
    {
        _lake.Scrub.Damaged.Add(Range(20, "/a", 4096));
        _lake.Scrub.DamagedBlocks = 1;
        _lake.DamagedReads = 2;
        DamagedRange read = Range(20, "/a", 4096);
        read.Kind = "read";
        _lake.Reads.Add(read);
        Expect("damaged", "damaged_data");
        _lake.Findings.Clear();
        read.FirstByte = 8192;
        read.LastByte = 12_287;
        Expect("damaged", "damaged_data", "damaged_read");
    }

    [Test]
    public void ReadsOfFilesThatAreNotKnown_NeedAScrub()
    {
        _lake.DamagedReads = 2;
        Expect("attention", "damaged_read");
        Assert.That(_lake.Findings[0].NextStep, Does.Contain("lakectl scrub --wait"));
    }

    [Test]
    public void MoreDamageThanNames_IsDamage()
    {
        _lake.Scrub.EndedDamagedBlocks = 30;
        Expect("damaged", "damaged_data");
    }

    [Test]
    public void ManyRanges_AreCut()
    {
        for (ulong i = 0; i < 50; i++)
        {
            DamagedRange range = Range(20, "/a", i * 8192);
            range.DeviceBlock = 100 + i;
            _lake.Scrub.Damaged.Add(range);
        }

        HealthVerdict.Judge(_lake, isDamaged: false);
        Assert.That(_lake.Findings, Has.Count.EqualTo(21));
        Assert.That(_lake.Findings[^1].Cause, Does.Contain("30 more"));
    }

    [TestCase(false, "attention")]
    [TestCase(true, "damaged")]
    public void ALakeThatIsNotServed_SaysWhy(bool isDamaged, string verdict)
    {
        _lake = new LakeHealth { Stats = new LakeStats { State = "failed", Failure = "page 7 is damaged" } };
        HealthVerdict.Judge(_lake, isDamaged);
        Assert.That((_lake.Verdict, _lake.Findings.Single().What), Is.EqualTo((verdict, "failed")));
        Assert.That(_lake.Findings[0].Cause, Does.Contain("page 7 is damaged"));
    }

    [Test]
    public void ASuperblockAndAnOlderCheckpoint_NeedAttention()
    {
        _lake.Stats.Notes.Add("superblock copy A is damaged");
        _lake.Stats.FellBack = true;
        Expect("attention", "superblock", "older_checkpoint");
    }

    [Test]
    public void AnArchiveThatWasInterrupted_NeedsAttention()
    {
        _lake.Stats.Counters["archive_interrupted"] = 1;
        Expect("attention", "archive_interrupted");
    }

    [Test]
    public void ALakeThatIsNearlyFull_NeedsAttention()
    {
        _lake.Stats.FreeBlocks = 400;
        _lake.Stats.Counters["leased_blocks"] = 200;
        Expect("healthy");
        _lake.Stats.Counters["leased_blocks"] = 50;
        Expect("attention", "data_full");
        _lake.Findings.Clear();
        _lake.Stats.FreeBlocks = 5000;
        _lake.Stats.Counters["metadata_pages"] = 901;
        Expect("attention", "metadata_nearly_full");
        _lake.Findings.Clear();
        _lake.Stats.Counters["metadata_pages"] = 1001;
        Expect("attention", "metadata_full");
    }

    /// <summary>Five percent of a large device is much room.</summary>
    [Test]
    public void ManyGibibytes_AreNotNearlyFull()
    {
        _lake.Stats.DataBlocks = 1ul << 30;
        _lake.Stats.FreeBlocks = 1ul << 22;
        Expect("healthy");
    }

    private void Expect(string verdict, params string[] findings)
    {
        HealthVerdict.Judge(_lake, isDamaged: false);
        Assert.That(_lake.Findings.Select(f => f.What), Is.EqualTo(findings));
        Assert.That(_lake.Verdict, Is.EqualTo(verdict));
    }

    private static DamagedRange Range(ulong ino, string path, ulong first, bool gone = false) =>
        new() { Ino = ino, Paths = { path }, FirstByte = first, LastByte = first + 4095, DeviceBlock = 77, Kind = "differs", IsGone = gone };
}
