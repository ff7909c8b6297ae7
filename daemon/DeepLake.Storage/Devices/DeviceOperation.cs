// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Storage;

/// <summary>One recorded call on a device.</summary>
public readonly record struct DeviceOperation(DeviceOperationKind Kind, long Offset, int Bytes);
