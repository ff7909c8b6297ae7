// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Ingest;

/// <summary>Two files with the same content, and whose blocks both are to have.</summary>
public readonly record struct EqualFiles(ulong Source, ulong Target);
