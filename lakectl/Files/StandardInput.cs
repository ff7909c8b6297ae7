// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Lakectl.Files;

/// <summary>Whether somebody gave us a standard input at all.</summary>
internal static class StandardInput
{
    internal const string ClosedMessage = "standard input is closed";
    internal const string ClosedAdvice = "give it something to read, such as < FILE or a pipe";

    /// <summary>
    /// Started with descriptor 0 closed, the runtime has long got that number for a file of its own, and
    /// reading it may wait for ever. Those it closes on exec; one that was inherited cannot have that mark.
    /// </summary>
    internal static bool IsClosed()
    {
        int flags = LibC.FCntl(0, LibC.GetDescriptorFlags);
        return flags < 0 || (flags & LibC.CloseOnExec) != 0;
    }
}
