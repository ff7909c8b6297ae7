// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Platform;

/// <summary><c>F_RDLCK</c>, <c>F_WRLCK</c>, <c>F_UNLCK</c>.</summary>
internal enum RangeLockType : short
{
    Read,
    Write,
    None,
}
