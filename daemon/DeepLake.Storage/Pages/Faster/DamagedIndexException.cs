// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Storage.Faster;

/// <summary>The index checkpoint cannot be used; the log has not been judged yet. Never leaves the store.</summary>
internal sealed class DamagedIndexException : Exception;
