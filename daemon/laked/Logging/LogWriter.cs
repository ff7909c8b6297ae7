// SPDX-License-Identifier: MPL-2.0
using System.Text;
using DeepLake.Platform;

namespace DeepLake.Laked.Logging;

/// <summary>
/// The one thread that writes log lines: to standard error, and to a file whose descriptor is opened at
/// the start and whose length is bounded (when it is full, it begins anew with the newest lines).
/// </summary>
internal sealed class LogWriter : IDisposable
{
    private const long MaxFileBytes = 4 << 20;
    private const int LinesKeptAcross = 200;
    private const int StandardError = 2;
    private const uint FileMode = 0x1a0;

    private readonly LogBuffer _buffer;
    private readonly Thread _thread;
    private readonly int _fileFd = -1;
    private readonly bool _toStandardError;
    private long _fileBytes;

    internal LogWriter(LogBuffer buffer, string? path, bool toStandardError)
    {
        _buffer = buffer;
        _toStandardError = toStandardError;
        if (path is not null)
        {
            Errno error = Linux.Open(path, OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.NoFollow, out _fileFd, FileMode);
            if (error != Errno.None)
            {
                throw new IOException($"cannot open the log {path}: {Linux.Describe(error)}");
            }
            _ = Linux.SizeBytes(_fileFd, out _fileBytes);
        }
        _thread = new Thread(Run) { IsBackground = true, Name = "log" };
        _thread.Start();
    }

    /// <summary>Writes what is left, for a limited time.</summary>
    public void Dispose()
    {
        _buffer.Close();
        if (_thread.Join(TimeSpan.FromSeconds(2)) && _fileFd >= 0)
        {
            Linux.Close(_fileFd);
        }
    }

    private void Run()
    {
        while (_buffer.Take() is { } line)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(line + "\n");
            if (_toStandardError)
            {
                _ = Linux.Write(StandardError, bytes, out _);
            }
            if (_fileFd >= 0)
            {
                WriteToFile(bytes);
            }
        }
    }

    private void WriteToFile(byte[] bytes)
    {
        if (_fileBytes + bytes.Length > MaxFileBytes)
        {
            if (Linux.Truncate(_fileFd, 0) != Errno.None)
            {
                return;
            }
            _fileBytes = 0;
            bytes = Encoding.UTF8.GetBytes(string.Join('\n', _buffer.Last(LinesKeptAcross)) + "\n");
        }
        if (Linux.WriteFullyAt(_fileFd, bytes, _fileBytes) == Errno.None)
        {
            _fileBytes += bytes.Length;
        }
    }
}
