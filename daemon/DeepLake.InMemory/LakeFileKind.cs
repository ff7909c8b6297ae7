// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.InMemory;

/// <summary>What a name names.</summary>
public enum LakeFileKind
{
    File,
    Directory,
    SymbolicLink,
}
