/* SPDX-License-Identifier: GPL-2.0 OR MPL-2.0 */
/*
 * DeepLake on-disk format, version 11.
 *
 * The single source of every structure on the device. The kernel module, the
 * C tests and (mirrored, and compared field by field by tests/layout) the C#
 * code use it. All integers are little-endian. All structures are naturally
 * aligned, with explicit padding that is written as zero.
 *
 * Changelog
 *   1  first version
 *   2  blocks that several files share: LAKEFS_ITEM_SHARED, counters
 *   3  sealed and checked extents: checksum table, counters
 *   4  identities of files: LAKEFS_ITEM_OBJECT, _IDENTITY, data_seq, counter
 *   5  archive of the log in the data region: LAKEFS_ITEM_ARCHIVE, counters
 *   5  how far all was compared with its checksums: LAKEFS_ITEM_SCRUB
 *   6  skewed extents; anchor table
 *   7  packed extents, packs
 *   8  compressed bases of the archive
 *  11  masked page log; compressed log segments of the archive
 */
#ifndef LAKEFS_FORMAT_H
#define LAKEFS_FORMAT_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
typedef uint8_t __u8;
typedef uint16_t __u16;
typedef uint32_t __u32;
typedef uint64_t __u64;
typedef int32_t __s32;
typedef int64_t __s64;
#endif

#define LAKEFS_SUPER_MAGIC	0x4c414b45u		/* statfs f_type, "LAKE" */
#define LAKEFS_SB_MAGIC		0x315346454b414cull	/* bytes "LAKEFS1\0" */
#define LAKEFS_FORMAT_VERSION	11
#define LAKEFS_BLOCK_BITS	12
#define LAKEFS_BLOCK_SIZE	4096
#define LAKEFS_ROOT_INO		1
#define LAKEFS_FIRST_INO	16	/* 2..15 reserved */
#define LAKEFS_NAME_MAX		255
#define LAKEFS_SYMLINK_MAX	4095
#define LAKEFS_XATTR_VALUE_MAX	65536
#define LAKEFS_XATTR_LIST_MAX	65536	/* all names of one inode, with NULs */
#define LAKEFS_LINK_MAX		1000000
#define LAKEFS_MIN_DEVICE_BLOCKS 24576	/* 96 MiB */
#define LAKEFS_MAX_DEVICE_BLOCKS 0x1000000000ull /* 256 TiB */
#define LAKEFS_TICKET_MAX	32768	/* page store checkpoint ticket, bytes */

/* block 0 is never written by DeepLake except that mkfs clears it */
#define LAKEFS_SB_A_BLOCK	1	/* the other copy: last block of device */

/* sb state */
#define LAKEFS_STATE_CLEAN	1	/* WAL after the checkpoint is empty */
#define LAKEFS_STATE_ACTIVE	2	/* replay needed unless still mounted */

/* feature bits: none defined yet */
#define LAKEFS_INCOMPAT_KNOWN	0x0ull
#define LAKEFS_RO_COMPAT_KNOWN	0x0ull
#define LAKEFS_COMPAT_KNOWN	0x0ull

struct lakefs_region {
	__u64 start_block;
	__u64 blocks;
};

/*
 * Superblock, one block. Copies A and B are written alternately: generation
 * odd -> A, even -> B (mkfs writes both). The valid copy with the highest
 * generation rules. crc32c covers the whole block with the crc field zero.
 *
 * Each names one checkpoint: the page store's ticket (in ticket slot
 * generation & 1) and where in the WAL replay begins. The other copy names
 * the checkpoint before it, which stays recoverable.
 */
