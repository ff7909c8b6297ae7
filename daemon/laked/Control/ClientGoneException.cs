// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Laked.Control;

/// <summary>A client has ended while there was nothing to send to it: nothing is wrong.</summary>
internal sealed class ClientGoneException() : IOException("the client has gone");
