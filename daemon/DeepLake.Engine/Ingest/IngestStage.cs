// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Ingest;

/// <summary>What a <see cref="RangeIngest"/> does next.</summary>
public enum IngestStage
{
    /// <summary>Look at the range and have it sealed.</summary>
    Seal,

    /// <summary>The seal is not applied yet.</summary>
    Wait,

    /// <summary>Read it, and write its checksums.</summary>
    Read,

    /// <summary>Have its reads checked.</summary>
    Check,
    Done,
}
