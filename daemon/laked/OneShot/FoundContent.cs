// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Laked.OneShot;

/// <summary>What a device that is to become a lake holds.</summary>
/// <param name="What">In words; empty: nothing was found.</param>
/// <param name="LookedAt">Where it was looked for; empty: nowhere, as it is new.</param>
/// <param name="Rescue">What else a person could do who wants it back; may be empty.</param>
internal readonly record struct FoundContent(string What, string LookedAt, string Rescue = "");
