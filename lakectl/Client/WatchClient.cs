// SPDX-License-Identifier: MPL-2.0
using System.Net.Sockets;
using DeepLake.Control;
using DeepLake.Lakectl.Files;

namespace DeepLake.Lakectl.Client;

/// <summary>
/// Receives the durable changes of a lake. When the daemon dies or cuts a reader that was slow, it goes on with the
/// cursor of what was shown last, so that each change comes once.
/// </summary>
/// <param name="request">From where on; its cursor moves.</param>
/// <param name="show">Gets what comes, and has shown it when it returns.</param>
internal sealed class WatchClient(Request request, Action<ChangeBatch> show)
{
    // A successor starts, recovers the lake and takes it over.
    private const long SuccessorMs = 60_000;
    private const int RetryMs = 250;

    private bool _isBegun; // on this connection
    private IOException? _outputFailure;

    /// <summary>The answer that ends it; null when nobody reads what is shown any more.</summary>
    /// <exception cref="IOException">What came cannot be shown.</exception>
    internal Response? Run()
    {
        long? lost = null;
        while (true)
        {
            _isBegun = false;
            Response? end = Once();
            lost = _isBegun ? Environment.TickCount64 : lost;
            if (_outputFailure is { } failure)
            {
                throw failure;
            }
            if (end?.Error is not { } error || !MayPass(error) || lost is null || Environment.TickCount64 - lost > SuccessorMs)
            {
                return end;
            }
            Thread.Sleep(RetryMs);
        }
    }

    // A lake that was there has no daemon just now.
    private static bool MayPass(Error error) => error.Code is ErrorCode.ErrorBusy or ErrorCode.ErrorNotFound
        || ReportTexts.RestOf([error.Message], ReportTexts.ConnectionBroke) is not null;

    private Response? Once()
    {
        using Socket? socket = DaemonClient.Open(out Response? failure);
        if (socket is null)
        {
            return failure;
        }
        using var stream = new NetworkStream(socket);
        try
        {
            DaemonClient.Send(stream, request);
            while (Descriptor.WaitForInput((int)socket.Handle, Descriptor.Output))
            {
                Response? response = MessageFrame.Read(stream, Response.Parser, ControlProtocol.MaxResponseBytes);
                if (response?.Progress?.Changes is not { } batch)
                {
                    return response ?? Broken("it was closed");
                }
                if (!TryShow(batch))
                {
                    return null;
                }
            }
            return null;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            return Broken(e.Message);
        }
    }

    // A failure of the output is not one of the connection: nothing is to be shown twice.
    private bool TryShow(ChangeBatch batch)
    {
        _isBegun = true;
        try
        {
            show(batch);
        }
        catch (IOException e)
        {
            _outputFailure = e;
            return false;
        }
        request.Watch.Cursor = batch.Cursor;
        return true;
    }

    private static Response Broken(string why) =>
        OneShotClient.Failure(ErrorCode.ErrorGeneral, ReportTexts.ConnectionBroke + why, "try again; see lakectl logs");
}
