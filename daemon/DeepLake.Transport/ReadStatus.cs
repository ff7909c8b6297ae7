// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Transport;

/// <summary>What a look into a ring gave.</summary>
public enum ReadStatus
{
    /// <summary>Nothing is there.</summary>
    Empty,

    /// <summary>One entry was copied out.</summary>
    Entry,

    /// <summary>The ring contradicts the protocol; nothing more can be read from it.</summary>
    Broken,
}
