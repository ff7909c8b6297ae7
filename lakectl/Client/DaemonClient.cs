// SPDX-License-Identifier: MPL-2.0
using System.Net.Sockets;
using DeepLake.Control;

namespace DeepLake.Lakectl.Client;

/// <summary>Asks the running daemon.</summary>
internal static class DaemonClient
{
    private const string SocketVariable = "LAKED_SOCKET";
    private const int SuccessorMs = 10_000;

    internal static Response Run(Request request, Action<Progress> progress)
    {
        using Socket? socket = Open(out Response? failure);
        if (socket is null)
        {
            return failure!;
        }
        using var stream = new NetworkStream(socket);
        return Converse(stream, request, progress);
    }

    /// <summary>A connection; null, and why, when there is none.</summary>
    internal static Socket? Open(out Response? failure)
    {
        string path = Environment.GetEnvironmentVariable(SocketVariable) ?? ControlProtocol.DefaultSocketPath;
        Socket? socket = Connect(path, out string problem);
        failure = socket is not null ? null : OneShotClient.Failure(
            ErrorCode.ErrorNotFound, $"laked does not answer on {path}: {problem}", "it runs while a lake is mounted; see findmnt -t lakefs, and dmesg");
        return socket;
    }

    // Programs that use a lake only pause while its daemon is replaced; so do we.
    private static Socket? Connect(string path, out string problem)
    {
        problem = "";
        bool wasThere = false;
        for (long end = Environment.TickCount64 + SuccessorMs; ; Thread.Sleep(100))
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                socket.Connect(new UnixDomainSocketEndPoint(path));
                return socket;
            }
            catch (SocketException e)
            {
                socket.Dispose();
                wasThere |= e.SocketErrorCode == SocketError.ConnectionRefused;
                if (!wasThere || Environment.TickCount64 > end)
                {
                    problem = wasThere ? $"one has ended, and none came after it for {SuccessorMs / 1000} seconds"
                        : File.Exists(path) ? e.Message : "there is no such socket";
                    return null;
                }
            }
        }
    }

    /// <summary>One request and its answer, on a connection that the daemon may have closed already.</summary>
    internal static Response Converse(Stream stream, Request request, Action<Progress> progress)
    {
        try
        {
            Send(stream, request);
            while (MessageFrame.Read(stream, Response.Parser, ControlProtocol.MaxResponseBytes) is { } response)
            {
                if (response.KindCase != Response.KindOneofCase.Progress)
                {
                    return response;
                }
                progress(response.Progress);
            }
            return OneShotClient.Failure(ErrorCode.ErrorGeneral, "laked closed the connection before it answered", "try again; see lakectl logs");
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            return OneShotClient.Failure(ErrorCode.ErrorGeneral, ReportTexts.ConnectionBroke + e.Message, "try again; see lakectl logs");
        }
    }

    // Who may not ask is told so before the request is read: the answer is there although sending failed.
    internal static void Send(Stream stream, Request request)
    {
        try
        {
            MessageFrame.Write(stream, request);
        }
        catch (IOException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.Shutdown or SocketError.ConnectionReset })
        {
        }
    }
}
