// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Archive;

/// <summary>A base cannot be finished: there is no room, or it was asked to end.</summary>
internal sealed class BaseEndException : Exception;
