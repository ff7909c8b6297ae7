// SPDX-License-Identifier: MPL-2.0
using System.Xml.Linq;
using NUnit.Framework;

namespace DeepLake.Layout.Tests;

/// <summary>The dependencies between projects run one way (docs/ARCHITECTURE.md).</summary>
[TestFixture]
public sealed class ProjectEdgesTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["DeepLake.Abi"] = [],
        ["DeepLake.Platform"] = ["DeepLake.Abi"],
        ["DeepLake.Storage"] = ["DeepLake.Platform"],
        ["DeepLake.Metadata"] = ["DeepLake.Storage"],
        ["DeepLake.Engine"] = ["DeepLake.Metadata", "DeepLake.Hash", "DeepLake.Packs"],
        // Plays the kernel where there is none: an import, a lake in memory.
        ["DeepLake.Client"] = ["DeepLake.Engine"],
        ["DeepLake.InMemory"] = ["DeepLake.Client", "DeepLake.Check"],
        ["DeepLake.Check"] = ["DeepLake.Metadata", "DeepLake.Hash", "DeepLake.Packs"],
        ["DeepLake.Transport"] = ["DeepLake.Platform"],
        ["DeepLake.Control"] = [],
        ["DeepLake.Hash"] = [],
        // The one project that refers to zstd.
        ["DeepLake.Packs"] = ["DeepLake.Abi"],
        ["laked"] =
        [
            "DeepLake.Abi", "DeepLake.Platform", "DeepLake.Storage", "DeepLake.Metadata", "DeepLake.Engine",
            "DeepLake.Client", "DeepLake.Check", "DeepLake.Transport", "DeepLake.Control", "DeepLake.Hash",
        ],
        // A client, which knows no part of the daemon but what is computation alone: `lakectl hash` works
        // on any file and must print the same identity as the daemon.
        ["lakectl"] = ["DeepLake.Control", "DeepLake.Hash"],
    };

    [Test]
    public void Projects_ReferToEachOther_OnlyAsListed()
    {
        string root = FindRoot();
        var projects = Directory.GetFiles(Path.Combine(root, "daemon"), "*.csproj", SearchOption.AllDirectories)
            .Concat(Directory.GetFiles(Path.Combine(root, "lakectl"), "*.csproj", SearchOption.AllDirectories))
            .ToDictionary(p => Path.GetFileNameWithoutExtension(p));
        Assert.That(projects.Keys, Is.EquivalentTo(Allowed.Keys));
        foreach ((string name, string path) in projects)
        {
            IEnumerable<string> edges = XDocument.Load(path).Descendants("ProjectReference")
                .Select(e => Path.GetFileNameWithoutExtension(e.Attribute("Include")!.Value.Replace('\\', '/')));
            Assert.That(edges, Is.SubsetOf(Allowed[name]), name);
        }
    }

    [Test]
    public void OnlyStorage_RefersToFaster()
    {
        string[] users = [.. Directory.GetFiles(FindRoot(), "*.csproj", SearchOption.AllDirectories)
            .Where(p => !p.Contains("/build/", StringComparison.Ordinal) && File.ReadAllText(p).Contains("<Reference Include=\"FASTER", StringComparison.OrdinalIgnoreCase))
            .Select(p => Path.GetFileNameWithoutExtension(p))];
        Assert.That(users, Is.EqualTo(new[] { "DeepLake.Storage" }));
    }

    private static string FindRoot()
    {
        string? at = TestContext.CurrentContext.TestDirectory;
        while (at is not null && !File.Exists(Path.Combine(at, "DeepLake.sln")))
        {
            at = Path.GetDirectoryName(at);
        }

        return at ?? throw new InvalidOperationException("DeepLake.sln is not above the test");
    }
}
