// SPDX-License-Identifier: MPL-2.0
using DeepLake.Control;

namespace DeepLake.Lakectl.Output;

/// <summary>
/// Shows how far a job is: one changing line on a terminal, one line per phase elsewhere, JSON lines
/// when asked for.
/// </summary>
internal sealed class ProgressReporter(bool json)
{
    private readonly bool _animate = !json && !Console.IsErrorRedirected;
    private string _phase = "";
    private int _shown;

    internal void Show(Progress progress)
    {
        if (json)
        {
            JsonLine.Write("progress", w =>
            {
                w.WriteString("phase", progress.Phase);
                w.WriteNumber("done", progress.Done);
                w.WriteNumber("total", progress.Total);
                w.WriteString("unit", progress.Unit);
                w.WriteString("item", progress.Item);
            });
        }
        else if (_animate)
        {
            Animate(progress);
        }
        else if (progress.Phase != _phase)
        {
            Console.Error.WriteLine($"{progress.Phase} ...");
        }
        _phase = progress.Phase;
    }

    /// <summary>Leaves the line of the terminal to others.</summary>
    internal void Finish()
    {
        if (_shown > 0)
        {
            Console.Error.Write("\r" + new string(' ', _shown) + "\r");
            _shown = 0;
        }
    }

    private void Animate(Progress progress)
    {
        string amount = progress.Done == 0 ? "" : progress.Unit == "bytes" ? Sizes.Format(progress.Done, plain: false) : $"{progress.Done} {progress.Unit}";
        string share = progress.Total == 0 || progress.Done == 0 ? "" : $" ({Math.Min(100, progress.Done * 100 / progress.Total)} %)";
        string line = $"{progress.Phase}: {amount}{share} {Printable.Of(progress.Item)}";
        int width = Math.Max(20, WindowWidth() - 1);
        line = line.Length > width ? line[..width] : line;
        Console.Error.Write("\r" + line.PadRight(_shown));
        _shown = line.Length;
    }

    private static int WindowWidth()
    {
        try
        {
            return Console.WindowWidth;
        }
        catch (IOException)
        {
            return 80;
        }
    }
}
