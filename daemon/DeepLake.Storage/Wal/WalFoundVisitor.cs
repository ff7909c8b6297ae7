// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Storage;

/// <summary>Receives a frame that was found, with its byte offset in the region; the payload is valid during the call only.</summary>
public delegate void WalFoundVisitor(long offset, in WalFrame header, ReadOnlySpan<byte> payload);
