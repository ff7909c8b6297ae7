// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Transport;

/// <summary>Something the kernel tells of a mount to whoever listens.</summary>
/// <param name="Event">What.</param>
/// <param name="Major">Of the device.</param>
/// <param name="Minor">Of the device.</param>
/// <param name="Block">Of the device; 0: it is about none.</param>
public readonly record struct LakeEvent(NetlinkEvent Event, uint Major, uint Minor, ulong Block);
