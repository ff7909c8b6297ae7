// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Platform;

/// <summary><c>struct ucred</c>: who is at the other end of a Unix socket (SO_PEERCRED).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PeerCredentials
{
    public int ProcessId;
    public uint UserId;
    public uint GroupId;
}
