// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Engine.Changes;

/// <summary>What who reads the durable changes asks of the engine, on the engine's thread, each call bounded.</summary>
public interface IChangeLog
{
    LogView LookAtLog();

    /// <summary>A part of the search for the first archived piece of the log with a number or a higher one.</summary>
    /// <param name="number">Where it goes on when this part found none; <see cref="ulong.MaxValue"/>: there is none.</param>
    /// <param name="segment">What was found.</param>
    bool TryFindLogSegment(ref ulong number, out ArchiveEntry segment);
}
