// SPDX-License-Identifier: MPL-2.0
using System.Globalization;

namespace DeepLake.Laked.Ingest;

/// <summary>How much a block device has been used by everybody, from what the kernel counts anyway.</summary>
internal sealed class DeviceUse
{
    // Documentation/block/stat.rst: milliseconds during which something was under way
    private const int IoTicksField = 9;

    private readonly string _path;

    internal DeviceUse(uint major, uint minor)
        : this($"/sys/dev/block/{major}:{minor}/stat")
    {
    }

    internal DeviceUse(string path) => _path = path;

    /// <summary>Zero where nothing is counted.</summary>
    public TimeSpan BusyTime()
    {
        try
        {
            string[] fields = File.ReadAllText(_path).Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return fields.Length > IoTicksField && long.TryParse(fields[IoTicksField], NumberStyles.None, CultureInfo.InvariantCulture, out long ms)
                ? TimeSpan.FromMilliseconds(ms)
                : TimeSpan.Zero;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return TimeSpan.Zero;
        }
    }
}
