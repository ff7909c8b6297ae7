// SPDX-License-Identifier: MPL-2.0
using System.Text;

namespace DeepLake.Lakectl.Files;

/// <summary>
/// A file's name as it was given: any bytes. The runtime decodes arguments as UTF-8 and puts U+FFFD for
/// what is none, so those are looked up in the process's own command line.
/// </summary>
internal sealed class FileName
{
    private const string CommandLine = "/proc/self/cmdline";
    private const char Replacement = '\uFFFD';

    private FileName(byte[] bytes)
    {
        Path = [.. bytes, 0];
        Text = Encoding.UTF8.GetString(bytes);
    }

    /// <summary>For the kernel, ending in a zero.</summary>
    internal byte[] Path { get; }

    /// <summary>For people.</summary>
    internal string Text { get; }

    /// <summary>The arguments with these texts, in this order.</summary>
    internal static IEnumerable<FileName> Of(IEnumerable<string> arguments)
    {
        List<(string Text, byte[] Bytes)> raw = [];
        foreach (string argument in arguments)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(argument);
            if (argument.Contains(Replacement))
            {
                raw = raw.Count == 0 ? ReadCommandLine() : raw;
                int found = raw.FindIndex(r => r.Text == argument);
                bytes = found < 0 ? bytes : raw[found].Bytes;
                if (found >= 0)
                {
                    raw.RemoveAt(found);
                }
            }
            yield return new FileName(bytes);
        }
    }

    // The last ones of the command line are the arguments, whatever the program was started with.
    private static List<(string Text, byte[] Bytes)> ReadCommandLine()
    {
        string[] texts = Environment.GetCommandLineArgs()[1..];
        byte[] all = File.ReadAllBytes(CommandLine);
        var bytes = new List<byte[]>();
        for (int start = 0; start < all.Length;)
        {
            int end = Array.IndexOf(all, (byte)0, start);
            end = end < 0 ? all.Length : end;
            bytes.Add(all[start..end]);
            start = end + 1;
        }
        return bytes.Count < texts.Length ? [] : [.. texts.Zip(bytes.TakeLast(texts.Length))];
    }
}
