// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine;

/// <summary>What mkfs decides: identity, label (at most 64 bytes of UTF-8), and the root's first times.</summary>
public sealed record FormatOptions(Guid Uuid, string Label, DateTimeOffset Now);
