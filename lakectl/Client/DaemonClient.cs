// SPDX-License-Identifier: MPL-2.0
using System.Net.Sockets;
using DeepLake.Control;

namespace DeepLake.Lakectl.Client;

/// <summary>Asks the running daemon.</summary>
internal static class DaemonClient
{
    private const string SocketVariable = "LAKED_SOCKET";

    internal static Response Run(Request request, Action<Progress> progress)
    {
        string path = Environment.GetEnvironmentVariable(SocketVariable) ?? ControlProtocol.DefaultSocketPath;
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e)
        {
            string reason = File.Exists(path) ? e.Message : "there is no such socket";
            return OneShotClient.Failure(
                ErrorCode.ErrorNotFound, $"laked does not answer on {path}: {reason}", "it runs while a lake is mounted; see findmnt -t lakefs");
        }
        using var stream = new NetworkStream(socket);
        return Converse(stream, request, progress);
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
            return OneShotClient.Failure(ErrorCode.ErrorGeneral, $"the connection to laked broke: {e.Message}", "try again; see lakectl logs");
        }
    }

    // Who may not ask is told so before the request is read: the answer is there although sending failed.
    private static void Send(Stream stream, Request request)
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
