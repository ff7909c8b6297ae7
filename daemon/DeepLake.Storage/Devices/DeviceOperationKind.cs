// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Storage;

public enum DeviceOperationKind
{
    Read,
    Write,
    Flush,
}
