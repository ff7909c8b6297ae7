// SPDX-License-Identifier: MPL-2.0
using System.CommandLine;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using DeepLake.Control;
using DeepLake.Hash;
using DeepLake.Lakectl.Files;
using DeepLake.Lakectl.Output;

namespace DeepLake.Lakectl.Commands;

/// <summary><c>lakectl hash</c>: needs no lake and no daemon.</summary>
internal sealed class Hash
{
    private const string StandardInputName = "-";

    private readonly bool _json;
    private readonly bool _showsProgress;
    private readonly ProgressReporter _reporter;
    private readonly FileHasher _hasher;
    private readonly Stream _output = Console.OpenStandardOutput();
    private string _name = "";
    private long _started;
    private long _shown;

    private Hash(bool json)
    {
        _json = json;
        _showsProgress = json || !Console.IsErrorRedirected;
        _reporter = new ProgressReporter(json);
        _hasher = new FileHasher(ShowProgress);
    }

    internal static Command Create()
    {
        var files = new Argument<string[]>("FILE") { Description = "Files; - for standard input", Arity = ArgumentArity.OneOrMore };
        Option<bool> json = CommandRunner.JsonOption();
        var command = new Command("hash", "Print the BLAKE3 hashes of files, as b3sum does") { files, json };
        command.SetAction(parsed => new Hash(parsed.GetValue(json)).Run(parsed.GetRequiredValue(files)));
        return command;
    }

    private int Run(string[] files)
    {
        int done = 0;
        int failed = 0;
        ErrorCode first = ErrorCode.ErrorUnspecified;
        foreach (FileName file in FileName.Of(files))
        {
            ErrorCode code = HashOne(file);
            done += code == ErrorCode.ErrorUnspecified ? 1 : 0;
            failed += code == ErrorCode.ErrorUnspecified ? 0 : 1;
            first = first == ErrorCode.ErrorUnspecified ? code : first;
        }
        return failed > 0 && done > 0 ? (int)ErrorCode.ErrorPartial : (int)first;
    }

    private ErrorCode HashOne(FileName file)
    {
        bool isInput = file.Text == StandardInputName;
        if (isInput && Descriptor.IsClosed(Descriptor.Input))
        {
            return (ErrorCode)CommandRunner.Fail(ErrorCode.ErrorGeneral, Descriptor.InputClosedMessage, Descriptor.InputClosedAdvice, _json);
        }
        int fd = isInput ? 0 : LibC.OpenForReading(file.Path);
        if (fd < 0)
        {
            return Fail(file, Marshal.GetLastPInvokeError());
        }
        _name = file.Text;
        _started = Stopwatch.GetTimestamp();
        Blake3Hash? hash = _hasher.Hash(fd, out int error);
        _reporter.Finish();
        if (fd != 0)
        {
            LibC.Close(fd);
        }
        if (hash is not { } value)
        {
            return Fail(file, error);
        }
        Show(file, value);
        return ErrorCode.ErrorUnspecified;
    }

    private void Show(FileName file, Blake3Hash hash)
    {
        if (_json)
        {
            JsonLine.Write("hash", w =>
            {
                w.WriteString("name", file.Text);
                w.WriteString("blake3", hash.ToString());
                w.WriteNumber("bytes", _hasher.Bytes);
            });
            return;
        }
        // A name that would break the line is written with escapes, and the line says so.
        string name = file.Text.Replace("\\", "\\\\").Replace("\n", "\\n");
        string mark = name == file.Text ? "" : "\\";
        _output.Write(Encoding.UTF8.GetBytes($"{mark}{hash}  {name}\n"));
    }

    private ErrorCode Fail(FileName file, int error)
    {
        string next = error switch
        {
            LibC.ErrorNotFound => "see that the name is right",
            LibC.ErrorAccess => "try again as root, or as the file's owner",
            LibC.ErrorIsDirectory => "name the files in it",
            _ => "",
        };
        ErrorCode code = error == LibC.ErrorNotFound ? ErrorCode.ErrorNotFound : ErrorCode.ErrorGeneral;
        CommandRunner.Fail(code, $"{file.Text}: {Marshal.GetPInvokeErrorMessage(error)}", next, _json);
        return code;
    }

    // From the second second on, ten times a second; for a terminal, and in JSON once a second.
    private void ShowProgress(ulong done, ulong total)
    {
        long now = Stopwatch.GetTimestamp();
        double interval = _json ? 1 : 0.1;
        if (!_showsProgress || Stopwatch.GetElapsedTime(_started, now).TotalSeconds < 1 || Stopwatch.GetElapsedTime(_shown, now).TotalSeconds < interval)
        {
            return;
        }
        _shown = now;
        _reporter.Show(new Progress { Phase = "hashing", Done = done, Total = total, Unit = "bytes", Item = _name });
    }
}
