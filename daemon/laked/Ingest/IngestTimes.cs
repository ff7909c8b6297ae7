// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Laked.Ingest;

/// <summary>For how long nothing must have changed a file until something is done with it; zero: it never is.</summary>
/// <param name="SealAfter">It is sealed and checked, gets its identity, and shares what others have.</param>
/// <param name="PackAfter">It is compressed.</param>
internal sealed record IngestTimes(TimeSpan SealAfter, TimeSpan PackAfter);