struct lakefs_sb {
	__u64 magic;
	__u32 format_version;
	__u32 crc32c;
	__u64 generation;
	__u64 compat;
	__u64 ro_compat;
	__u64 incompat;
	__u8 uuid[16];
	__u8 label[64];			/* UTF-8, zero padded */
	__u32 block_size;		/* 4096 */
	__u32 state;			/* LAKEFS_STATE_* */
	__u64 device_blocks;
	__u64 epoch;			/* of the newest mount */
	__u64 mount_count;
	__u64 created_sec;
	__u64 written_sec;		/* wall time of this superblock */
	struct lakefs_region pin;	/* reserved: boot pin table */
	struct lakefs_region ticket[2];	/* page store ticket slots */
	struct lakefs_region wal;
	struct lakefs_region index[2];	/* page store index slots */
	struct lakefs_region pages;	/* page store log, circular */
	struct lakefs_region sums;	/* checksum table */
	struct lakefs_region anchors;	/* anchor table */
	struct lakefs_region data;	/* file data */
	__u64 ckpt_seq;			/* last seq inside the checkpoint */
	__u64 ckpt_wal_lsn;		/* first frame to replay */
	__u64 ckpt_wal_offset;		/* its byte offset inside the region */
	__u32 ticket_bytes;
	__u32 ticket_crc32c;
	__u8 hash_algorithm;		/* 1 = BLAKE3-256 (object ids) */
	__u8 pad1[7];
	__u8 archive_key[32];		/* random, of mkfs: see mac */
	__u8 reserved[3688];
};

/*
 * The checksum table: a little-endian crc32c for each block of the data
 * region, in order; entry n is that of block data.start_block + n, at byte
 * 4 * n of the region, which has room for all of them. An entry means something
 * only while a CHECKED extent maps its block, then every value does; all others
 * are anything.
 */
#define LAKEFS_SUMS_PER_BLOCK	1024

/*
 * The anchor table: where the daemon has seen which pieces of content, so that
 * it finds equal ones in files that are not equal as a whole. Hints only: what
 * is said here is looked up, and compared, before anything is shared. A page
 * whose checksum is wrong holds none. An anchor lies in the page
 * (fingerprint * pages) >> 64.
 */
struct lakefs_anchor {
	__u64 fingerprint;		/* first 8 bytes of a chunk's BLAKE3 */
	__u64 ino;			/* the file it was seen in */
	__u64 pos;			/* there, in bytes */
};

#define LAKEFS_ANCHORS_PER_PAGE	170
#define LAKEFS_ANCHOR_DATA_BLOCKS 1024	/* data blocks that one page is for */

struct lakefs_anchor_page {
	__u32 crc32c;			/* of the lake's uuid and this page, with
					   this field 0 */
	__u16 count;
	__u16 next;			/* when it is full: which goes next */
	__u64 number;			/* of the page in the region */
	struct lakefs_anchor anchors[170];	/* LAKEFS_ANCHORS_PER_PAGE */
};

/* ---- WAL frame: header, payload, zeroes, in sectors -------------------- */
#define LAKEFS_WAL_MAGIC	0x46574b4cu	/* bytes "LKWF" */
#define LAKEFS_WAL_ALIGN	4096
#define LAKEFS_WAL_FRAME_MAX	1048576		/* its sectors */
#define LAKEFS_WAL_SECTOR	512
#define LAKEFS_WAL_SECTOR_CONTENT 504

/*
 * What the log's region is made of: a frame is cut into these, and mkfs fills
 * the region with empty ones of frame 0. So a sector that is not whole was
 * damaged, and is not what a power cut leaves.
 */
struct lakefs_wal_sector {
	__u8 content[504];		/* LAKEFS_WAL_SECTOR_CONTENT */
	__u32 frame;			/* low half of the frame's lsn */
	__u32 crc32c;			/* of the 508 bytes before */
};

/*
 * The payload is a run of ring entries (lakefs_ring.h: struct
 * lakefs_intent_hdr first), exactly as the kernel sent them, and entries the
 * daemon itself adds (LAKEFS_WAL_OP_*). crc32c covers header (crc field
 * zero) and payload. prev_crc32c chains the frames, so that a frame of an
 * abandoned tail does not follow one that replaced its predecessor; 0 begins
 * a chain (docs/on-disk-format.md).
 */
