// SPDX-License-Identifier: MPL-2.0
using DeepLake.Control;
using DeepLake.Laked.Control;
using NUnit.Framework;

namespace DeepLake.Laked.Tests;

[TestFixture]
public sealed class MetricsTextTests
{
    [Test]
    public void ScrubAndHealth_AreAmongThem_OfTheLakesThatHaveThem()
    {
        var whole = new LakeStats { Device = "/dev/a", Uuid = "1", State = "serving" };
        var broken = new LakeStats { Device = "/dev/b", State = "failed" };
        var health = new Health
        {
            Lakes =
            {
                new LakeHealth { Stats = whole, IsOpen = true, Verdict = HealthVerdict.Damaged, DamagedReads = 4, Scrub = new ScrubReport { State = "running", Pass = 3, DoneBytes = 8192, TotalBytes = 40_960, DamagedBlocks = 1 } },
                new LakeHealth { Stats = broken, Verdict = HealthVerdict.Attention },
            },
        };
        string text = MetricsText.Render(new Stats { Lakes = { whole, broken } }, health);
        foreach (string line in (string[])
        [
            "deeplake_lake_health{device=\"/dev/a\",uuid=\"1\"} 2", "deeplake_lake_health{device=\"/dev/b\",uuid=\"\"} 1",
            "deeplake_lake_scrub_running{device=\"/dev/a\",uuid=\"1\"} 1", "deeplake_lake_scrub_position_bytes{device=\"/dev/a\",uuid=\"1\"} 8192",
            "deeplake_lake_scrub_total_bytes{device=\"/dev/a\",uuid=\"1\"} 40960", "deeplake_lake_damaged_reads_total{device=\"/dev/a\",uuid=\"1\"} 4",
            "# TYPE deeplake_lake_damaged_reads_total counter",
        ])
        {
            Assert.That(text.Split('\n'), Does.Contain(line));
        }

        Assert.That(text, Does.Not.Match("scrub_.*/dev/b"));
    }
}
