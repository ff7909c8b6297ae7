// SPDX-License-Identifier: MPL-2.0
using System.Net.Sockets;
using DeepLake.Control;
using DeepLake.Lakectl.Client;
using DeepLake.Lakectl.Commands;
using DeepLake.Lakectl.Output;
using Google.Protobuf;
using NUnit.Framework;

namespace DeepLake.Cli.Tests;

/// <summary>What lakectl makes of a stream of changes; the daemon is played.</summary>
[TestFixture]
public sealed class C095WatchTests : ScratchFixture
{
    [Test]
    public void AfterTheDaemonsDeath_ItGoesOnBehindWhatWasShown()
    {
        var asked = new List<string>();
        List<string> shown = Watch(
            asked,
            stream => Send(stream, "c0"),
            stream => Send(stream, "c2", "c1", "c2"),
            stream =>
            {
                stream.Write([200, 0, 0, 0, 1, 2, 3]); // it dies within a message
            },
            stream =>
            {
                Error(stream, ErrorCode.ErrorNotFound, "its successor does not know the lake yet");
            },
            stream =>
            {
                Send(stream, "c4", "c3");
                MessageFrame.Write(stream, new Response { Result = new Result { Watch = new WatchEnd { Cursor = "c4" } } });
            });
        Assert.That(shown, Is.EqualTo(new[] { "c1", "c2", "c3", "end" }));
        Assert.That(asked, Is.EqualTo(new[] { "begin", "c0", "c2", "c2", "c2" }));
    }

    [Test]
    public void ARefusal_IsTheEnd()
    {
        var asked = new List<string>();
        Assert.That(Watch(asked, stream => Error(stream, ErrorCode.ErrorPartial, "not kept any more")), Is.EqualTo(new[] { "ErrorPartial: not kept any more" }));
        asked.Clear();
        Assert.That(
            Watch(asked, stream => Send(stream, "c0"), stream => Error(stream, ErrorCode.ErrorPartial, "a gap")),
            Is.EqualTo(new[] { "ErrorPartial: a gap" }));
        asked.Clear();
        Assert.That(
            Watch(asked, stream => Error(stream, ErrorCode.ErrorBusy, "8 others watch already")),
            Is.EqualTo(new[] { "ErrorBusy: 8 others watch already" }), "nothing has begun that could go on");
    }

    [Test]
    public void Lines_SayWhatAndWhere()
    {
        var rename = new Change
        {
            Seq = 7, Op = "rename", Ino = 5, Dir = 1, DirNow = "/", Name = ByteString.CopyFromUtf8("a\n"), ToDir = 9, ToName = ByteString.CopyFromUtf8("b"), OtherIno = 6,
        };
        Assert.That(WatchText.Line(rename), Is.EqualTo("       7 rename      /a\\n -> inode 9:/b (inode 6 was there)"));
        var write = new Change { Seq = 123456789, Op = "write", Ino = 5, PathNow = "/dir/file", FirstByte = 0, EndByte = 4096, Size = 5 };
        Assert.That(WatchText.Line(write), Is.EqualTo("123456789 write       /dir/file (bytes 0 to 4095, size 5)"));
        var create = new Change { Seq = 1, Op = "create", Ino = 5, Kind = "file", Mode = 0x1a4, Uid = 3, Gid = 4 };
        Assert.That(WatchText.Line(create), Is.EqualTo("       1 create      inode 5 (file, mode 0644, owner 3:4)"));
        Assert.That(WatchText.Line(new Change { Seq = 1, Op = "epoch" }), Is.EqualTo("       1 epoch       "));
    }

    [Test]
    public void WhatIsNotMounted_CannotBeWatched()
    {
        Cli.MakeLake(_scratch["a.img"]);
        CliResult image = Cli.Run("watch", _scratch["a.img"]);
        Assert.That(image.ExitCode, Is.EqualTo(10));
        Assert.That(image.Errors, Does.Contain("is not mounted"));
        CliResult none = Cli.Run("watch", "--once", "--json");
        Assert.That((none.ExitCode, Cli.Json(none).GetProperty("type").GetString()), Is.EqualTo((10, "error")));
        Assert.That(Cli.Run("watch", "--since").ExitCode, Is.EqualTo(2));
        CliResult empty = Cli.Run("watch", "--once", "--since", "");
        Assert.That((empty.ExitCode, empty.Errors), Is.EqualTo((2, "lakectl: the cursor of --since is empty\n  next: copy it whole from a line of lakectl watch, or use --since oldest\n")));
        Assert.That(Cli.Run("watch", "--follow").Errors, Does.Contain("no option --follow"));
    }

    /// <summary>One connection after the other; what came of them.</summary>
    private List<string> Watch(List<string> asked, params Action<NetworkStream>[] daemons)
    {
        string path = _scratch[$"socket{daemons.Length}"];
        File.Delete(path);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(1);
        Task daemon = Task.Run(() =>
        {
            foreach (Action<NetworkStream> serve in daemons)
            {
                using var stream = new NetworkStream(listener.Accept(), ownsSocket: true);
                asked.Add(MessageFrame.Read(stream, Request.Parser, ControlProtocol.MaxRequestBytes)!.Watch.Cursor);
                serve(stream);
            }
        });
        Environment.SetEnvironmentVariable("LAKED_SOCKET", path);
        try
        {
            Request request = CommandRunner.NewRequest();
            request.Watch = new WatchRequest { Cursor = "begin" };
            var shown = new List<string>();
            Response end = new WatchClient(request, batch => shown.AddRange(batch.Changes.Select(c => c.Cursor))).Run()!;
            Assert.That(daemon.Wait(10_000), Is.True);
            shown.Add(end.Error is { } error ? $"{error.Code}: {error.Message}" : "end");
            return shown;
        }
        finally
        {
            Environment.SetEnvironmentVariable("LAKED_SOCKET", null);
        }
    }

    private static void Send(NetworkStream stream, string cursor, params string[] changes)
    {
        var batch = new ChangeBatch { Cursor = cursor, Device = "/dev/played" };
        batch.Changes.AddRange(changes.Select(c => new Change { Cursor = c }));
        MessageFrame.Write(stream, new Response { Progress = new Progress { Changes = batch } });
    }

    private static void Error(NetworkStream stream, ErrorCode code, string message) =>
        MessageFrame.Write(stream, new Response { Error = new Error { Code = code, Message = message } });
}
