// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>Numbers of the ring ABI.</summary>
public static class LakeRing
{
    [CConst("LAKEFS_ABI_VERSION")]
    public const uint AbiVersion = 12;

    /// <summary>Magic of the kernel page.</summary>
    [CConst("LAKEFS_RING_MAGIC")]
    public const ulong Magic = 0x474e49524b414cul;

    [CConst("LAKEFS_FEATURES_KNOWN")]
    public const ulong FeaturesKnown = 0x0ul;

    /// <summary>mmap offset of the kernel page, intents and requests.</summary>
    [CConst("LAKEFS_MMAP_RO")]
    public const ulong MmapReadOnly = 0x0ul;

    /// <summary>mmap offset of the daemon page and replies.</summary>
    [CConst("LAKEFS_MMAP_RW")]
    public const ulong MmapReadWrite = 0x100000000ul;

    [CConst("LAKEFS_RING_PAGE")]
    public const int PageBytes = 4096;

    [CConst("LAKEFS_INTENT_RING_BYTES")]
    public const int IntentRingBytes = 1048576;

    [CConst("LAKEFS_REQUEST_RING_BYTES")]
    public const int RequestRingBytes = 262144;

    [CConst("LAKEFS_REPLY_RING_BYTES")]
    public const int ReplyRingBytes = 1048576;

    /// <summary>Size of the read-only area.</summary>
    [CConst("LAKEFS_RO_BYTES")]
    public const int ReadOnlyBytes = 1314816;

    /// <summary>Size of the read-write area.</summary>
    [CConst("LAKEFS_RW_BYTES")]
    public const int ReadWriteBytes = 1052672;

    [CConst("LAKEFS_ENTRY_ALIGN")]
    public const int EntryAlign = 8;

    /// <summary>Bytes of one intent.</summary>
    [CConst("LAKEFS_INTENT_MAX")]
    public const int IntentMax = 98304;

    /// <summary>Bytes of one request.</summary>
    [CConst("LAKEFS_REQUEST_MAX")]
    public const int RequestMax = 4096;

    /// <summary>Bytes of one reply.</summary>
    [CConst("LAKEFS_REPLY_MAX")]
    public const int ReplyMax = 131072;

    /// <summary>In the daemon's page: metadata has no room for more.</summary>
    [CConst("LAKEFS_DAEMON_FULL")]
    public const uint DaemonFull = 0x1;

    /// <summary>Inodes of one INODES request.</summary>
    [CConst("LAKEFS_INODES_MAX")]
    public const int InodesMax = 256;

    /// <summary>Extents of one file in an INODES answer.</summary>
    [CConst("LAKEFS_INODES_EXTENTS_MAX")]
    public const int InodesExtentsMax = 8;

    /// <summary>The extents that follow are the file's whole map.</summary>
    [CConst("LAKEFS_P_INODE_WHOLE")]
    public const ushort InodeWhole = 0x1;

    /// <summary>Blocks of a MAP intent that carries crcs.</summary>
    [CConst("LAKEFS_MAP_BLOCKS_MAX")]
    public const uint MapBlocksMax = 32;

    /// <summary>Ranges that one OVERWRITE intent may tell of.</summary>
    [CConst("LAKEFS_OVERWRITE_MAX")]
    public const uint OverwriteMax = 60;

    /// <summary>Blocks of one clone or share intent, mapped blocks of one shift intent: bounds the pages it changes.</summary>
    [CConst("LAKEFS_CLONE_BLOCKS_MAX")]
    public const uint CloneBlocksMax = 4096;

    /// <summary>Blocks of one SEAL, CHECKED or UNSEAL: bounds the pages it changes.</summary>
    [CConst("LAKEFS_SEAL_BLOCKS_MAX")]
    public const uint SealBlocksMax = 4096;

    /// <summary>Blocks of one REMAP to the device; to a pack <see cref="LakeFormat.PackBlocks"/>.</summary>
    [CConst("LAKEFS_REMAP_BLOCKS_MAX")]
    public const uint RemapBlocksMax = 4096;

    /// <summary>SHIFT flag: away from the beginning of the file.</summary>
    [CConst("LAKEFS_SHIFT_UP")]
    public const uint ShiftUp = 0x1;

    /// <summary>What ATTACH tells: nothing is written to the device.</summary>
    [CConst("LAKEFS_ATTACH_RDONLY")]
    public const uint AttachReadOnly = 1;

    /// <summary>READDIR, EXTENTS: not the end.</summary>
    [CConst("LAKEFS_REPLY_MORE")]
    public const uint ReplyMore = 0x1u;

    /// <summary>Tag of a pad entry in the reply ring.</summary>
    [CConst("LAKEFS_REPLY_TAG_PAD")]
    public const ulong ReplyTagPad = 0xfffffffffffffffful;
}
