// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Archive;

/// <summary>What one file tells of a block that differs from its checksum.</summary>
internal enum BlockEvidence
{
    /// <summary>The file has all of the block, and its identity is that of its data.</summary>
    ProvesAll,

    /// <summary>The same of a part: what others have in the block, or in its pack, it does not know.</summary>
    ProvesItsPart,

    /// <summary>The file has no identity, or not all of it could be read.</summary>
    Nothing,

    /// <summary>The file's identity is not that of its data, or what is there cannot be read, or is no pack.</summary>
    Disproves,
}
