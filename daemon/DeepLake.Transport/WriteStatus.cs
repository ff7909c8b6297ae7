// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Transport;

/// <summary>What an attempt to write a reply gave.</summary>
public enum WriteStatus
{
    Written,

    /// <summary>The kernel has to consume replies first: kick it and try again.</summary>
    Full,

    /// <summary>The kernel's tail contradicts the protocol.</summary>
    Broken,
}
