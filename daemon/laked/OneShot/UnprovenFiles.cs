// SPDX-License-Identifier: MPL-2.0
using DeepLake.Engine;
using ProtoFile = DeepLake.Control.UnprovenFile;

namespace DeepLake.Laked.OneShot;

/// <summary>Files with data of which nothing tells whether it is right, as a person knows them.</summary>
internal static class UnprovenFiles
{
    internal static IEnumerable<ProtoFile> Named(IReadOnlyList<Engine.Archive.UnprovenFile> files, LakeEngine engine) =>
        files.Select(f => new ProtoFile { Ino = f.Ino, Path = engine.PathNow(f.Ino) ?? "", Blocks = f.Blocks });
}