struct lakefs_wal_frame {
	__u32 magic;
	__u16 version;			/* 2 */
	__u16 flags;			/* 0 */
	__u64 lake_tag;			/* first 8 bytes of the uuid */
	__u64 epoch;
	__u64 lsn;			/* +1 per frame */
	__u64 first_seq;		/* 0 when it holds no intent */
	__u64 last_seq;
	__u32 payload_bytes;
	__u32 entry_count;
	__u32 crc32c;
	__u32 prev_crc32c;		/* of the frame before it */
};

/* ---- metadata tree ----------------------------------------------------- */
/*
 * One ordered B+tree of 4096-byte pages (page store key = page id; page 1 is
 * the meta page that names the root). Items are ordered by (object, type,
 * offset), all unsigned.
 */
struct lakefs_key {
	__u64 object;
	__u64 offset;
	__u32 type;			/* compared second */
	__u32 pad;
};

#define LAKEFS_ITEM_INODE	1	/* (ino, 0) struct lakefs_inode; (ino, 1..)
					   symlink target in pieces */
#define LAKEFS_ITEM_PARENT	2	/* (ino, cookie) __u64 dir: one a link */
#define LAKEFS_ITEM_XATTR	3	/* (ino, hash slot) */
#define LAKEFS_ITEM_DIRNAME	4	/* (dir, name hash) __u64 cookies[] */
#define LAKEFS_ITEM_DIRENT	5	/* (dir, cookie) lakefs_dirent + name */
#define LAKEFS_ITEM_EXTENT	6	/* (ino, file block) lakefs_extent_item */
#define LAKEFS_ITEM_ORPHAN	7	/* (OBJ_ORPHANS, ino) empty */
#define LAKEFS_ITEM_BITMAP	8	/* (OBJ_BITMAP, chunk) bits of use */
#define LAKEFS_ITEM_STATE	9	/* (OBJ_STATE, 0) lakefs_engine_state */
#define LAKEFS_ITEM_SHARED	10	/* (OBJ_SHARED, device block)
					   lakefs_shared_item */

#define LAKEFS_ITEM_OBJECT	11	/* (ino, 0) lakefs_object_item */
#define LAKEFS_ITEM_IDENTITY	12	/* (OBJ_IDENTITIES, first 8 bytes of a
					   BLAKE3, little-endian) __u64 ino: a
					   file that had this content */
#define LAKEFS_ITEM_ARCHIVE	13	/* (OBJ_ARCHIVE, segment number)
					   lakefs_archive_item */
#define LAKEFS_ITEM_SCRUB	14	/* (OBJ_STATE, 0) lakefs_scrub_item +
					   lakefs_scrub_finding[] */

#define LAKEFS_OBJ_STATE	0xfffffffffffffff0ull
#define LAKEFS_OBJ_BITMAP	0xfffffffffffffff1ull
#define LAKEFS_OBJ_ORPHANS	0xfffffffffffffff2ull
#define LAKEFS_OBJ_SHARED	0xfffffffffffffff3ull
#define LAKEFS_OBJ_IDENTITIES	0xfffffffffffffff4ull
#define LAKEFS_OBJ_ARCHIVE	0xffffffffffffffefull	/* before the bitmap: the
						 * checker marks first */
#define LAKEFS_BITMAP_CHUNK_BLOCKS 8192	/* 1024 bytes per item */

struct lakefs_time {
	__s64 sec;
	__u32 nsec;
	__u32 pad;
};

/* inode flags */
#define LAKEFS_INODE_IMMUTABLE	0x1u
#define LAKEFS_INODE_APPEND	0x2u
#define LAKEFS_INODE_NODUMP	0x4u
#define LAKEFS_INODE_NOATIME	0x8u
#define LAKEFS_INODE_SYNC	0x10u
#define LAKEFS_INODE_DIRSYNC	0x20u
#define LAKEFS_INODE_FLAGS_USER	0x3fu	/* settable through FS_IOC_SETFLAGS */

