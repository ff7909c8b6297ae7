// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using System.Runtime.InteropServices;
using DeepLake.Control;
using DeepLake.Lakectl.Files;

namespace DeepLake.Lakectl.Client;

/// <summary>Has one command done by a laked of its own: it is the only program that touches devices.</summary>
internal static partial class OneShotClient
{
    private const string PathVariable = "LAKED";
    private const int SignalTerminate = 15;

    /// <param name="request">The command.</param>
    /// <param name="data">What follows the request on the worker's standard input; may be null.</param>
    /// <param name="progress">Told how far it is.</param>
    internal static Response Run(Request request, Stream? data, Action<Progress> progress)
    {
        string? program = FindLaked();
        if (program is null)
        {
            return Failure(ErrorCode.ErrorNotFound, "the program laked was not found", $"install it beside lakectl, or name it in the variable {PathVariable}");
        }
        using Process worker = Start(program);
        bool interrupted = false;
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Forward);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Forward);
        try
        {
            MessageFrame.Write(worker.StandardInput.BaseStream, request);
            if (data is null)
            {
                worker.StandardInput.Close();
            }
            else
            {
                new Thread(() => Copy(data, worker)) { IsBackground = true }.Start();
            }
            Response answer = ReadAnswer(worker, progress);
            // Whatever the worker ran into then, the reason was the person's.
            return Volatile.Read(ref interrupted) && answer.Error is { } error && error.Code != ErrorCode.ErrorInterrupted
                ? Failure(ErrorCode.ErrorInterrupted, $"interrupted ({error.Message})", "begin again; an import goes on with --resume")
                : answer;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            return Failure(ErrorCode.ErrorGeneral, $"laked ended before it answered: {e.Message}", $"try {program} --version");
        }

        void Forward(PosixSignalContext context)
        {
            // The worker ends the job in order and says so; that answer is waited for. It may be waiting
            // for more input just now: there will be none.
            context.Cancel = true;
            Volatile.Write(ref interrupted, true);
            // not SIGINT: what a script starts with & inherits that one ignored
            _ = Kill(worker.Id, SignalTerminate);
            CloseInput(worker);
        }
    }

    internal static Response Failure(ErrorCode code, string message, string nextStep) =>
        new() { Error = new Error { Code = code, Message = message, NextStep = nextStep } };

    private static Process Start(string program)
    {
        bool isAssembly = program.EndsWith(".dll", StringComparison.Ordinal);
        var info = new ProcessStartInfo(isAssembly ? "dotnet" : program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            // It is not to take a device for the one it was not given.
            RedirectStandardError = Descriptor.IsClosed(Descriptor.Error),
        };
        if (isAssembly)
        {
            info.ArgumentList.Add(program);
        }
        info.ArgumentList.Add("oneshot");
        Process worker = Process.Start(info) ?? throw new IOException($"{program} did not start");
        if (info.RedirectStandardError)
        {
            worker.BeginErrorReadLine();
        }
        return worker;
    }

    private static Response ReadAnswer(Process worker, Action<Progress> progress)
    {
        Stream output = worker.StandardOutput.BaseStream;
        while (MessageFrame.Read(output, Response.Parser, ControlProtocol.MaxResponseBytes) is { } response)
        {
            if (response.KindCase != Response.KindOneofCase.Progress)
            {
                worker.WaitForExit();
                return response;
            }
            progress(response.Progress);
        }
        worker.WaitForExit();
        return Failure(ErrorCode.ErrorGeneral, $"laked ended with status {worker.ExitCode} before it answered", "see its message above");
    }

    private static void Copy(Stream data, Process worker)
    {
        try
        {
            data.CopyTo(worker.StandardInput.BaseStream, 1 << 20);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The worker does not want any more; its answer says why.
        }
        CloseInput(worker);
    }

    private static void CloseInput(Process worker)
    {
        try
        {
            worker.StandardInput.Close();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // It has ended already.
        }
    }

    private static string? FindLaked()
    {
        if (Environment.GetEnvironmentVariable(PathVariable) is { Length: > 0 } named)
        {
            return File.Exists(named) ? named : null;
        }
        string here = AppContext.BaseDirectory;
        IEnumerable<string> places = [here, "/usr/lib/deeplake", .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')];
        return places.Where(p => p.Length > 0).Select(p => Path.Combine(p, "laked")).FirstOrDefault(File.Exists);
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
