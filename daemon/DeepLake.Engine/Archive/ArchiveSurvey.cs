// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine.Archive;

/// <summary>
/// The segments of the archive that are on a device, found by reading all of it: nothing else of the lake
/// has to be whole. Those that the lake has given up since may be among them.
/// </summary>
public sealed class ArchiveSurvey
{
    private const int ChunkBytes = 1 << 20;
    private const int SegmentsMost = 65_536;

    private ArchiveSurvey(IReadOnlyList<ArchiveHeader> segments) => Segments = segments;

    /// <summary>In the order of the device. Their payloads have not been looked at.</summary>
    public IReadOnlyList<ArchiveHeader> Segments { get; }

    /// <param name="device">Is only read.</param>
    /// <param name="progress">Told how many bytes have been read, now and then.</param>
    /// <exception cref="StorageException">The device failed.</exception>
    public static ArchiveSurvey Read(IBlockDevice device, Action<long>? progress = null)
    {
        var found = new List<ArchiveHeader>();
        using var chunk = new AlignedBuffer(ChunkBytes);
        long end = device.LengthBytes / LakeFormat.BlockSize * LakeFormat.BlockSize;
        for (long at = 0; at < end; at += ChunkBytes)
        {
            Span<byte> bytes = chunk.Slice(0, (int)Math.Min(ChunkBytes, end - at));
            device.Read(bytes, at);
            for (int i = 0; i < bytes.Length; i += LakeFormat.BlockSize)
            {
                if (ArchiveSegment.TryParse(bytes[i..], (ulong)(at + i) / LakeFormat.BlockSize, out ArchiveHeader header))
                {
                    Add(found, header);
                }
            }

            progress?.Invoke(at + bytes.Length);
        }

        return new ArchiveSurvey(found);
    }

    // More than a lake can have is somebody's doing.
    private static void Add(List<ArchiveHeader> found, in ArchiveHeader header)
    {
        if (found.Count == SegmentsMost)
        {
            throw new LakeFormatException(
                Errno.EUCLEAN, $"the device holds more than {SegmentsMost} headers of segments: files that look like an archive are among them",
                "copy the device, and delete what is not the lake's own");
        }

        found.Add(header);
    }
}