/* zone: reserved, 0 = POSIX */
struct lakefs_inode {
	__u64 ino;
	__u32 mode;
	__u32 nlink;
	__u32 uid;
	__u32 gid;
	__u32 rdev;			/* new_encode_dev() form */
	__u32 generation;		/* for file handles */
	__u64 size;			/* bytes; directories: entry count */
	__u64 blocks;			/* 4096-byte blocks mapped */
	struct lakefs_time atime;
	struct lakefs_time mtime;
	struct lakefs_time ctime;
	struct lakefs_time btime;
	__u32 flags;			/* LAKEFS_INODE_* */
	__u32 xattr_count;
	__u32 link_bytes;		/* symlink target following this struct */
	__u32 zone;
	__u64 last_seq;			/* last intent that changed it */
	__u64 data_seq;			/* last that changed, or allowed to
					   change, what the file's bytes are */
	__u64 reserved;
};

struct lakefs_dirent {
	__u64 ino;
	__u8 type;			/* DT_* */
	__u8 name_bytes;
	__u8 pad[6];
};

/* extent flags: on disk, in map intents and in extent replies */
#define LAKEFS_EXTENT_UNWRITTEN	0x1u	/* reads as zeroes */
#define LAKEFS_EXTENT_CRC	0x2u	/* one crc32c per block follows/known */
/*
 * Only in extent replies: other extents refer to these blocks too, or did
 * until lately. Never written in place.
 */
#define LAKEFS_EXTENT_SHARED	0x4u
/*
 * SEALED: written data that is never written in place again, and stays where
 * it is. CHECKED, of sealed extents only: the checksum table holds for these
 * blocks, every read is compared with it; there are no crcs in the tree then.
 * On disk and in extent replies, not in map intents.
 */
#define LAKEFS_EXTENT_SEALED	0x100u
#define LAKEFS_EXTENT_CHECKED	0x800u
/*
 * SKEW, of checked extents only: the bytes of the extent's n blocks begin that
 * many bytes (1 .. 4095; 0: not skewed) behind the beginning of phys_block, and
 * so end in the block behind the n-th: it refers to n + 1 device blocks.
 */
#define LAKEFS_EXTENT_SKEW_SHIFT 16
#define LAKEFS_EXTENT_SKEW_MASK	0x0fff0000u
/*
 * PACKED, of checked extents only, and never skewed: the blocks are in a pack,
 * one after the other. phys_block is a place in packs then: the first device
 * block of the pack times LAKEFS_PACK_BLOCKS, plus the first block's number in
 * the pack; the extent ends in the same pack. SPAN is by how many device blocks
 * the pack is longer than one. The extent refers to all of these.
 */
#define LAKEFS_EXTENT_PACKED	0x200u
#define LAKEFS_EXTENT_SPAN_SHIFT 16
#define LAKEFS_EXTENT_SPAN_MASK	0x001f0000u
/* reserved, refused for now: */
#define LAKEFS_EXTENT_INLINE	0x400u
#define LAKEFS_EXTENT_CRC_BLOCKS_MAX 256 /* blocks per item that has crcs */
#define LAKEFS_CRC_UNKNOWN	0u	/* stored: not compared with the data */

struct lakefs_extent_item {
	__u64 phys_block;		/* absolute block on the device */
	__u32 blocks;
	__u32 flags;
	__u64 birth_seq;
	/* __u32 crc32c[blocks] when LAKEFS_EXTENT_CRC */
};

/*
 * A pack: up to 32 blocks of files, compressed together. It lies in a run of
 * data blocks, begins with this, and ends in zeroes. Its device blocks are
 * checked ones: each has its entry in the checksum table. Never written again.
 */
#define LAKEFS_PACK_BITS	5
#define LAKEFS_PACK_BLOCKS	32	/* content; at most so many of the device */
#define LAKEFS_PACK_MAGIC	0x4b504b4cu	/* bytes "LKPK" */
#define LAKEFS_PACK_ZSTD	1	/* one frame that tells its content's size */
struct lakefs_pack {
	__u32 magic;
	__u16 algorithm;
	__u16 blocks;			/* content: 1 .. LAKEFS_PACK_BLOCKS */
	__u32 bytes;			/* compressed; they follow */
	__u32 pad;
};

/*
 * Data blocks that more than one extent refers to. Ranges do not overlap;
 * neighbours with the same refs are one item. A block in use without an item
 * has one reference. Unwritten blocks are never shared.
 */
