// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;

namespace DeepLake.Client;

/// <summary>Makes the exception for a request that the engine refused.</summary>
/// <param name="reason">Why; ENOSPC: the lake, or its metadata, is full.</param>
/// <param name="what">What was asked, to follow "cannot".</param>
public delegate Exception LakeRefusal(Errno reason, string what);
