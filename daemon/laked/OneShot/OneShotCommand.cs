// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Laked.Control;
using DeepLake.Laked.Import;

namespace DeepLake.Laked.OneShot;

/// <summary>
/// <c>laked oneshot</c>: one request on standard input, its answers on standard output. What a command
/// needs beside the request (a tar stream) follows it on standard input.
/// </summary>
internal static class OneShotCommand
{
    internal static int Run()
    {
        using var cancellation = new CancellationTokenSource();
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        using Stream input = Console.OpenStandardInput();
        using Stream output = Console.OpenStandardOutput();
        try
        {
            Request? request = MessageFrame.Read(input, Request.Parser, ControlProtocol.MaxRequestBytes);
            if (request is null)
            {
                return (int)ErrorCode.ErrorUsage;
            }
            Response response = Answer(request, input, progress => MessageFrame.Write(output, progress), cancellation.Token);
            MessageFrame.Write(output, response);
            return response.Error is null ? 0 : (int)response.Error.Code;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            Console.Error.WriteLine($"laked: the caller is gone: {e.Message}");
            return (int)ErrorCode.ErrorGeneral;
        }

        void Cancel(PosixSignalContext context)
        {
            context.Cancel = true;
            cancellation.Cancel();
        }
    }

    private static Response Answer(Request request, Stream input, Action<Response> send, CancellationToken cancellation)
    {
        try
        {
            return new Response { Result = Work(request, input, send, cancellation) };
        }
        catch (LakeFormatException e)
        {
            return Responses.Error(ErrorCode.ErrorGeneral, $"{DeviceOf(request)}: {e.Message}", e.NextStep);
        }
        catch (Exception e)
        {
            return Responses.FromException(e);
        }
    }

    private static string DeviceOf(Request request) => request.CommandCase switch
    {
        Request.CommandOneofCase.Mkfs => request.Mkfs.DevicePath,
        Request.CommandOneofCase.Stats => request.Stats.DevicePath,
        Request.CommandOneofCase.Verify => request.Verify.DevicePath,
        Request.CommandOneofCase.Import => request.Import.DevicePath,
        Request.CommandOneofCase.Scrub => request.Scrub.DevicePath,
        Request.CommandOneofCase.Health => request.Health.DevicePath,
        Request.CommandOneofCase.Repair => request.Repair.DevicePath,
        Request.CommandOneofCase.Gc => request.Gc.DevicePath,
        _ => "",
    };

    private static Result Work(Request request, Stream input, Action<Response> send, CancellationToken cancellation)
    {
        if (request.Version != ControlProtocol.Version)
        {
            throw new CommandException(
                ErrorCode.ErrorGeneral,
                $"lakectl speaks version {request.Version} of the control protocol, laked {ControlProtocol.Version}",
                "install lakectl and laked of one release");
        }
        return request.CommandCase switch
        {
            Request.CommandOneofCase.Ping => new Result { Pong = ControlCommands.Ping() },
            Request.CommandOneofCase.Mkfs => new Result { Mkfs = MkfsJob.Run(request.Mkfs, cancellation) },
            Request.CommandOneofCase.Stats => new Result { Stats = StatsJob.Run(request.Stats, send) },
            Request.CommandOneofCase.Verify => new Result { Verify = VerifyJob.Run(request.Verify, send, cancellation) },
            Request.CommandOneofCase.Import => new Result { Import = ImportJob.Run(request.Import, input, send, cancellation) },
            Request.CommandOneofCase.Scrub => new Result { Scrub = ScrubJob.Run(request.Scrub, send, cancellation) },
            Request.CommandOneofCase.Gc => new Result { Gc = GcJob.Run(request.Gc, send, cancellation) },
            Request.CommandOneofCase.Health => new Result { Health = HealthJob.Run(request.Health, send) },
            Request.CommandOneofCase.Repair => new Result { Repair = RepairJob.Run(request.Repair, send, cancellation) },
            _ => throw new CommandException(ErrorCode.ErrorUsage, "a one-shot laked does not do this", "ask the running daemon"),
        };
    }
}
