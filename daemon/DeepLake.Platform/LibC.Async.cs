// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Platform;

/// <summary>Native asynchronous I/O: the C library has no names for these calls, only numbers (x86-64).</summary>
internal static unsafe partial class LibC
{
    private const nint IoSetupNumber = 206;
    private const nint IoDestroyNumber = 207;
    private const nint IoGetEventsNumber = 208;
    private const nint IoSubmitNumber = 209;

    internal static long IoSetup(uint depth, nuint* context) =>
        RuntimeInformation.ProcessArchitecture == Architecture.X64
            ? SystemCall(IoSetupNumber, (nint)depth, (nint)context, 0, 0, 0)
            : -1;

    internal static long IoDestroy(nuint context) => SystemCall(IoDestroyNumber, (nint)context, 0, 0, 0, 0);

    internal static long IoSubmit(nuint context, int count, nint* blocks) =>
        SystemCall(IoSubmitNumber, (nint)context, count, (nint)blocks, 0, 0);

    internal static long IoGetEvents(nuint context, nint least, nint most, AsyncReads.Event* events, void* timeout) =>
        SystemCall(IoGetEventsNumber, (nint)context, least, most, (nint)events, (nint)timeout);

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint a1, nint a2, nint a3, nint a4, nint a5);
}
