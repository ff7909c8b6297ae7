// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Sim;

/// <summary>A write in place.</summary>
/// <param name="Seq">The last record there was then.</param>
/// <param name="Number">How many there were of this block since it was mapped.</param>
/// <param name="IsCertain">It came back without an error.</param>
internal readonly record struct BlockVersion(ulong Seq, ulong Number, bool IsCertain);
