// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Laked.Logging;
using DeepLake.Platform;
using DeepLake.Transport;
using Microsoft.Extensions.Logging;

namespace DeepLake.Laked.Serve;

/// <summary>
/// Answers requests in their order. One whose barrier is not reached yet, or whose reply finds no room,
/// is kept and tried again in the next round.
/// </summary>
internal sealed class RequestService(RingMemory memory, LakeEngine engine, AttachmentCommitSink sink, ILogger logger, string name)
{
    private const int RoundRequests = 32;

    private readonly byte[] _request = GC.AllocateArray<byte>(LakeRing.RequestMax, pinned: true);
    private readonly byte[] _payload = GC.AllocateArray<byte>(ReplyWriter.MaxPayloadBytes, pinned: true);
    private readonly RequestReader _reader = new(memory);
    private readonly ReplyWriter _writer = new(memory);
    private int _heldBytes;
    private bool _hasReply;
    private ulong _replyTag;
    private int _replyStatus;
    private uint _replyFlags;
    private int _replyBytes;

    /// <summary>Called before an UNMOUNT is handled: after its answer the device may be somebody else's.</summary>
    internal Action? Unmounting { get; init; }

    /// <summary>A reply waits for room.</summary>
    internal bool IsBlocked => _hasReply;

    /// <summary>There is a request that can be answered now.</summary>
    internal bool HasWork => _heldBytes > 0 ? BarrierIsReached() : _reader.HasEntries && !_hasReply;

    /// <summary>Answers what can be answered, up to a bound; how many.</summary>
    internal int AnswerSome()
    {
        int answered = 0;
        while (answered < RoundRequests)
        {
            if (_hasReply && !TryReply())
            {
                break;
            }
            if (_heldBytes == 0 && !TryTake())
            {
                break;
            }
            if (!BarrierIsReached())
            {
                break;
            }
            Handle();
            if (TryReply())
            {
                answered++;
            }
        }
        return answered;
    }

    private bool TryTake()
    {
        switch (_reader.TryRead(_request, out int length))
        {
            case ReadStatus.Entry:
                _heldBytes = length;
                _reader.Publish();
                return true;
            case ReadStatus.Broken:
                throw new RingException(Errno.EPROTO, "the request ring contradicts the protocol");
            default:
                return false;
        }
    }

    private bool BarrierIsReached() => MemoryMarshal.Read<RequestHeader>(_request).Barrier <= engine.AppliedSeq;

    private void Handle()
    {
        var header = MemoryMarshal.Read<RequestHeader>(_request);
        if (header.Op == RequestOp.Unmount)
        {
            Unmounting?.Invoke();
        }
        int result = engine.HandleRequest(_request.AsSpan(0, _heldBytes), _payload, out _replyFlags);
        _heldBytes = 0;
        _hasReply = true;
        _replyTag = header.Tag;
        _replyStatus = Math.Min(result, 0);
        _replyBytes = Math.Max(result, 0);
        if (result < 0 && IsUnexpected((Errno)(-result)))
        {
            ServeEvents.RequestFailed(logger, name, header.Op.ToString(), result);
        }
        else if (header.Op == RequestOp.Mount && result >= 0)
        {
            sink.IsOpen = true;
            ServeEvents.Mounted(logger, name, engine.Epoch);
        }
    }

    private bool TryReply()
    {
        switch (_writer.TryWrite(_replyTag, _replyStatus, _replyFlags, _payload.AsSpan(0, _replyBytes)))
        {
            case WriteStatus.Written:
                _hasReply = false;
                return true;
            case WriteStatus.Broken:
                throw new RingException(Errno.EPROTO, "the kernel's reply tail contradicts the protocol");
            default:
                return false;
        }
    }

    private static bool IsUnexpected(Errno error) => error is Errno.EIO or Errno.EINVAL or Errno.EUCLEAN or Errno.EPROTO or Errno.ENOSYS;
}
