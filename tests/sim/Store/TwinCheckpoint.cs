// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Sim;

/// <summary>One checkpoint of the twin: where its map lies, and every slot it has, the map's included.</summary>
internal sealed record TwinCheckpoint(ulong Number, int Pages, uint Crc, int[] MapSlots, int[] Slots)
{
    public static TwinCheckpoint None { get; } = new(0, 0, 0, [], []);
}
