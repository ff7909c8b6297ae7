// SPDX-License-Identifier: MPL-2.0
using System.Net.Sockets;
using DeepLake.Control;
using DeepLake.Lakectl.Client;
using DeepLake.Lakectl.Commands;
using NUnit.Framework;

namespace DeepLake.Cli.Tests;

/// <summary>What lakectl makes of a running daemon's answers; the daemon is played.</summary>
[TestFixture]
public sealed class C075DaemonTests : ScratchFixture
{
    /// <summary>
    /// Regression: the daemon refuses before it reads. Its answer is there, but sending the request fails
    /// with EPIPE, and the person was told of a broken connection.
    /// </summary>
    [Test]
    public void ARefusalThatCameBeforeTheRequest_IsRead()
    {
        var refusal = new Response { Error = new Error { Code = ErrorCode.ErrorBusy, Message = "16 clients are connected already", NextStep = "wait" } };
        Response answer = AskOne(daemon =>
        {
            using var stream = new NetworkStream(daemon);
            MessageFrame.Write(stream, refusal);
        });
        Assert.That(answer, Is.EqualTo(refusal));
    }

    [Test]
    public void ADaemonThatClosesWithoutAnAnswer_IsAnError()
    {
        Response answer = AskOne(_ => { });
        Assert.That(answer.Error.Code, Is.EqualTo(ErrorCode.ErrorGeneral));
        Assert.That(answer.Error.Message, Does.Contain("closed the connection"));
    }

    /// <summary>Regression: between a daemon's death and its successor lakectl said that none runs.</summary>
    [Test]
    public void ADaemonThatHasDied_IsWaitedFor()
    {
        string path = _scratch["socket"];
        using (Listener(path + ".dead"))
        {
            File.Move(path + ".dead", path); // a socket that is closed takes its own name along only
        }
        Environment.SetEnvironmentVariable("LAKED_SOCKET", path);
        try
        {
            Task<Response> asked = Task.Run(() => DaemonClient.Run(CommandRunner.NewRequest(), _ => { }));
            Thread.Sleep(500);
            Assert.That(asked.IsCompleted, Is.False);
            File.Delete(path);
            using Socket successor = Listener(path);
            using (Socket accepted = successor.Accept())
            {
                using var stream = new NetworkStream(accepted);
                MessageFrame.Write(stream, new Response { Result = new Result() });
                Assert.That(asked.Result.KindCase, Is.EqualTo(Response.KindOneofCase.Result));
            }
        }
        finally
        {
            Environment.SetEnvironmentVariable("LAKED_SOCKET", null);
        }
    }

    private static Socket Listener(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen(1);
        return socket;
    }

    /// <summary>Regression: after a daemon had died and was replaced the mount was called not cleanly unmounted.</summary>
    [Test]
    public void Stats_SayOfHowALakeWasLeft_OnlyWhatIsKnown()
    {
        string taken = StatsShow.HowItWasOpened(new LakeStats { TakenOver = true, ReplayedIntents = 7 });
        Assert.That(taken, Does.Contain("taken over").And.Contain("7 changes").And.Not.Contain("clean"));
        string fell = StatsShow.HowItWasOpened(new LakeStats { FellBack = true });
        Assert.That(fell, Does.Contain("newest is damaged").And.Not.Contain("clean"));
        Assert.That(StatsShow.HowItWasOpened(new LakeStats { WasClean = true }), Does.EndWith("cleanly"));
        Assert.That(StatsShow.HowItWasOpened(new LakeStats { ReplayedIntents = 3 }), Does.Contain("not cleanly; 3 changes"));
    }

    /// <summary>Regression: what the kernel had reserved was in no number, and the sum was less than all.</summary>
    [Test]
    public void Stats_SayOfEveryBlock_WhatItIs()
    {
        var lake = new LakeStats { DataBlocks = 1000, UsedBlocks = 100, FreeBlocks = 800 };
        lake.Counters["leased_blocks"] = 97;
        lake.Counters["quarantined_blocks"] = 3;
        string line = StatsShow.DataLine(lake, plain: true);
        ulong[] bytes = [.. line.Split(' ').Where(w => ulong.TryParse(w, out _)).Select(ulong.Parse)];
        Assert.That(line, Does.Contain($"{97 * 4096} reserved"));
        Assert.That(bytes[..^1].Aggregate((a, b) => a + b), Is.EqualTo(bytes[^1]).And.EqualTo(1000 * 4096), line);
    }

    // The daemon's end is closed before the client sends: no chance decides what the client sees.
    private Response AskOne(Action<Socket> daemon)
    {
        var end = new UnixDomainSocketEndPoint(_scratch["socket"]);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(end);
        listener.Listen(1);
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(end);
        using (Socket accepted = listener.Accept())
        {
            daemon(accepted);
        }
        using var stream = new NetworkStream(client);
        return DaemonClient.Converse(stream, new Request { Version = ControlProtocol.Version, Ping = new PingRequest() }, _ => { });
    }
}
