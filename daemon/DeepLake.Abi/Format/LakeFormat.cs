// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>Numbers of the on-disk format.</summary>
public static class LakeFormat
{
    /// <summary>f_type of statfs.</summary>
    [CConst("LAKEFS_SUPER_MAGIC")]
    public const uint SuperMagic = 0x4c414b45u;

    /// <summary>Magic of a superblock: the bytes "LAKEFS1\0".</summary>
    [CConst("LAKEFS_SB_MAGIC")]
    public const ulong SuperblockMagic = 0x315346454b414cul;

    [CConst("LAKEFS_FORMAT_VERSION")]
    public const uint Version = 11;

    [CConst("LAKEFS_BLOCK_BITS")]
    public const int BlockBits = 12;

    [CConst("LAKEFS_BLOCK_SIZE")]
    public const int BlockSize = 4096;

    [CConst("LAKEFS_ROOT_INO")]
    public const ulong RootIno = 1;

    /// <summary>2..15 are reserved.</summary>
    [CConst("LAKEFS_FIRST_INO")]
    public const ulong FirstIno = 16;

    /// <summary>Bytes of a name.</summary>
    [CConst("LAKEFS_NAME_MAX")]
    public const int NameMax = 255;

    /// <summary>Bytes of a symlink target.</summary>
    [CConst("LAKEFS_SYMLINK_MAX")]
    public const int SymlinkMax = 4095;

    /// <summary>Bytes of one xattr value.</summary>
    [CConst("LAKEFS_XATTR_VALUE_MAX")]
    public const int XattrValueMax = 65536;

    /// <summary>Bytes of all xattr names of one inode, with NULs.</summary>
    [CConst("LAKEFS_XATTR_LIST_MAX")]
    public const int XattrListMax = 65536;

    [CConst("LAKEFS_LINK_MAX")]
    public const uint LinkMax = 1000000;

    /// <summary>96 MiB.</summary>
    [CConst("LAKEFS_MIN_DEVICE_BLOCKS")]
    public const ulong MinDeviceBlocks = 24576;

    /// <summary>The largest device, in blocks: 256 TiB.</summary>
    [CConst("LAKEFS_MAX_DEVICE_BLOCKS")]
    public const ulong MaxDeviceBlocks = 0x1000000000ul;

    /// <summary>Bytes of a page store checkpoint ticket.</summary>
    [CConst("LAKEFS_TICKET_MAX")]
    public const int TicketMax = 32768;

    /// <summary>Block of copy A; copy B is in the last block of the device.</summary>
    [CConst("LAKEFS_SB_A_BLOCK")]
    public const ulong SuperblockABlock = 1;

    /// <summary>Incompatible features this version knows.</summary>
    [CConst("LAKEFS_INCOMPAT_KNOWN")]
    public const ulong IncompatKnown = 0x0ul;

    /// <summary>Features without which a device may only be read.</summary>
    [CConst("LAKEFS_RO_COMPAT_KNOWN")]
    public const ulong RoCompatKnown = 0x0ul;

    /// <summary>Compatible features this version knows.</summary>
    [CConst("LAKEFS_COMPAT_KNOWN")]
    public const ulong CompatKnown = 0x0ul;

    /// <summary>Magic of a WAL frame: the bytes "LKWF".</summary>
    [CConst("LAKEFS_WAL_MAGIC")]
    public const uint WalMagic = 0x46574b4cu;

    /// <summary>Frames begin and end at multiples of this.</summary>
    [CConst("LAKEFS_WAL_ALIGN")]
    public const int WalAlign = 4096;

    /// <summary>Bytes of a frame: its sectors.</summary>
    [CConst("LAKEFS_WAL_FRAME_MAX")]
    public const int WalFrameMax = 1048576;

    /// <summary>Bytes of a sector of the log: what a device writes whole or not at all.</summary>
    [CConst("LAKEFS_WAL_SECTOR")]
    public const int WalSector = 512;

    /// <summary>Content of a sector; its mark and its checksum follow.</summary>
    [CConst("LAKEFS_WAL_SECTOR_CONTENT")]
    public const int WalSectorContent = 504;

    /// <summary>Blocks that one BITMAP item covers (1024 bytes).</summary>
    [CConst("LAKEFS_BITMAP_CHUNK_BLOCKS")]
    public const int BitmapChunkBlocks = 8192;

    /// <summary>A place in packs is a device block times <see cref="PackBlocks"/>, so many bits up, plus a block in the pack.</summary>
    [CConst("LAKEFS_PACK_BITS")]
    public const int PackBits = 5;

    /// <summary>Blocks of content in a pack, at most; and of the device.</summary>
    [CConst("LAKEFS_PACK_BLOCKS")]
    public const int PackBlocks = 32;

    [CConst("LAKEFS_PACK_MAGIC")]
    public const uint PackMagic = 0x4b504b4cu;

    /// <summary>One zstd frame that tells the size of its content.</summary>
    [CConst("LAKEFS_PACK_ZSTD")]
    public const int PackZstd = 1;

    /// <summary>Blocks of an extent item that carries crcs.</summary>
    [CConst("LAKEFS_EXTENT_CRC_BLOCKS_MAX")]
    public const int ExtentCrcBlocksMax = 256;

    /// <summary>Entries in a block of the checksum table.</summary>
    [CConst("LAKEFS_SUMS_PER_BLOCK")]
    public const int SumsPerBlock = 1024;

    /// <summary>Anchors in a page of the anchor table.</summary>
    [CConst("LAKEFS_ANCHORS_PER_PAGE")]
    public const int AnchorsPerPage = 170;

    /// <summary>Blocks of data that one page of the anchor table is for.</summary>
    [CConst("LAKEFS_ANCHOR_DATA_BLOCKS")]
    public const int AnchorDataBlocks = 1024;

    /// <summary>Stored for a block whose crc is not known: nothing is compared with it.</summary>
    [CConst("LAKEFS_CRC_UNKNOWN")]
    public const uint CrcUnknown = 0;

    /// <summary>Bytes of one stored piece of a symlink target.</summary>
    [CConst("LAKEFS_LINK_PIECE_BYTES")]
    public const int LinkPieceBytes = 1024;

    /// <summary>Magic of a segment of the archive: the bytes "LAKEARC1".</summary>
    [CConst("LAKEFS_ARCHIVE_MAGIC")]
    public const ulong ArchiveMagic = 0x31435241454b414cul;

    /// <summary>Blocks of a segment before its payload: header and superblock copy.</summary>
    [CConst("LAKEFS_ARCHIVE_META_BLOCKS")]
    public const int ArchiveMetaBlocks = 2;

    /// <summary>Page id of the meta page.</summary>
    [CConst("LAKEFS_PAGE_META")]
    public const ulong PageMeta = 1;

    /// <summary>First page id of the tree.</summary>
    [CConst("LAKEFS_PAGE_FIRST")]
    public const ulong PageFirst = 2;

    /// <summary>Bytes of one item.</summary>
    [CConst("LAKEFS_ITEM_BYTES_MAX")]
    public const int ItemBytesMax = 1280;

    /// <summary>Bytes of one stored piece of a xattr.</summary>
    [CConst("LAKEFS_XATTR_PIECE_BYTES")]
    public const int XattrPieceBytes = 1024;

    /// <summary>Findings that the item of the scrub has room for.</summary>
    [CConst("LAKEFS_SCRUB_FINDINGS_MAX")]
    public const int ScrubFindingsMax = 20;
}
