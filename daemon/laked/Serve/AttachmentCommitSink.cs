// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;
using DeepLake.Storage;
using DeepLake.Transport;

namespace DeepLake.Laked.Serve;

/// <summary>Durable writes of a mounted lake: the kernel does them, if this attachment is still the one.</summary>
internal sealed class AttachmentCommitSink(Attachment attachment) : ICommitSink
{
    /// <summary>
    /// Whether the mount has heard of the recovered state (MOUNT answered, or READY in a running epoch).
    /// Until then seqs of that state mean nothing to the kernel, and it is told what it knew at ATTACH.
    /// </summary>
    internal bool IsOpen { get; set; }

    public void Commit(ReadOnlySpan<byte> bytes, long offset, ulong durableSeq)
    {
        ulong told = IsOpen ? durableSeq : Math.Min(durableSeq, attachment.Info.DurableSeq);
        Errno error = attachment.Commit(bytes, offset, told);
        if (error != Errno.None)
        {
            throw StorageException.Io(error, "commit", offset, bytes.Length);
        }
    }
}
