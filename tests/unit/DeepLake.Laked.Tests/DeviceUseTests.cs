// SPDX-License-Identifier: MPL-2.0
using DeepLake.Laked.Ingest;
using NUnit.Framework;

namespace DeepLake.Laked.Tests;

[TestFixture]
public sealed class DeviceUseTests
{
    [TestCase("    1147      113    59178      302      645      601    23994      398        0      516      734        0        0        0        0       28       33\n", 516)]
    [TestCase("1 2 3 4 5 6 7 8 9 10 11\n", 10)]
    [TestCase("1 2 3\n", 0)]
    [TestCase("", 0)]
    public void BusyTime_IsTheTenthFieldOfTheStatistics(string text, double ms)
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, text);
            Assert.That(new DeviceUse(path).BusyTime().TotalMilliseconds, Is.EqualTo(ms));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void BusyTime_WhereNothingIsCounted_IsZero() =>
        Assert.That(new DeviceUse("/nonexistent/stat").BusyTime(), Is.EqualTo(TimeSpan.Zero));
}
