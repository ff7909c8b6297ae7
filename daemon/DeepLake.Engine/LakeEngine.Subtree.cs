// SPDX-License-Identifier: MPL-2.0
using DeepLake.Engine.Subtree;

namespace DeepLake.Engine;

/// <summary>What a subtree holds; on the engine's thread, each call bounded.</summary>
public sealed partial class LakeEngine
{
    /// <summary>Goes on with a walk through a subtree, a millisecond or two of it; whether it is done.</summary>
    public bool Advance(SubtreeWalk walk)
    {
        walk.Advance(_state);
        return walk.IsDone;
    }
}