struct lakefs_shared_item {
	__u32 blocks;			/* up to 2^31 - 1 */
	__u32 refs;			/* at least 2 */
};

/*
 * The identity of a file's content: the BLAKE3 of its size bytes. It holds
 * while the inode's data_seq and size are these; else it is of what the file
 * was. All that the file maps below its size was CHECKED when it was made.
 */
struct lakefs_object_item {
	__u8 id[32];
	__u64 size;
	__u64 data_seq;
	__u32 flags;			/* LAKEFS_OBJECT_* */
	__u32 pad;
};
#define LAKEFS_OBJECT_PACKED	0x1u	/* was packed as far as it is worth it */

/*
 * The archive: what the metadata regions hold once more, in the data region, so
 * that it can be found by reading the device from end to end
 * (docs/archive.md). A segment is a run of data blocks: this header, a copy of
 * the superblock, then the payload. A LOG segment has WAL frames as they are in
 * the WAL; the segments of a BASE together have the pages of one checkpoint's
 * tree, the meta page first, each once.
 */
#define LAKEFS_ARCHIVE_MAGIC	0x31435241454b414cull	/* "LAKEARC1" */
#define LAKEFS_ARCHIVE_META_BLOCKS 2
#define LAKEFS_ARCHIVE_LOG	1
#define LAKEFS_ARCHIVE_BASE	2
#define LAKEFS_ARCHIVE_LAST	0x1u	/* the last part of a base */
#define LAKEFS_ARCHIVE_ZSTD	0x2u	/* the payload is a zstd frame */

struct lakefs_archive_header {
	__u64 magic;
	__u32 format_version;
	__u32 crc32c;			/* of this block with this field 0 */
	__u8 uuid[16];
	__u64 number;			/* of the segment, never used twice in
					 * the archive */
	__u64 start_block;		/* where this block is */
	__u32 blocks;			/* all of the segment */
	__u32 kind;			/* LAKEFS_ARCHIVE_LOG, _BASE */
	__u32 part;			/* of a base, from 0 */
	__u32 flags;
	__u64 payload_bytes;		/* decompressed */
	__u32 payload_crc32c;		/* of superblock copy and payload, as
					 * stored */
	__u32 stored_bytes;		/* of the payload, on the device */
	__u64 first_lsn;		/* of the frames; a base: next_lsn */
	__u64 next_lsn;			/* the frame that follows */
	__u64 seq;			/* newest intent up to there */
	__u64 written_sec;		/* wall time */
	__u8 mac[32];			/* BLAKE3 of the superblock's
					 * archive_key, this block with crc32c
					 * and mac 0, superblock copy, payload
					 * as stored: a file cannot pass for a segment */
	__u8 reserved[3952];
};

struct lakefs_archive_item {
	__u64 block;
	__u32 blocks;
	__u32 kind;
};

/*
 * How far the daemon is with comparing all CHECKED blocks with the checksum
 * table, file after file in the order of their inode numbers, and what it
 * found. There is none before the first pass.
 */
#define LAKEFS_SCRUB_IDLE	0	/* the last pass came to its end */
#define LAKEFS_SCRUB_RUNNING	1	/* whoever serves the lake goes on */
#define LAKEFS_SCRUB_STOPPED	2	/* somebody stopped it */
#define LAKEFS_SCRUB_FINDINGS_MAX 20
struct lakefs_scrub_item {
	__u64 pass;			/* 1 is the first */
	__u64 ino;			/* of the pass: the next block that */
	__u64 file_block;		/* is to be compared, or one behind */
	__u64 begun_sec;		/* Unix time, of the pass */
	__u64 blocks;			/* of files, compared by it so far */
	__u64 damaged;			/* of the device, found by it */
	__u64 ended_pass;		/* the last that came to its end; 0: none */
	__u64 ended_sec;
	__u64 ended_blocks;
	__u64 ended_damaged;
	__u64 bytes_per_second;		/* wanted; 0: as the daemon thinks fit */
	__u32 state;			/* LAKEFS_SCRUB_* */
	__u32 findings;			/* that follow */
};

