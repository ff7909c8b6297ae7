// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Changes;

/// <summary>Why changes cannot be read on from a place.</summary>
public enum ChangeLogProblem
{
    /// <summary>They are not kept any more.</summary>
    Gone,

    /// <summary>Nothing has been there yet.</summary>
    Future,

    /// <summary>What was there before it is not the lake's history: a rebuild has given it up.</summary>
    OtherHistory,

    /// <summary>The log contradicts itself.</summary>
    Damaged,
}
