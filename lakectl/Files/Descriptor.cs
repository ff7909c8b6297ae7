// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Lakectl.Files;

/// <summary>Whether somebody gave us a standard input, output or error at all.</summary>
internal static class Descriptor
{
    internal const int Input = 0;
    internal const int Output = 1;
    internal const int Error = 2;

    internal const string InputClosedMessage = "standard input is closed";
    internal const string InputClosedAdvice = "give it something to read, such as < FILE or a pipe";
    internal const string OutputClosedMessage = "standard output is closed";
    internal const string OutputClosedAdvice = "give it something to write to, such as > /dev/null";

    /// <summary>
    /// Started with a descriptor closed, the runtime has long got that number for a file of its own: reading
    /// it may wait for ever, writing may harm it. Those it closes on exec; one that was inherited cannot have
    /// that mark.
    /// </summary>
    internal static bool IsClosed(int descriptor)
    {
        int flags = LibC.FCntl(descriptor, LibC.GetDescriptorFlags);
        return flags < 0 || (flags & LibC.CloseOnExec) != 0;
    }

    /// <summary>Waits until there is something to read, or its end; false as soon as nobody reads any more what is written to the other one.</summary>
    internal static unsafe bool WaitForInput(int input, int output)
    {
        LibC.PollEntry* entries = stackalloc LibC.PollEntry[2];
        while (true)
        {
            entries[0] = new LibC.PollEntry { Descriptor = input, Wanted = LibC.PollIn };
            entries[1] = new LibC.PollEntry { Descriptor = output };
            if (LibC.Poll(entries, 2, -1) <= 0)
            {
                continue; // interrupted
            }
            return entries[1].Got == 0;
        }
    }

    /// <summary>
    /// Waits for so many seconds; true as soon as nobody reads any more what is written to the descriptor. The
    /// runtime's console tells nobody of that.
    /// </summary>
    internal static unsafe bool LosesItsReader(int descriptor, int seconds)
    {
        var entry = new LibC.PollEntry { Descriptor = descriptor };
        long end = Environment.TickCount64 + (seconds * 1000L);
        for (long left = seconds * 1000L; left > 0; left = end - Environment.TickCount64)
        {
            if (LibC.Poll(&entry, 1, (int)left) > 0)
            {
                return true; // nothing was asked for: an error or a hang-up
            }
        }
        return false;
    }
}
