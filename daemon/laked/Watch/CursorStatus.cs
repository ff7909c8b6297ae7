// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Laked.Watch;

/// <summary>What a text that is to be a cursor is.</summary>
internal enum CursorStatus
{
    Good,
    Malformed,
    OtherVersion,
    OtherLake,
}
