// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Storage;

/// <summary>Receives each replayed frame; the payload is valid during the call only.</summary>
public delegate void WalFrameVisitor(in WalFrame header, ReadOnlySpan<byte> payload);
