// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using DeepLake.Abi;
using DeepLake.Control;
using NUnit.Framework;

namespace DeepLake.Cli.Tests;

[TestFixture]
public sealed class C070ControlFrameTests
{
    private static readonly byte[][] Hostile =
    [
        [1, 0],
        [0xff, 0xff, 0xff, 0x7f],
        [0xff, 0xff, 0xff, 0xff],
        [1, 0, 1, 0, 1, 2, 3],
        [5, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff],
        [4, 0, 0, 0, 1],
    ];

    [Test]
    public void Messages_ComeBackAsTheyWere_AndTheEndIsNull()
    {
        var stream = new MemoryStream();
        var request = new Request { Version = 1, Mkfs = new MkfsRequest { DevicePath = "/dev/x", Label = "L", Force = true } };
        MessageFrame.Write(stream, request);
        MessageFrame.Write(stream, new Request());
        stream.Position = 0;
        Assert.That(MessageFrame.Read(stream, Request.Parser, 1000), Is.EqualTo(request));
        Assert.That(MessageFrame.Read(stream, Request.Parser, 1000), Is.EqualTo(new Request()));
        Assert.That(MessageFrame.Read(stream, Request.Parser, 1000), Is.Null);
    }

    [TestCaseSource(nameof(Hostile))]
    public void Read_RefusesHostileBytes(byte[] bytes) => Assert.That(
        () => MessageFrame.Read(new MemoryStream(bytes), Request.Parser, ControlProtocol.MaxRequestBytes),
        Throws.InstanceOf<InvalidDataException>().Or.InstanceOf<EndOfStreamException>());

    [TestCaseSource(nameof(Hostile))]
    public void OneShot_EndsWithAnError_OnHostileBytes(byte[] bytes)
    {
        using Process laked = Process.Start(new ProcessStartInfo(Cli.Laked, ["oneshot"]) { RedirectStandardInput = true, RedirectStandardError = true })!;
        laked.StandardInput.BaseStream.Write(bytes);
        laked.StandardInput.Close();
        string errors = laked.StandardError.ReadToEnd();
        Assert.That(laked.WaitForExit(TimeSpan.FromMinutes(1)));
        Assert.That(laked.ExitCode, Is.EqualTo(1));
        Assert.That(errors, Does.StartWith("laked: ").And.Not.Contain("Unhandled"));
    }

    [Test]
    public void OneShot_RefusesAnotherVersionAndCommandsOfTheDaemon()
    {
        Response other = Ask(new Request { Version = 99, Ping = new PingRequest() });
        Assert.That(other.Error.Message, Does.Contain("version"));
        Response logs = Ask(new Request { Version = ControlProtocol.Version, Logs = new LogsRequest() });
        Assert.That(logs.Error.Code, Is.EqualTo(ErrorCode.ErrorUsage));
        Response pong = Ask(new Request { Version = ControlProtocol.Version, Ping = new PingRequest() });
        Assert.That(pong.Result.Pong.FormatVersion, Is.EqualTo(LakeFormat.Version));
    }

    private static Response Ask(Request request)
    {
        using Process laked = Process.Start(new ProcessStartInfo(Cli.Laked, ["oneshot"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        MessageFrame.Write(laked.StandardInput.BaseStream, request);
        laked.StandardInput.Close();
        Response? response = MessageFrame.Read(laked.StandardOutput.BaseStream, Response.Parser, ControlProtocol.MaxResponseBytes);
        laked.WaitForExit();
        return response ?? throw new InvalidOperationException("no answer");
    }
}
