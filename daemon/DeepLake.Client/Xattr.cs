// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Client;

/// <summary>One extended attribute, with its full name (such as security.capability).</summary>
public sealed record Xattr(byte[] Name, byte[] Value);
