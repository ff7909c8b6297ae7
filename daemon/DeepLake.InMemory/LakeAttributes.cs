// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.InMemory;

/// <summary>What to set of a file; what is null stays.</summary>
public sealed record LakeAttributes
{
    /// <summary>Permission bits, 0 to 07777.</summary>
    public int? Permissions { get; init; }

    public uint? Uid { get; init; }

    public uint? Gid { get; init; }

    public DateTimeOffset? ModifiedAt { get; init; }
}
