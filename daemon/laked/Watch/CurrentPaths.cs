// SPDX-License-Identifier: MPL-2.0
using DeepLake.Control;
using DeepLake.Engine;

namespace DeepLake.Laked.Watch;

/// <summary>Where the folders and files of changes are now, which the log does not say.</summary>
internal static class CurrentPaths
{
    // Each is some looks into the tree: this many take about a millisecond.
    private const int PathsOfAPart = 32;

    /// <param name="changes">Those that are completed.</param>
    /// <param name="run">Has something done on the engine's thread.</param>
    internal static void Add(IReadOnlyCollection<Change> changes, Action<Action<LakeEngine>> run)
    {
        var paths = new Dictionary<ulong, string>();
        foreach (ulong[] part in changes.SelectMany(Asked).Distinct().Chunk(PathsOfAPart))
        {
            run(engine =>
            {
                foreach (ulong ino in part)
                {
                    paths[ino] = engine.PathNow(ino) ?? "";
                }
            });
        }

        foreach (Change change in changes)
        {
            change.DirNow = change.HasDir ? paths[change.Dir] : "";
            change.ToDirNow = change.HasToDir ? paths[change.ToDir] : "";
            change.PathNow = AsksForPath(change) ? paths[change.Ino] : "";
        }
    }

    private static bool AsksForPath(Change change) => change.Ino != 0 && !change.HasDir;

    private static IEnumerable<ulong> Asked(Change change)
    {
        if (change.HasDir)
        {
            yield return change.Dir;
        }

        if (change.HasToDir)
        {
            yield return change.ToDir;
        }

        if (AsksForPath(change))
        {
            yield return change.Ino;
        }
    }
}