/* what does not match its checksum, or cannot be read */
#define LAKEFS_SCRUB_DIFFERS	1
#define LAKEFS_SCRUB_UNREADABLE	2
struct lakefs_scrub_finding {
	__u64 ino;
	__u64 file_block;
	__u64 phys_block;
	__u64 found_sec;		/* Unix time */
	__u64 pass;
	__u32 blocks;
	__u32 kind;			/* LAKEFS_SCRUB_DIFFERS, _UNREADABLE */
};

/*
 * A xattr is stored in pieces: item offset = (low 48 bits of the name hash,
 * 8-bit probe among equal hashes, 8-bit piece). Piece 0 begins with this
 * header and the name; the value follows, through all pieces. The name hash,
 * here and in DIRNAME, is SipHash-1-3 keyed with the uuid.
 */
#define LAKEFS_XATTR_PIECE_BYTES 1024
#define LAKEFS_LINK_PIECE_BYTES	1024
struct lakefs_xattr_item {
	__u32 value_bytes;
	__u16 name_bytes;
	__u16 pad;
};

/*
 * Page of the tree. Slots (sorted by key) follow the header and grow upwards;
 * item bytes grow downwards from the end of the page. In an inner page (level
 * > 0) the item is the __u64 page id of the child whose smallest key is the
 * slot's; the first slot of a page stands for every smaller key too. Empty
 * leaves are allowed. Page 1 is the meta page instead.
 */
#define LAKEFS_PAGE_META	1
#define LAKEFS_PAGE_FIRST	2
#define LAKEFS_ITEM_BYTES_MAX	1280
struct lakefs_page {
	__u32 crc32c;			/* over bytes 4..4095 */
	__u16 level;
	__u16 count;
	__u64 page;			/* its own id */
	__u64 seq;			/* newest intent in it */
	__u16 heap_start;		/* lowest byte used by items */
	__u16 hole_bytes;		/* dead bytes among the items */
	__u32 pad;
};
struct lakefs_slot {
	__u64 object;
	__u64 offset;
	__u16 type;
	__u16 at;			/* of the item's bytes in the page */
	__u16 bytes;
	__u16 pad;
};
struct lakefs_meta_page {
	__u32 crc32c;
	__u32 height;			/* levels, 1 = the root is a leaf */
	__u64 page;			/* 1 */
	__u64 seq;
	__u64 root;
	__u64 next_page;
	__u64 page_count;
};

/* engine-wide state, inside the tree so that checkpoints carry it */
struct lakefs_engine_state {
	__u64 applied_seq;
	__u64 epoch;
	__u64 next_ino;			/* above every ino ever seen */
	__u64 used_blocks;		/* data blocks mapped, each once */
	__u64 inode_count;
	__u64 orphan_count;
	__u64 shared_blocks;		/* of them, mapped more than once */
	__u64 saved_blocks;		/* sum of refs - 1 over these */
	__u64 sealed_blocks;		/* of files, a shared one for each */
	__u64 checked_blocks;		/* of them, checked */
	__u64 unclean_seq;		/* applied when the newest mount began
					 * that followed an unclean end */
	__u64 objects;			/* object items */
	__u64 archive_number;		/* of the next segment */
	__u64 archive_base;		/* of the newest base's first segment;
					 * 0: the lake as mkfs made it */
	__u64 archive_lsn;		/* first frame that is not archived; 0:
					 * interrupted until the next base */
	__u64 archive_offset;		/* its byte offset inside the WAL */
	__u64 archive_seq;		/* newest intent that is archived */
	__u64 archive_blocks;		/* used blocks that segments take */
	__u64 archive_cost;		/* of reading the log since the newest
					 * base, in bytes */
	__u64 mapped_blocks;		/* of files, a shared one for each */
	__u64 packed_blocks;		/* of them, packed */
	__u64 pack_blocks;		/* used blocks that packs take */
	__u64 reserved;
};

#endif /* LAKEFS_FORMAT_H */
