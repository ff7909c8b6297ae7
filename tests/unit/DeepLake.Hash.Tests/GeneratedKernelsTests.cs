// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using NUnit.Framework;

namespace DeepLake.Hash.Tests;

[TestFixture]
public sealed class GeneratedKernelsTests
{
    [Test]
    public void TheKernels_AreWhatTheirGeneratorWrites()
    {
        string folder = Path.Combine(Samples.Root, "daemon/DeepLake.Hash/Kernels");
        string made = Directory.CreateTempSubdirectory("lake-kernels").FullName;
        try
        {
            using Process python = Process.Start("python3", [Path.Combine(folder, "generate.py"), made]);
            python.WaitForExit();
            Assert.That(python.ExitCode, Is.Zero);
            string[] names = [.. Directory.GetFiles(folder, "*.g.cs").Select(p => Path.GetFileName(p))];
            Assert.That(Directory.GetFiles(made).Select(p => Path.GetFileName(p)), Is.EquivalentTo(names).And.Not.Empty);
            foreach (string name in names)
            {
                Assert.That(File.ReadAllText(Path.Combine(folder, name)) == File.ReadAllText(Path.Combine(made, name)), name);
            }
        }
        finally
        {
            Directory.Delete(made, recursive: true);
        }
    }
}
