// SPDX-License-Identifier: MPL-2.0
using FASTER.core;

namespace DeepLake.Storage.Faster;

/// <summary>
/// FASTER's callbacks. A read that had to go to the device reports here, so that no list of completed
/// outputs is allocated.
/// </summary>
internal sealed unsafe class PageFunctions : FunctionsBase<PageKey, PageValue, Empty, PageOutput, Empty>
{
    internal bool CompletedFound { get; private set; }

    /// <summary>Where completed reads go while pages are read ahead; null: they are waited for one by one.</summary>
    internal PageCache? ReadAheadTo { get; set; }

    public override bool SingleReader(ref PageKey key, ref Empty input, ref PageValue value, ref PageOutput output, ref ReadInfo readInfo)
    {
        if (output.Destination != null)
        {
            PageValue.Bytes(ref value).CopyTo(new Span<byte>(output.Destination, PageFormat.PageBytes));
        }
        return true;
    }

    public override bool ConcurrentReader(ref PageKey key, ref Empty input, ref PageValue value, ref PageOutput output, ref ReadInfo readInfo) =>
        SingleReader(ref key, ref input, ref value, ref output, ref readInfo);

    // The metadata's address is where the chain of the key's bucket began, not where the key was.
    public override void ReadCompletionCallback(
        ref PageKey key, ref Empty input, ref PageOutput output, Empty context, Status status, RecordMetadata metadata)
    {
        CompletedFound = status.Found;
        if (ReadAheadTo is { } cache && status.Found)
        {
            var page = new ReadOnlySpan<byte>(output.Destination, PageFormat.PageBytes);
            if (PageFormat.IsIntact(key.Id, page))
            {
                cache.Put(key.Id, page);
            }
        }
    }
}
