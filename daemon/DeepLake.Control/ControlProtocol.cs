// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Control;

/// <summary>Numbers of the control protocol.</summary>
public static class ControlProtocol
{
    public const uint Version = 1;

    /// <summary>Where laked listens.</summary>
    public const string DefaultSocketPath = "/run/deeplake/laked.sock";

    /// <summary>A request longer than this is refused unread.</summary>
    public const int MaxRequestBytes = 64 * 1024;

    /// <summary>A response longer than this is not from laked.</summary>
    public const int MaxResponseBytes = 16 * 1024 * 1024;
}
