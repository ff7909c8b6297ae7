// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Format;
using DeepLake.Engine.State;
using DeepLake.Metadata.Tree;
using DeepLake.Storage;

namespace DeepLake.Engine;

/// <summary>
/// A held checkpoint of a lake, read from the device by another thread than its engine's; the engine goes
/// on. What is read counts only if <see cref="LakeEngine.ReleaseSnapshot"/> then says that it was held
/// all the time.
/// </summary>
public sealed class LakeSnapshot : IDisposable
{
    private readonly IPageStore _store;
    private readonly LakeState _state;

    private LakeSnapshot(IPageStore store, LakeState state)
    {
        _store = store;
        _state = state;
    }

    public BTree Tree => _state.Tree;

    public EngineState Counters => _state.Counters;

    /// <param name="device">The lake's device, opened anew; it is only read.</param>
    /// <param name="source">From <see cref="LakeEngine.HoldSnapshot"/>.</param>
    /// <param name="options">Budgets of this reading, beside the engine's own.</param>
    public static LakeSnapshot Open(IBlockDevice device, SnapshotSource source, EngineOptions options)
    {
        Superblock superblock = source.Superblock;
        IPageStore store = options.OpenPages(
            device, LakeLayout.PageStore(superblock), source.Ticket, new PageStoreOptions { MemoryBytes = options.PageStoreBytes });
        try
        {
            return new LakeSnapshot(store, LakeState.Open(store, superblock, (int)(options.TreeCacheBytes / LakeFormat.BlockSize)));
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _state.Dispose();
        _store.Dispose();
    }
}
