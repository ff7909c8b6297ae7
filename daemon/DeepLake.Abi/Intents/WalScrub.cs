// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>WAL only: how far the scrub is; its findings follow.</summary>
[CStruct("lakefs_wal_scrub")]
[StructLayout(LayoutKind.Sequential)]
public struct WalScrub
{
    /// <summary>Seq 0.</summary>
    public IntentHeader Header;
    public ScrubItem Scrub;
}
