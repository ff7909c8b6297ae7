// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Storage;

public enum WalAppendResult
{
    /// <summary>The entry is in the open frame.</summary>
    Appended,

    /// <summary>The open frame is at its size limit: commit it, then append again.</summary>
    FrameFull,

    /// <summary>The region is full up to the oldest checkpoint's tail: checkpoint and trim first.</summary>
    LogFull,
}
