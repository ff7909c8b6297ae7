// SPDX-License-Identifier: MPL-2.0
using System.Buffers.Binary;
using System.Text;

namespace DeepLake.Lakectl.Files;

/// <summary>Of a file, what .NET does not tell: its number, and the filesystem it is on.</summary>
internal sealed record FileStatus(ulong Ino, uint Major, uint Minor, bool IsDirectory, bool IsRegular)
{
    // struct statx, which is the same on all machines
    private const int StatusBytes = 256;
    private const int ModeAt = 28;
    private const int InoAt = 32;
    private const int MajorAt = 136;
    private const int MinorAt = 140;

    private const uint TypeMask = 0xf000;
    private const uint Directory = 0x4000;
    private const uint Regular = 0x8000;

    /// <summary>Follows symlinks; null when there is no such file, or when it may not be looked at.</summary>
    internal static unsafe FileStatus? Of(string path)
    {
        byte* status = stackalloc byte[StatusBytes];
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            if (path.Contains('\0') || LibC.Statx(LibC.CurrentDirectory, name, 0, LibC.BasicStatus, status) != 0)
            {
                return null;
            }
        }

        var bytes = new ReadOnlySpan<byte>(status, StatusBytes);
        uint type = BinaryPrimitives.ReadUInt16LittleEndian(bytes[ModeAt..]) & TypeMask;
        return new FileStatus(
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[InoAt..]),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[MajorAt..]),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[MinorAt..]),
            type == Directory,
            type == Regular);
    }
}
