// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;

namespace DeepLake.InMemory;

/// <summary>An operation was refused or failed; unless its description says otherwise, nothing was changed.</summary>
public class LakeException : IOException
{
    public LakeException(Errno reason, string path, string message, Exception? inner = null)
        : base($"{path}: {message}", inner)
    {
        Reason = reason;
        Path = path;
    }

    /// <summary>As the system call would have failed, ENOENT or ENOSPC for example.</summary>
    public Errno Reason { get; }

    /// <summary>The path that the caller gave.</summary>
    public string Path { get; }
}
