// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Scrub;

/// <summary>A block of a file, as of an intent.</summary>
/// <param name="IsMapped">The file maps that block of the device there.</param>
/// <param name="IsThere">It is checked, too.</param>
/// <param name="IsShared">Others may map it, too.</param>
/// <param name="ChangedSeq">The newest intent that changed the file, what it maps included.</param>
/// <param name="AppliedSeq">The newest intent that is applied.</param>
public readonly record struct ScrubPlace(bool IsMapped, bool IsThere, bool IsShared, ulong ChangedSeq, ulong AppliedSeq);
