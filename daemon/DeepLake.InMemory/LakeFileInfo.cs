// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.InMemory;

/// <summary>What is known of a file, a directory or a symbolic link, beside its content.</summary>
public sealed record LakeFileInfo
{
    public required LakeFileKind Kind { get; init; }

    /// <summary>Bytes of a file or of a link's target; of a directory how many entries it has.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>Blocks of 4096 bytes that it maps; holes have none, and shared ones count for each file.</summary>
    public required long Blocks { get; init; }

    /// <summary>How many names it has; of a directory two and one for each directory in it.</summary>
    public required int Links { get; init; }

    /// <summary>Permission bits, 0 to 07777. They are kept and not enforced.</summary>
    public required int Permissions { get; init; }

    public required uint Uid { get; init; }

    public required uint Gid { get; init; }

    /// <summary>When its content was changed last.</summary>
    public required DateTimeOffset ModifiedAt { get; init; }

    /// <summary>When anything of it was changed last.</summary>
    public required DateTimeOffset ChangedAt { get; init; }

    /// <summary>Equal numbers are the same file under two names.</summary>
    public required ulong InodeNumber { get; init; }
}
