// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;

namespace DeepLake.Engine.State;

/// <summary>The daemon's own entry: how far the scrub is. Once more, and in any order, it changes nothing else.</summary>
internal sealed partial class IntentApplier
{
    private void PutScrub(ReadOnlySpan<byte> entry)
    {
        ref readonly WalScrub put = ref Read<WalScrub>(entry);
        ReadOnlySpan<ScrubFinding> findings = MemoryMarshal.Cast<byte, ScrubFinding>(entry[Unsafe.SizeOf<WalScrub>()..]);
        bool isWhole = findings.Length * Unsafe.SizeOf<ScrubFinding>() == entry.Length - Unsafe.SizeOf<WalScrub>();
        if (!isWhole || findings.Length != put.Scrub.Findings || findings.Length > LakeFormat.ScrubFindingsMax || put.Scrub.State > ScrubStage.Stopped)
        {
            Fault($"after intent {_seq} an entry of the scrub says it has {put.Scrub.Findings} findings, it has {findings.Length}");
        }

        state.Scrub.Put(put.Scrub, findings);
    }
}
