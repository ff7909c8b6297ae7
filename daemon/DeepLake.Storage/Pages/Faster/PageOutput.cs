// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Storage.Faster;

/// <summary>Where a read puts the page; null when only its address is wanted. The caller pins it.</summary>
internal unsafe struct PageOutput
{
    internal byte* Destination;
}
