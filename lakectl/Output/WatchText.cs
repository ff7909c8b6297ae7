// SPDX-License-Identifier: MPL-2.0
using System.Text;
using System.Text.Json;
using DeepLake.Control;
using Google.Protobuf;

namespace DeepLake.Lakectl.Output;

/// <summary>Durable changes, a line each: for people, and as JSON (docs/watch.md).</summary>
internal sealed class WatchText(bool json)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private bool _hasBegun;

    internal void Show(ChangeBatch batch)
    {
        if (!_hasBegun)
        {
            _hasBegun = true;
            Begin(batch);
        }
        foreach (Change change in batch.Changes)
        {
            if (json)
            {
                JsonLine.Write("change", w => WriteJson(w, change));
            }
            else
            {
                Console.WriteLine(Line(change));
            }
        }
    }

    internal void End(WatchEnd end)
    {
        string reason = end.Unmounted ? "unmounted" : "once";
        if (json)
        {
            JsonLine.Write("watch-end", w =>
            {
                w.WriteString("reason", reason);
                w.WriteString("cursor", end.Cursor);
            });
            return;
        }
        Console.Error.WriteLine($"{(end.Unmounted ? "the lake was unmounted" : "this is all")}; go on with --since {end.Cursor}");
    }

    private void Begin(ChangeBatch batch)
    {
        if (json)
        {
            JsonLine.Write("watch", w =>
            {
                w.WriteString("device", batch.Device);
                w.WriteString("cursor", batch.Cursor);
            });
            return;
        }
        Console.Error.WriteLine($"{Printable.Of(batch.Device)}: changes behind cursor {batch.Cursor}");
    }

    /// <summary>Number, what, where, and what of it.</summary>
    internal static string Line(Change change)
    {
        var line = new StringBuilder($"{change.Seq,8} {change.Op,-11} {Place(change)}");
        if (change.HasToDir)
        {
            line.Append($" -> {Place(change.ToDir, change.ToDirNow, change.ToName)}");
        }
        string[] facts = [.. Facts(change)];
        if (facts.Length > 0)
        {
            line.Append($" ({string.Join(", ", facts)})");
        }
        return line.ToString();
    }

    private static string Place(Change change) => change.HasDir ? Place(change.Dir, change.DirNow, change.Name)
        : change.PathNow.Length > 0 ? Printable.Of(change.PathNow)
        : change.Ino != 0 ? $"inode {change.Ino}" : "";

    private static string Place(ulong dir, string dirNow, ByteString name) =>
        Printable.Of($"{(dirNow.Length > 0 ? dirNow.TrimEnd('/') : $"inode {dir}:")}/{name.ToStringUtf8()}");

    private static IEnumerable<string> Facts(Change change)
    {
        if (change.Kind.Length > 0)
        {
            yield return change.Kind;
        }
        if (change.LinkTarget.Length > 0)
        {
            yield return $"to {Printable.Of(change.LinkTarget.ToStringUtf8())}";
        }
        if (change.XattrName.Length > 0)
        {
            yield return Printable.Of(change.XattrName.ToStringUtf8());
        }
        if (change.HasMode)
        {
            yield return $"mode {Convert.ToString(change.Mode, 8).PadLeft(4, '0')}";
        }
        if (change.HasUid || change.HasGid)
        {
            yield return $"owner {(change.HasUid ? change.Uid : "")}:{(change.HasGid ? change.Gid : "")}";
        }
        if (change.HasFirstByte)
        {
            yield return $"bytes {change.FirstByte} to {change.EndByte - 1}";
        }
        if (change.HasSize)
        {
            yield return $"size {change.Size}";
        }
        if (change.HasOtherIno)
        {
            yield return change.Op == "rename" ? $"inode {change.OtherIno} was there" : $"from inode {change.OtherIno}";
        }
        foreach (string detail in change.Details)
        {
            yield return detail;
        }
    }

    private static void WriteJson(Utf8JsonWriter w, Change change)
    {
        w.WriteNumber("seq", change.Seq);
        w.WriteString("cursor", change.Cursor);
        w.WriteString("op", change.Op);
        w.WriteNumber("epoch", change.Epoch);
        if (change.Ino != 0)
        {
            w.WriteNumber("ino", change.Ino);
        }
        WriteName(w, "dir", change.HasDir ? change.Dir : null, "name", change.Name);
        WriteName(w, "to_dir", change.HasToDir ? change.ToDir : null, "to_name", change.ToName);
        WriteBytes(w, "link_target", change.LinkTarget);
        WriteBytes(w, "xattr_name", change.XattrName);
        WriteText(w, "kind", change.Kind);
        WriteNumber(w, "other_ino", change.HasOtherIno, change.OtherIno);
        WriteNumber(w, "mode", change.HasMode, change.Mode);
        WriteNumber(w, "uid", change.HasUid, change.Uid);
        WriteNumber(w, "gid", change.HasGid, change.Gid);
        WriteNumber(w, "rdev", change.HasRdev, change.Rdev);
        WriteNumber(w, "inode_flags", change.HasInodeFlags, change.InodeFlags);
        WriteNumber(w, "size", change.HasSize, change.Size);
        WriteNumber(w, "first_byte", change.HasFirstByte, change.FirstByte);
        WriteNumber(w, "end_byte", change.HasEndByte, change.EndByte);
        WriteNumber(w, "xattr_bytes", change.HasXattrBytes, change.XattrBytes);
        WriteTime(w, "atime", change.Atime);
        WriteTime(w, "mtime", change.Mtime);
        WriteTime(w, "ctime", change.Ctime);
        w.WriteNumber("entries", change.Entries);
        if (change.Details.Count > 0)
        {
            w.WriteStrings("details", change.Details);
        }
        WriteText(w, "path_now", change.PathNow);
        WriteText(w, "dir_now", change.DirNow);
        WriteText(w, "to_dir_now", change.ToDirNow);
    }

    private static void WriteName(Utf8JsonWriter w, string dirName, ulong? dir, string name, ByteString bytes)
    {
        if (dir is { } ino)
        {
            w.WriteNumber(dirName, ino);
            WriteBytes(w, name, bytes);
        }
    }

    // Names are any bytes; JSON has text only.
    private static void WriteBytes(Utf8JsonWriter w, string name, ByteString bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }
        w.WriteString(name, bytes.ToStringUtf8());
        try
        {
            _ = Strict.GetCharCount(bytes.Span);
        }
        catch (DecoderFallbackException)
        {
            w.WriteString(name + "_hex", Convert.ToHexStringLower(bytes.Span));
        }
    }

    private static void WriteText(Utf8JsonWriter w, string name, string text)
    {
        if (text.Length > 0)
        {
            w.WriteString(name, text);
        }
    }

    private static void WriteNumber(Utf8JsonWriter w, string name, bool isThere, ulong number)
    {
        if (isThere)
        {
            w.WriteNumber(name, number);
        }
    }

    private static void WriteTime(Utf8JsonWriter w, string name, ChangeTime? time)
    {
        if (time is not null)
        {
            w.WriteString(name, $"{time.Sec}.{time.Nsec:d9}");
        }
    }
}
