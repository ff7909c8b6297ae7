// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using DeepLake.Abi;
using DeepLake.Client;
using DeepLake.Control;
using DeepLake.Laked.Control;
using DeepLake.Platform;

namespace DeepLake.Laked.Import;

/// <summary>
/// Puts the entries of any source into a lake, and decides what is there already. Times are the last
/// thing an entry gets: one that has its source's times is complete. Nothing changes before the first entry.
/// </summary>
internal sealed class TreeImporter(
    LakeClient lake, DataWriter data, bool resume, bool mayRepeat, Action begin, Action<Response> send, CancellationToken cancellation)
{
    private const int MaxWarnings = 100;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private long _told = Stopwatch.GetTimestamp();

    internal ImportResult Result { get; } = new();

    internal DataWriter Data => data;

    /// <summary>There was an entry; before that the lake is as it was.</summary>
    internal bool HasBegun { get; private set; }

    /// <summary>Before anything is changed; again it does nothing.</summary>
    internal void Begin()
    {
        if (!HasBegun)
        {
            HasBegun = true;
            begin();
        }
    }

    /// <summary>Places one entry; false when it is there already, complete.</summary>
    internal bool Place(ulong dir, ReadOnlySpan<byte> name, NodeAttributes node, ReadOnlySpan<byte> target, out ulong ino)
    {
        Begin();
        Result.Entries++;
        if ((resume || mayRepeat) && lake.TryLookup(dir, name, out InodeRecord existing))
        {
            ino = existing.Ino;
            if (node.IsDirectory && IsDirectory(existing))
            {
                Result.Skipped += resume ? 1ul : 0ul;
                Reapply(ino, node);
                return false;
            }
            if (resume && IsComplete(existing, node))
            {
                Result.Skipped++;
                return false;
            }
            Remove(dir, name, existing);
        }
        ino = lake.Create(dir, name, node, target);
        Count(node);
        return true;
    }

    /// <summary>Another name of an inode that was placed before.</summary>
    internal void PlaceLink(ulong dir, ReadOnlySpan<byte> name, ulong ino)
    {
        Result.Entries++;
        if ((resume || mayRepeat) && lake.TryLookup(dir, name, out InodeRecord existing))
        {
            if (existing.Ino == ino)
            {
                Result.Skipped++;
                return;
            }
            Remove(dir, name, existing);
        }
        lake.Link(dir, name, ino);
        Result.HardLinks++;
    }

    /// <summary>The last for a tree: its root.</summary>
    internal void FinishRoot(NodeAttributes node)
    {
        Reapply(LakeFormat.RootIno, node);
        Finish(LakeFormat.RootIno, node);
    }

    /// <summary>A source without entries.</summary>
    /// <param name="what">Why it has none.</param>
    internal void RequireEntries(string what)
    {
        if (!HasBegun)
        {
            throw new CommandException(
                ErrorCode.ErrorGeneral, $"there is nothing to import: {what}; the lake was not changed", "check the source, or the command that it comes from");
        }
    }

    /// <summary>Owner, mode and xattrs of a directory that exists (the root, or one seen before).</summary>
    private void Reapply(ulong ino, NodeAttributes node)
    {
        lake.SetAttributes(ino, AttrMask.Mode | AttrMask.Uid | AttrMask.Gid, node);
        foreach (Xattr xattr in node.Xattrs)
        {
            lake.SetXattr(ino, xattr);
        }
    }

    /// <summary>The last thing for an entry: its times, and a file's size.</summary>
    internal void Finish(ulong ino, NodeAttributes node) => data.Finish(ino, node);

    internal void Warn(string text)
    {
        if (Result.Warnings.Count < MaxWarnings)
        {
            Result.Warnings.Add(text);
        }
    }

    internal void ThrowIfInterrupted() => cancellation.ThrowIfCancellationRequested();

    /// <summary>Ends the job when the person interrupts; tells how far it is now and then.</summary>
    internal void Step(ulong doneBytes, ulong totalBytes, Func<string> item)
    {
        ThrowIfInterrupted();
        if (Stopwatch.GetElapsedTime(_told) >= Interval)
        {
            _told = Stopwatch.GetTimestamp();
            send(totalBytes == 0
                ? Responses.Progress("importing", Result.Entries, 0, "entries", item())
                : Responses.Progress("importing", doneBytes, totalBytes, "bytes", item()));
        }
    }

    private void Remove(ulong dir, ReadOnlySpan<byte> name, in InodeRecord existing)
    {
        if (IsDirectory(existing))
        {
            throw new CommandException(
                ErrorCode.ErrorGeneral,
                $"{Text.Of(name)} is a directory in the lake and something else in the source",
                "the source has changed; make the lake anew with lakectl mkfs --force, and import again");
        }
        data.Flush();
        lake.Unlink(dir, name, existing);
    }

    private void Count(NodeAttributes node)
    {
        Result.Xattrs += (ulong)node.Xattrs.Count;
        Result.Files += node.IsRegular ? 1ul : 0ul;
        Result.Directories += node.IsDirectory ? 1ul : 0ul;
        Result.Symlinks += node.IsSymlink ? 1ul : 0ul;
        Result.Specials += node.IsRegular || node.IsDirectory || node.IsSymlink ? 0ul : 1ul;
    }

    private static bool IsDirectory(in InodeRecord record) => FileType.IsDirectory(record.Mode);

    private static bool IsComplete(in InodeRecord existing, NodeAttributes node) =>
        (existing.Mode & FileType.Mask) == (node.Mode & FileType.Mask)
        && existing.Mtime.Sec == node.Mtime.Sec
        && existing.Mtime.Nsec == node.Mtime.Nsec
        && (!node.IsRegular || existing.Size == node.SizeBytes);
}
