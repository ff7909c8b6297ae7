// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Engine.Ingest;

/// <summary>Bytes of a file that lie together on the device and are checked. Those in packs lie nowhere as they are.</summary>
/// <param name="FilePos">Where they begin in the file.</param>
/// <param name="DevicePos">Where they begin on the device.</param>
/// <param name="Bytes">How many.</param>
/// <param name="IsShared">Others refer to these blocks, too.</param>
public readonly record struct DeviceRun(ulong FilePos, ulong DevicePos, ulong Bytes, bool IsShared)
{
    public ulong FileEnd => FilePos + Bytes;

    /// <summary>The checked bytes of a range, one run for each piece of the map.</summary>
    public static List<DeviceRun> Pieces(SealView? view, ulong from, ulong end)
    {
        var runs = new List<DeviceRun>();
        foreach (SealPiece piece in view?.Pieces ?? [])
        {
            ulong begins = piece.FileBlock * LakeFormat.BlockSize;
            ulong first = Math.Max(begins, from);
            ulong last = Math.Min(piece.FileEnd * LakeFormat.BlockSize, end);
            if (first < last && piece.IsWritten && piece.IsChecked && !piece.IsPacked)
            {
                ulong device = (piece.PhysBlock * LakeFormat.BlockSize) + (ulong)piece.Skew + (first - begins);
                runs.Add(new DeviceRun(first, device, last - first, piece.IsShared));
            }
        }

        return runs;
    }

    /// <summary>Whether a range is all checked and lies in both views where the other one says, moved by so much.</summary>
    public static bool AreSame(SealView? a, ulong from, SealView? b, ulong fromOfB, ulong bytes)
    {
        List<DeviceRun> first = Joined(a, from, from + bytes);
        List<DeviceRun> second = Joined(b, fromOfB, fromOfB + bytes);
        return first.Count == second.Count
            && first.Aggregate(0ul, (sum, run) => sum + run.Bytes) == bytes
            && first.Zip(second).All(p => p.First.FilePos - from == p.Second.FilePos - fromOfB
                && p.First.DevicePos == p.Second.DevicePos && p.First.Bytes == p.Second.Bytes);
    }

    private static List<DeviceRun> Joined(SealView? view, ulong from, ulong end)
    {
        List<DeviceRun> pieces = Pieces(view, from, end);
        var runs = new List<DeviceRun>(pieces.Count);
        foreach (DeviceRun piece in pieces)
        {
            if (runs.Count > 0 && runs[^1].FileEnd == piece.FilePos && runs[^1].DevicePos + runs[^1].Bytes == piece.DevicePos)
            {
                runs[^1] = runs[^1] with { Bytes = runs[^1].Bytes + piece.Bytes };
            }
            else
            {
                runs.Add(piece);
            }
        }

        return runs;
    }
}
