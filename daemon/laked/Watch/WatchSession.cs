// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Engine.Changes;
using DeepLake.Laked.Control;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Laked.Watch;

/// <summary>
/// Sends one client the durable changes of a lake, on that client's thread: the log is read there, with a
/// descriptor of its own; the engine only says what there is of it. One batch is in memory at a time. A client that
/// takes none of it for long is cut, and goes on with its cursor.
/// </summary>
internal sealed class WatchSession(WatchRequest request, string device, DurableFollower follower, Action<Action<LakeEngine>> run, Action<Response> send)
{
    /// <summary>A cursor's place: as far back as changes are kept.</summary>
    internal const string Oldest = "oldest";

    // A lake that commits all the time is looked at so often at most.
    private const int LookPauseMs = 50;

    private readonly List<Change> _batch = [];
    private Superblock _superblock;

    /// <summary>Until the client has gone, the lake is unmounted, or with `once` all is sent that was durable at first.</summary>
    /// <param name="clientFd">The client's socket.</param>
    /// <exception cref="CommandException">The cursor is no good, or what follows it is not kept any more.</exception>
    /// <exception cref="IOException">This daemon serves the lake no more, or the client has gone: it is cut.</exception>
    internal WatchEnd Run(int clientFd)
    {
        run(engine => _superblock = engine.Superblock);
        try
        {
            follower.Device.Flush(); // what a predecessor wrote may be on its way still
            using var reader = new ChangeReader(new QueuedLog(run), follower.Device, _superblock);
            ulong until = request.Once ? reader.End.Lsn : ulong.MaxValue;
            Begin(reader);
            return Follow(reader, until, clientFd);
        }
        catch (StorageException e) when (e.Errno == Errno.ESTALE)
        {
            return End(follower.Wait(0, clientFd), ""); // the feed closed the device
        }
    }

    private WatchEnd Follow(ChangeReader reader, ulong until, int clientFd)
    {
        var rows = new ChangeRows(reader, Cursor, request.All);
        while (true)
        {
            try
            {
                SendAll(reader, rows, until);
            }
            catch (ChangeLogException e)
            {
                throw Refusal(reader, e);
            }
            catch (StorageException e) when (e.Errno == Errno.ESTALE)
            {
                return End(follower.Wait(0, clientFd), Cursor(rows.Passed));
            }

            if (rows.IsAtEnd(until))
            {
                return new WatchEnd { Cursor = Cursor(rows.Passed) };
            }

            FeedState state = follower.Wait(reader.End.Lsn, clientFd);
            if (state != FeedState.Open)
            {
                return End(state, Cursor(rows.Passed));
            }

            Thread.Sleep(LookPauseMs);
        }
    }

    private void Begin(ChangeReader reader)
    {
        if (request.Cursor.Length > 0)
        {
            try
            {
                reader.MoveTo(request.Cursor == Oldest ? reader.FindOldest() : Parse(request.Cursor));
            }
            catch (ChangeLogException e)
            {
                throw Refusal(reader, e);
            }
        }

        send(new Response { Progress = new Progress { Changes = new ChangeBatch { Cursor = Cursor(reader.Place), Device = device } } });
    }

    private void SendAll(ChangeReader reader, ChangeRows rows, ulong until)
    {
        reader.Refresh();
        while (rows.Take(until, _batch) || _batch.Count > 0)
        {
            CurrentPaths.Add(_batch, run);
            var batch = new ChangeBatch { Cursor = Cursor(rows.Passed) };
            batch.Changes.AddRange(_batch);
            _batch.Clear();
            send(new Response { Progress = new Progress { Changes = batch } });
        }
    }

    private string Cursor(LogPlace place) => ChangeCursor.Format(_superblock, place);

    private LogPlace Parse(string text) => ChangeCursor.Parse(text, _superblock, out LogPlace place) switch
    {
        CursorStatus.Good => place,
        CursorStatus.OtherLake => throw new CommandException(
            ErrorCode.ErrorGeneral, $"the cursor is of another lake than {device}", "name the lake that it came from, or begin without a cursor"),
        CursorStatus.OtherVersion => throw new CommandException(
            ErrorCode.ErrorGeneral, "the cursor was made by another release of DeepLake", $"begin anew, with --since {Oldest} or without a cursor"),
        _ => throw new CommandException(
            ErrorCode.ErrorUsage, $"{(text.Length > 80 ? "that" : text)} is no cursor", $"copy it whole from a line of lakectl watch, or use --since {Oldest}"),
    };

    private CommandException Refusal(ChangeReader reader, ChangeLogException e)
    {
        string oldest = Cursor(reader.FindOldest());
        string anew = $"what they changed has to be looked for in the lake itself; then go on with --since {oldest}, the oldest place from which all is kept";
        return e.Problem switch
        {
            ChangeLogProblem.Gone => new CommandException(
                ErrorCode.ErrorPartial, $"the changes behind cursor {Cursor(e.Place)} (change {e.Place.Seq}) are not kept any more: some are missing before the oldest that follow each other", anew),
            ChangeLogProblem.Future => new CommandException(
                ErrorCode.ErrorGeneral, $"the cursor is from the future of {device}: {e.Message}", "was the lake restored from an older copy? then begin anew, without a cursor"),
            ChangeLogProblem.OtherHistory => new CommandException(
                ErrorCode.ErrorGeneral, $"the cursor is of a history that {device} does not have: it was rebuilt, or restored from a copy", $"begin anew, without a cursor or with --since {oldest}"),
            _ => new CommandException(ErrorCode.ErrorPartial, $"{device}: {e.Message}", "run lakectl verify on it"),
        };
    }

    private static WatchEnd End(FeedState state, string cursor) => state == FeedState.Unmounted
        ? new WatchEnd { Cursor = cursor, Unmounted = true }
        : throw (state == FeedState.ClientGone ? new ClientGoneException() : new IOException("the lake is not served any more"));
}
