// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Sim;

/// <summary>The page store under the engine.</summary>
public enum StoreKind
{
    Twin,
    Faster,
}
