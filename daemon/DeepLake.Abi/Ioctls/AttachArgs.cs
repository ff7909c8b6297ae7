// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>ATTACH: become the daemon of a wanted device.</summary>
[CStruct("lakefs_attach")]
[StructLayout(LayoutKind.Sequential)]
public struct AttachArgs
{
    /// <summary>In/out.</summary>
    public uint AbiVersion;
    public uint DevMajor;
    public uint DevMinor;
    /// <summary>In: 0; out: <see cref="LakeRing.AttachReadOnly"/>.</summary>
    public uint Flags;
    /// <summary>In: known, out: in use.</summary>
    public ulong Features;
    /// <summary>Out: of this attachment.</summary>
    public ulong Generation;
    /// <summary>Out: 0 = mount not answered yet.</summary>
    public ulong Epoch;
    /// <summary>Out: what the kernel was told.</summary>
    public ulong DurableSeq;
    /// <summary>Out.</summary>
    public ulong LastSeq;
    public ulong Reserved;
}
