// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Storage;

/// <summary>Receives each replayed frame; the payload is valid during the call only.</summary>
public delegate void WalFrameVisitor(in WalFrameHeader header, ReadOnlySpan<byte> payload);
