// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Layout.Tests;

/// <summary>A field as written in the header; <paramref name="Count"/> is 0 when it is no array.</summary>
internal sealed record CField(string Type, bool IsStruct, string Name, int Count);
