// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Laked.Import;

/// <summary>Puts the next bytes of some content into a buffer; how many, 0 at its end.</summary>
internal delegate int FillBuffer(Span<byte> buffer);
