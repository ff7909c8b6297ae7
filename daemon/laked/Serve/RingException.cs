// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;

namespace DeepLake.Laked.Serve;

/// <summary>The kernel's side refused or broke the protocol.</summary>
internal sealed class RingException(Errno errno, string message) : Exception(message)
{
    public Errno Errno { get; } = errno;

    /// <summary>The kernel has ended the attachment itself; the mount waits for a successor.</summary>
    public bool IsBrokenOff { get; init; }
}
