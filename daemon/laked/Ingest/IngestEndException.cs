// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Laked.Ingest;

/// <summary>The lake is not served any more, or cannot be sealed: the ingest has nothing left to do.</summary>
internal sealed class IngestEndException : Exception;
