// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Laked.Import;

/// <summary>One extended attribute, with its full name (such as security.capability).</summary>
internal sealed record Xattr(byte[] Name, byte[] Value);
