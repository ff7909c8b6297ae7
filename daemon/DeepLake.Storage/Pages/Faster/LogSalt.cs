// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Storage.Faster;

/// <summary>The salt of the page log from a log address on, a multiple of 8, up to the next one's.</summary>
internal readonly record struct LogSalt(long Address, ulong Salt);
