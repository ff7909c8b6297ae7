// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Sim;

/// <summary>One recorded call on a device.</summary>
internal readonly record struct DeviceOperation(DeviceOperationKind Kind, long Offset, int Bytes);
