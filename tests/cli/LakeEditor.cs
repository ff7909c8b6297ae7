// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Storage;

namespace DeepLake.Cli.Tests;

/// <summary>Changes a lake in an image as a mount of it would: from its beginning to the clean mark.</summary>
internal static class LakeEditor
{
    /// <summary>Removes a file from the root, and with its only name the file. Without the unmount it is durable, and in the log only.</summary>
    internal static void Unlink(string image, ulong ino, string name, bool unmounts = true)
    {
        using DirectBlockDevice device = DirectBlockDevice.Open(image, readOnly: false);
        using LakeEngine engine = LakeEngine.Open(device, new DeviceCommitSink(device), new EngineOptions());
        Ask(engine, new RequestMount { Header = Header<RequestMount>(RequestOp.Mount) });
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        Apply(engine, new IntentUnlink { Dir = LakeFormat.RootIno, Ino = ino, NameBytes = (ushort)bytes.Length }, IntentOp.Unlink, bytes);
        Apply(engine, new IntentRelease { Ino = ino }, IntentOp.Release, []);
        if (unmounts)
        {
            Ask(engine, Header<RequestHeader>(RequestOp.Unmount));
        }
        else
        {
            engine.Commit(); // and the power goes
        }
    }

    private static void Apply<T>(LakeEngine engine, T intent, IntentOp op, byte[] name)
        where T : unmanaged
    {
        int fixedBytes = (Unsafe.SizeOf<T>() + 7) & ~7;
        byte[] entry = new byte[fixedBytes + ((name.Length + 7) & ~7)];
        MemoryMarshal.Write(entry, in intent);
        MemoryMarshal.Write(entry, new IntentHeader { Len = (uint)entry.Length, Op = op, Seq = engine.AppliedSeq + 1 });
        name.CopyTo(entry, fixedBytes);
        engine.Apply(entry);
    }

    private static void Ask<T>(LakeEngine engine, T request)
        where T : unmanaged
    {
        int answer = engine.HandleRequest(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in request)), new byte[LakeRing.ReplyMax], out _);
        if (answer < 0)
        {
            throw new InvalidOperationException($"request failed: {answer}");
        }
    }

    private static RequestHeader Header<T>(RequestOp op)
        where T : unmanaged => new() { Len = (uint)Unsafe.SizeOf<T>(), Op = op };
}
