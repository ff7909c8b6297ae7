// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Ingest;

/// <summary>A file whose content is known, and all of it checked.</summary>
/// <param name="DataSeq">While it is this, the content is the same.</param>
/// <param name="Size">In bytes.</param>
/// <param name="IsPacked">It was packed as far as it is worth it.</param>
public sealed record PackCandidate(ulong DataSeq, ulong Size, bool IsPacked);
