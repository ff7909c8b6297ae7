// SPDX-License-Identifier: MPL-2.0
using System.Text;

namespace DeepLake.Lakectl.Output;

/// <summary>
/// Standard error for messages. When nobody can read them (a full device, a pipe that was closed) the exit
/// status still tells; that they could not be written must not replace it.
/// </summary>
internal sealed class ErrorWriter(TextWriter inner) : TextWriter
{
    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Try(() => inner.Write(value));

    public override void Write(string? value) => Try(() => inner.Write(value));

    public override void WriteLine(string? value) => Try(() => inner.WriteLine(value));

    public override void Flush() => Try(inner.Flush);

    private static void Try(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // said above
        }
    }
}
