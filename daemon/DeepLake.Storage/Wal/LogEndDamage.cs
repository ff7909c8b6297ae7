// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Storage;

/// <summary>What the place where a log ends tells about a frame that may have been there.</summary>
public enum LogEndDamage
{
    /// <summary>None was, or one that was never written to its end, and so never acknowledged.</summary>
    None,

    /// <summary>Nothing there can be read: a frame, or what was there before it.</summary>
    Unreadable,

    /// <summary>One was written to its end, and is damaged.</summary>
    Frame,
}
