// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Sim;

internal enum DeviceOperationKind
{
    Read,
    Write,
    Flush,
}
