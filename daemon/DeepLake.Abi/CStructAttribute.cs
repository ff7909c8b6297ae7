// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>Names the C structure of proto/ that a type mirrors; tests/layout compares the two.</summary>
[AttributeUsage(AttributeTargets.Struct)]
public sealed class CStructAttribute(string name) : Attribute
{
    /// <summary>The name in C.</summary>
    public string Name { get; } = name;
}
