// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine;

/// <summary>
/// An intent that cannot be true of this lake: the kernel or the metadata is broken. The mount must be
/// shut down; nothing of the intent may become durable.
/// </summary>
public sealed class IntentFaultException(string message) : Exception(message);
