// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>WAL only: the content of a file has this identity.</summary>
[CStruct("lakefs_wal_object")]
[StructLayout(LayoutKind.Sequential)]
public struct WalObject
{
    /// <summary>Seq 0.</summary>
    public IntentHeader Header;
    public ulong Ino;
    public ObjectItem Object;
}
