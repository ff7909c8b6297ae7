// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Format;

/// <summary>How large the regions are, in blocks, and where in the log's region the first frame goes.</summary>
internal sealed record LayoutSizes(ulong WalBlocks, ulong IndexBlocks, ulong PageBlocks, ulong FirstFrameBlock);
