// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>Names the C constant of proto/ that a constant or enum member mirrors; tests/layout compares the two.</summary>
[AttributeUsage(AttributeTargets.Field)]
public sealed class CConstAttribute(string name) : Attribute
{
    /// <summary>The name in C.</summary>
    public string Name { get; } = name;
}
