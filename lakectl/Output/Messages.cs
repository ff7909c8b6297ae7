// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Lakectl.Output;

/// <summary>Messages for a person, on standard error.</summary>
internal static class Messages
{
    internal static void Error(string cause, string nextStep)
    {
        Console.Error.WriteLine($"lakectl: {Printable.Of(cause)}");
        if (nextStep.Length > 0)
        {
            Console.Error.WriteLine($"  next: {Printable.Of(nextStep)}");
        }
    }

    internal static void Warn(string text) => Console.Error.WriteLine($"lakectl: warning: {Printable.Of(text)}");
}
