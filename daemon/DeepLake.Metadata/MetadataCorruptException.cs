// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Metadata;

/// <summary>
/// The metadata on the device contradicts itself (a page that fails its checks, a reference to
/// nothing). The lake must not be written any further.
/// </summary>
public sealed class MetadataCorruptException(string message) : Exception(message);
