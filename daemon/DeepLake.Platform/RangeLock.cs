// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Platform;

/// <summary><c>struct flock</c>; a length of 0 reaches to the end of the file.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RangeLock
{
    internal RangeLockType Type;
    internal short Whence;
    internal long Start;
    internal long Length;
    internal int Process;
}
