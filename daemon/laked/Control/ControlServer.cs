// SPDX-License-Identifier: MPL-2.0
using System.Net.Sockets;
using DeepLake.Control;
using DeepLake.Laked.Logging;
using DeepLake.Laked.Serve;
using DeepLake.Platform;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DeepLake.Laked.Control;

/// <summary>
/// The control socket. Each client has a thread of its own, a time limit for every read and write, and
/// one request; there is a limit to their number. None of them can hold an engine up for long.
/// </summary>
internal sealed class ControlServer(ServeOptions options, ControlCommands commands, ILogger<ControlServer> logger) : IHostedService, IDisposable
{
    private const int MaxClients = 16;
    private const int Backlog = 16;
    private const int ClientStackBytes = 512 * 1024;
    private const int RequestTimeoutMs = 5_000;
    private const int ResponseTimeoutMs = 10_000;
    private const uint Root = 0;

    private const UnixFileMode Everyone =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead
        | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private int _clients;
    private volatile bool _stopping;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        string path = options.SocketPath;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path) ?? "/");
            // Only one daemon runs at a time (the launcher's lock), so what is there is left over.
            File.Delete(path);
            _listener.Bind(new UnixDomainSocketEndPoint(path));
            // Anyone may connect, to be told who may ask: SO_PEERCRED decides.
            File.SetUnixFileMode(path, Everyone);
            _listener.Listen(Backlog);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            // Lakes are served without it too.
            ControlEvents.SocketFailed(logger, $"{path}: {e.Message}");
            return Task.CompletedTask;
        }
        new Thread(Accept) { IsBackground = true, Name = "control" }.Start();
        ControlEvents.Listening(logger, path);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _stopping = true;
        _listener.Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => _listener.Dispose();

    private void Accept()
    {
        while (!_stopping)
        {
            try
            {
                Socket client = _listener.Accept();
                new Thread(() => Serve(client), ClientStackBytes) { IsBackground = true, Name = "control client" }.Start();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                if (!_stopping)
                {
                    ControlEvents.SocketFailed(logger, e.Message);
                    Thread.Sleep(TimeSpan.FromSeconds(1));
                }
            }
        }
    }

    private void Serve(Socket client)
    {
        int clients = Interlocked.Increment(ref _clients);
        try
        {
            client.ReceiveTimeout = RequestTimeoutMs;
            client.SendTimeout = ResponseTimeoutMs;
            using var stream = new NetworkStream(client, ownsSocket: true);
            Response? refusal = Refuse(client, clients);
            if (refusal is not null)
            {
                MessageFrame.Write(stream, refusal);
                return;
            }
            Request? request = MessageFrame.Read(stream, Request.Parser, ControlProtocol.MaxRequestBytes);
            if (request is not null)
            {
                commands.Answer(request, response => MessageFrame.Write(stream, response), (int)client.Handle);
            }
        }
        catch (ClientGoneException)
        {
            // It was not waiting for an answer.
        }
        catch (Exception e) when (e is IOException or InvalidDataException or SocketException)
        {
            ControlEvents.ClientCut(logger, e.Message);
        }
        finally
        {
            Interlocked.Decrement(ref _clients);
        }
    }

    private Response? Refuse(Socket client, int clients)
    {
        Errno error = Linux.GetPeerCredentials((int)client.Handle, out PeerCredentials peer);
        if (error != Errno.None || peer.UserId != Root)
        {
            ControlEvents.Refused(logger, peer.UserId, peer.ProcessId);
            return Responses.Error(ErrorCode.ErrorGeneral, "only root may control laked (EPERM)", "run the command as root, or with sudo");
        }
        return clients > MaxClients
            ? Responses.Error(ErrorCode.ErrorBusy, $"{MaxClients} clients are connected already", "try again when one of them is done")
            : null;
    }
}
