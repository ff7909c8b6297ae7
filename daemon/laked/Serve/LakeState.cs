// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Laked.Serve;

/// <summary>Where a served lake is in its life.</summary>
internal enum LakeState
{
    Attaching,
    Recovering,
    Serving,
    Failed,
    Ended,
}
