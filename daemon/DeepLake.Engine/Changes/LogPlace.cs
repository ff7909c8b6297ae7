// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Changes;

/// <summary>A place between two entries of the log. Frames are not renumbered, so it stays what it is.</summary>
/// <param name="Lsn">The frame that the next entry is in, or will be.</param>
/// <param name="Entry">How many entries of that frame are before it.</param>
/// <param name="Seq">The newest change before it; 0: not known, or none.</param>
/// <param name="Epoch">Of the mount that the entry before it is of; 0: not known.</param>
/// <param name="Crc">
/// Of the frame with the entry before it, which tells a history from one that a rebuild has given up; 0: not known.
/// </param>
public readonly record struct LogPlace(ulong Lsn, uint Entry, ulong Seq, ulong Epoch, uint Crc);
