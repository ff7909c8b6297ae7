// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Laked.Watch;

/// <summary>Whether durable changes may still come.</summary>
internal enum FeedState
{
    Open,

    /// <summary>The lake was unmounted.</summary>
    Unmounted,

    /// <summary>This daemon serves it no more; another one may.</summary>
    Stopped,

    /// <summary>The client has gone.</summary>
    ClientGone,
}
