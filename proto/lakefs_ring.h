/* SPDX-License-Identifier: GPL-2.0 OR MPL-2.0 */
/*
 * DeepLake ring ABI: how lakefs.ko and laked talk. See docs/ring-protocol.md
 * for the rules; this header is the only definition of the bytes.
 *
 * One attachment = one open file of /dev/lakefs = one mounted device.
 * Everything the kernel sends is in memory mapped read-only into the daemon;
 * everything the daemon sends is in memory mapped read-write. Both sides keep
 * private copies of their own indices and treat the other's as hostile.
 *
 * Changelog
 *   1  first version
 *   2  INODES: batched inodes with their first extents
 *   3  CLONE, shared extents, TRIM
 *   4  the daemon says when metadata has no room
 *   5  SHIFT
 *   6  OVERWRITE tells of many ranges
 *   7  SEAL, CHECKED, UNSEAL; damaged blocks are events
 *   8  SHARE
 *   9  SHARE of any bytes of a file; skewed extents
 *  10  REMAP; packed extents
 *  11  a name that is replaced keeps its cookie; bytes of archived frames
 */
#ifndef LAKEFS_RING_H
#define LAKEFS_RING_H

#include "lakefs_format.h"
#ifdef __KERNEL__
#include <linux/ioctl.h>
#else
#include <sys/ioctl.h>
#endif

#define LAKEFS_ABI_VERSION	12
#define LAKEFS_RING_MAGIC	0x474e49524b414cull	/* "LAKRING\0" reversed */
#define LAKEFS_FEATURES_KNOWN	0x0ull

/* mmap: two areas of the attach fd */
#define LAKEFS_MMAP_RO		0x0ull		/* kpage, intents, requests */
#define LAKEFS_MMAP_RW		0x100000000ull	/* dpage, replies */
#define LAKEFS_RING_PAGE	4096
#define LAKEFS_INTENT_RING_BYTES 1048576
#define LAKEFS_REQUEST_RING_BYTES 262144
#define LAKEFS_REPLY_RING_BYTES	1048576
#define LAKEFS_RO_BYTES		1314816		/* page + intents + requests */
#define LAKEFS_RW_BYTES		1052672		/* page + replies */
#define LAKEFS_ENTRY_ALIGN	8
#define LAKEFS_INTENT_MAX	98304		/* bytes of one entry */
#define LAKEFS_REQUEST_MAX	4096
#define LAKEFS_REPLY_MAX	131072

/*
 * Ring positions are free-running byte counts; position % ring size is the
 * place. An entry never wraps: an entry with op 0 (pad) fills up to the end
 * (at least 8 bytes: then only len, op and flags are there).
 *
 * Page written by the kernel.
 */
struct lakefs_kpage {
	__u64 magic;
	__u32 abi_version;
	__u32 state;			/* LAKEFS_CHAN_* */
	__u64 pad0[6];
	__u64 intent_head;		/* release: entries below are valid */
	__u64 pad1[7];
	__u64 request_head;
	__u64 pad2[7];
	__u64 wanted_seq;		/* make durable up to here, now */
	__u64 pad3[7];
	__u64 reply_tail;		/* replies consumed */
	__u64 pad4[7];
	__u64 sent_seq;			/* last seq put into the intent ring */
	__u64 last_seq;			/* last seq meant for the ring; greater
					 * than sent_seq: it had no room */
	__u64 durable_seq;		/* as committed */
	__u64 pad5[5];
};

/* Page written by the daemon. */
struct lakefs_dpage {
	__u64 intent_tail;		/* intents copied out */
	__u64 pad0[7];
	__u64 request_tail;
	__u64 pad1[7];
	__u64 reply_head;		/* release: replies below are valid */
	__u64 pad2[7];
	__u64 applied_seq;		/* every intent up to here is applied */
	__u64 pad3[7];
	__u32 sleeping;			/* 1: in or about to enter poll() */
	__u32 flags;			/* LAKEFS_DAEMON_* */
	__u64 heartbeat;
	__u64 pad5[6];
};

/*
 * Metadata has no room: the kernel refuses what would make it grow and needs
 * no lease (names, xattrs). What has been recorded already is applied; the
 * page store keeps room for that (docs/ring-protocol.md).
 */
#define LAKEFS_DAEMON_FULL	0x1u

#define LAKEFS_CHAN_ATTACHED	1	/* rings not running yet */
#define LAKEFS_CHAN_RUNNING	2
#define LAKEFS_CHAN_SHUTDOWN	3	/* nothing will ever be answered */
#define LAKEFS_CHAN_UNMOUNTED	4	/* the mount is gone; detach */

/* ---- intents ------------------------------------------------------------ */
enum lakefs_intent_op {
	LAKEFS_I_PAD		= 0,
	LAKEFS_I_CREATE		= 1,
	LAKEFS_I_LINK		= 2,
	LAKEFS_I_UNLINK		= 3,	/* rmdir too */
	LAKEFS_I_RENAME		= 4,
	LAKEFS_I_SETATTR	= 5,
	LAKEFS_I_XATTR		= 6,
	LAKEFS_I_MAP		= 7,
	LAKEFS_I_UNMAP		= 8,
	LAKEFS_I_OVERWRITE	= 9,	/* crcs of ranges no longer hold */
	LAKEFS_I_RELEASE	= 10,	/* last use of an orphan is over */
	LAKEFS_I_CLONE		= 11,	/* reflink, dedupe */
	LAKEFS_I_SHIFT		= 12,	/* collapse and insert range */
	LAKEFS_I_SEAL		= 13,	/* not written in place from now on */
	LAKEFS_I_CHECKED	= 14,	/* reads are checked from now on */
	LAKEFS_I_UNSEAL		= 15,
	LAKEFS_I_SHARE		= 16,	/* equal files map the same blocks */
	LAKEFS_I_REMAP		= 17,	/* the same bytes lie elsewhere */
	/* reserved numbers, refused in this ABI */
	LAKEFS_I_POINT		= 32,
	LAKEFS_I_WINDOW		= 36,
	LAKEFS_I_ZONE		= 37,
	/* entries only the daemon writes, into the WAL only */
	LAKEFS_WAL_OP_EPOCH	= 64,	/* new mount epoch: reap orphans */
	LAKEFS_WAL_OP_CLEAN	= 65,	/* clean unmount of that epoch */
	LAKEFS_WAL_OP_OBJECT	= 66,	/* a file's content has this identity */
	LAKEFS_WAL_OP_ARCHIVE	= 67,	/* segments of the archive come and go */
	LAKEFS_WAL_OP_SCRUB	= 68,	/* how far the scrub is */
};

/* every intent begins with this; len counts all of it, multiple of 8 */
struct lakefs_intent_hdr {
	__u32 len;
	__u16 op;
	__u16 flags;
	__u64 seq;
};

/* initial xattrs of a create: a run of these, each padded to 8 bytes */
struct lakefs_xattr_rec {
	__u32 value_bytes;
	__u16 name_bytes;
	__u16 pad;
	/* name, value */
};

/*
 * dir 0: O_TMPFILE (nlink 0, an orphan until linked). The entry's readdir
 * cookie is this intent's seq. time: all four times of the inode and
 * mtime/ctime of the directory. Following: name, symlink target (each padded
 * to 8), xattr records.
 */
struct lakefs_i_create {
	struct lakefs_intent_hdr hdr;
	__u64 dir;
	__u64 ino;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 rdev;
	__u32 generation;
	__u32 inode_flags;
	struct lakefs_time time;
	__u16 name_bytes;
	__u16 link_bytes;
	__u32 xattr_bytes;		/* of all records, padding included */
};

/* cookie = seq; time = ctime of the inode, mtime/ctime of dir. name */
struct lakefs_i_link {
	struct lakefs_intent_hdr hdr;
	__u64 dir;
	__u64 ino;
	struct lakefs_time time;
	__u16 name_bytes;
	__u16 pad[3];
};

/* ino is what the name refers to (checked). nlink 0 makes it an orphan. */
struct lakefs_i_unlink {
	struct lakefs_intent_hdr hdr;
	__u64 dir;
	__u64 ino;
	struct lakefs_time time;
	__u16 name_bytes;
	__u16 pad[3];
};

#define LAKEFS_RENAME_EXCHANGE	0x1u
#define LAKEFS_RENAME_WHITEOUT	0x2u
/*
 * target_ino: what dst_name refers to before (0: nothing); with EXCHANGE it
 * moves to src_name. A name that was there keeps its cookie, whatever it is
 * the name of now (replaced, exchanged, a whiteout); a new one gets seq.
 * Following: src name, dst name (each padded to 8).
 */
struct lakefs_i_rename {
	struct lakefs_intent_hdr hdr;
	__u64 src_dir;
	__u64 dst_dir;
	__u64 ino;
	__u64 target_ino;
	__u64 whiteout_ino;
	__u32 flags;
	__u32 whiteout_mode;
	__u32 whiteout_uid;
	__u32 whiteout_gid;
	__u32 whiteout_generation;
	__u16 src_bytes;
	__u16 dst_bytes;
	struct lakefs_time time;
};

#define LAKEFS_ATTR_MODE	0x1u
#define LAKEFS_ATTR_UID		0x2u
#define LAKEFS_ATTR_GID		0x4u
#define LAKEFS_ATTR_SIZE	0x8u	/* smaller: extents beyond are freed */
#define LAKEFS_ATTR_ATIME	0x10u
#define LAKEFS_ATTR_MTIME	0x20u
#define LAKEFS_ATTR_CTIME	0x40u
#define LAKEFS_ATTR_FLAGS	0x80u
#define LAKEFS_ATTR_ALL		0xffu
struct lakefs_i_setattr {
	struct lakefs_intent_hdr hdr;
	__u64 ino;
	__u32 valid;			/* LAKEFS_ATTR_* */
	__u32 mode;			/* permission bits; the type is kept */
	__u32 uid;
	__u32 gid;
	__u64 size;
	struct lakefs_time atime;
	struct lakefs_time mtime;
	struct lakefs_time ctime;
	__u32 inode_flags;
	__u32 pad;
};

#define LAKEFS_XATTR_SET	1	/* create or replace */
#define LAKEFS_XATTR_REMOVE	2
/* An ACL that changes the mode carries it (set_mode 1). name + value */
struct lakefs_i_xattr {
	struct lakefs_intent_hdr hdr;
	__u64 ino;
	struct lakefs_time ctime;
	__u32 mode;
	__u16 set_mode;
	__u16 action;			/* LAKEFS_XATTR_* */
	__u32 value_bytes;
	__u16 name_bytes;
	__u16 pad;
};

#define LAKEFS_MAP_BLOCKS_MAX	32	/* with crcs; else up to 2^31 - 1 */
/*
 * The data of [file_block, +blocks) is complete on the device at phys_block
 * (or the range is preallocated: UNWRITTEN). Whatever was mapped there before
 * at other blocks loses a reference; mapping the same blocks again converts them
 * (unwritten to written). size: new file size if larger than the old one,
 * 0 = leave. Following: crc32c[blocks] when LAKEFS_EXTENT_CRC, padded to 8.
 */
struct lakefs_i_map {
	struct lakefs_intent_hdr hdr;
	__u64 ino;
	__u64 file_block;
	__u64 phys_block;
	__u32 blocks;
	__u32 flags;			/* LAKEFS_EXTENT_* */
	__u64 size;
	struct lakefs_time mtime;
	struct lakefs_time ctime;
};

/* hole punch: the range reads as zeroes, its blocks lose a reference */
struct lakefs_i_unmap {
	struct lakefs_intent_hdr hdr;
	__u64 ino;
	__u64 file_block;
	__u64 blocks;
	struct lakefs_time mtime;
	struct lakefs_time ctime;
};

#define LAKEFS_OVERWRITE_MAX	60
/*
 * Data was or will be written in place: the crcs of these blocks no longer
 * hold. Following: struct lakefs_range[count] of file blocks, count from 1 to
 * LAKEFS_OVERWRITE_MAX, in any order; they may overlap, and what is not mapped
 * or has no crc is no matter.
 */
struct lakefs_i_overwrite {
	struct lakefs_intent_hdr hdr;
	__u64 ino;
	__u32 count;
	__u32 pad;
};

struct lakefs_i_release {
	struct lakefs_intent_hdr hdr;
	__u64 ino;
};

#define LAKEFS_CLONE_BLOCKS_MAX	4096	/* bounds the pages one intent changes */
/*
 * [dst_block, +blocks) now has the content of [src_block, +blocks): it maps
 * the same device blocks, with their crcs; holes and unwritten blocks become
 * holes. What it mapped before loses a reference. Both may be of one inode
 * but do not overlap. size: new size of dst if larger than the old one, 0 =
 * leave; mtime and ctime are dst's.
 */
struct lakefs_i_clone {
	struct lakefs_intent_hdr hdr;
	__u64 src_ino;
	__u64 src_block;
	__u64 dst_ino;
	__u64 dst_block;
	__u64 blocks;			/* up to LAKEFS_CLONE_BLOCKS_MAX */
	__u64 size;
	struct lakefs_time mtime;
	struct lakefs_time ctime;
};

/*
 * What is mapped in [file_block, +blocks) lies distance blocks further down,
 * or up, afterwards: the same device blocks, crcs and unwritten marks; an
 * extent that reaches over the range's ends is cut there. What the range
 * moves to, itself apart, is a hole before. At most LAKEFS_CLONE_BLOCKS_MAX
 * blocks of the range are mapped. size: the file's new size, larger or
 * smaller (blocks behind it stay); 0 = leave.
 */
#define LAKEFS_SHIFT_UP		0x1u
struct lakefs_i_shift {
	struct lakefs_intent_hdr hdr;
	__u64 ino;
	__u64 file_block;
	__u64 blocks;
	__u64 distance;
	__u32 flags;			/* LAKEFS_SHIFT_* */
	__u32 pad;
	__u64 size;
	struct lakefs_time mtime;
	struct lakefs_time ctime;
};

/*
 * Sealing. All three name a range of a regular file, not blocks: the kernel
 * gives the seq under the file's ext_lock, so the daemon's map is then what
 * the kernel has as mapped. Holes and unwritten extents of the range stay what
 * they are; extents are cut at the ends of the range.
 *
 * SEAL: the written extents become SEALED (those that are stay as they are).
 * CHECKED: they are all SEALED, and become CHECKED; their crcs in the tree go.
 * UNSEAL: they are neither any more.
 *
 * They change the inode's last_seq and no times. See docs/ring-protocol.md,
 * "Sealing".
 */
#define LAKEFS_SEAL_BLOCKS_MAX	4096	/* bounds the pages one intent changes */
struct lakefs_i_seal {			/* SEAL, CHECKED, UNSEAL */
	struct lakefs_intent_hdr hdr;
	__u64 ino;
	__u64 file_block;
	__u64 blocks;			/* 1 .. LAKEFS_SEAL_BLOCKS_MAX */
};

/*
 * SHARE: [dst_block, +blocks) of dst has the same content as so many bytes of
 * src from src_pos on, and maps the same device blocks from now on, with their
 * marks. What dst mapped there loses a reference. All that either has written
 * in the range is CHECKED. No size, no times and no data_seq change; last_seq of
 * both does.
 *
 * src_pos is a multiple of the block size: holes and unwritten blocks of src
 * become holes; skewed extents stay skewed. Else all these bytes of src follow
 * each other on the device, whatever extents they are in, and dst gets one
 * extent of them: skewed, or not, when a skewed one lay just so.
 */
struct lakefs_i_share {
	struct lakefs_intent_hdr hdr;
	__u64 src_ino;
	__u64 dst_ino;			/* another one */
	__u64 src_pos;			/* bytes */
	__u64 dst_block;
	__u64 blocks;			/* 1 .. LAKEFS_CLONE_BLOCKS_MAX */
};

/*
 * REMAP: [file_block, +blocks) has the same content as before, but at
 * phys_block: a place of the device, or with PACKED in a pack. All of the range
 * was written and CHECKED, and is one extent with these flags: SEALED and
 * CHECKED, or these with PACKED and SPAN. What it mapped there loses a
 * reference. The blocks were free, or they are a pack that other extents
 * refer to. No size, no times and no data_seq change.
 */
#define LAKEFS_REMAP_BLOCKS_MAX	4096
struct lakefs_i_remap {
	struct lakefs_intent_hdr hdr;
	__u64 ino;
	__u64 file_block;
	__u64 phys_block;
	__u32 blocks;			/* 1 .. LAKEFS_REMAP_BLOCKS_MAX */
	__u32 flags;			/* LAKEFS_EXTENT_* */
};

/* WAL only */
struct lakefs_wal_epoch {
	struct lakefs_intent_hdr hdr;	/* seq 0 */
	__u64 epoch;
	struct lakefs_time time;
	__u32 unclean;			/* 1: the one before ended uncleanly */
	__u32 pad;
};

/* WAL only: struct lakefs_object_item becomes the inode's */
struct lakefs_wal_object {
	struct lakefs_intent_hdr hdr;	/* seq 0 */
	__u64 ino;
	struct lakefs_object_item object;
};

/*
 * WAL only: these segments are written and belong to the archive; those with
 * numbers below remove_below belong to it no more. All of a base come at once.
 */
struct lakefs_archive_entry {
	__u64 number;
	struct lakefs_archive_item item;
};
struct lakefs_wal_archive {
	struct lakefs_intent_hdr hdr;	/* seq 0 */
	__u64 next_lsn;			/* the frame that follows them */
	__u64 next_offset;		/* its byte offset inside the WAL */
	__u64 archived_seq;		/* newest intent up to there */
	__u64 remove_below;		/* 0: none goes */
	__u64 log_bytes;		/* of the frames in them; a base: 0 */
	__u32 count;
	__u32 kind;			/* of all of them */
	/* struct lakefs_archive_entry[count] */
};

/* WAL only: becomes the item; struct lakefs_scrub_finding[] follow */
struct lakefs_wal_scrub {
	struct lakefs_intent_hdr hdr;	/* seq 0 */
	struct lakefs_scrub_item scrub;
};

/* ---- requests ------------------------------------------------------------ */
enum lakefs_request_op {
	LAKEFS_R_PAD		= 0,
	LAKEFS_R_MOUNT		= 1,	/* lakefs_r_mount -> lakefs_p_mount */
	LAKEFS_R_UNMOUNT	= 2,	/* none -> none; clean mark is durable */
	LAKEFS_R_LOOKUP		= 3,	/* lakefs_r_name -> lakefs_inode+target,
					   -ENOENT when there is none */
	LAKEFS_R_INODE		= 4,	/* lakefs_r_ino -> lakefs_inode+target */
	LAKEFS_R_READDIR	= 5,	/* lakefs_r_readdir -> lakefs_p_dirent* */
	LAKEFS_R_EXTENTS	= 6,	/* lakefs_r_extents -> lakefs_p_extent* */
	LAKEFS_R_GETXATTR	= 7,	/* lakefs_r_name -> value, -ENODATA */
	LAKEFS_R_LISTXATTR	= 8,	/* lakefs_r_ino -> names with NULs */
	LAKEFS_R_LEASE_BLOCKS	= 9,	/* lakefs_r_lease -> lakefs_range* */
	LAKEFS_R_LEASE_INOS	= 10,	/* lakefs_r_lease -> one lakefs_range */
	LAKEFS_R_RETURN_BLOCKS	= 11,	/* lakefs_range* -> none */
	LAKEFS_R_STATFS		= 12,	/* none -> lakefs_p_statfs */
	LAKEFS_R_PARENT		= 13,	/* lakefs_r_ino (a dir) -> inode of .. */
	LAKEFS_R_INODES		= 14,	/* lakefs_r_inodes -> lakefs_p_inode* */
	LAKEFS_R_TRIM		= 15,	/* lakefs_r_trim -> lakefs_range* */
	/* reserved numbers, refused in this ABI */
	LAKEFS_R_WHOLE_DIR	= 32,
	LAKEFS_R_VIEW		= 33,
	LAKEFS_R_PINS		= 34,
};

/*
 * barrier: the daemon answers only after every intent with seq <= barrier is
 * applied (they are in the intent ring before the request is).
 */
struct lakefs_request_hdr {
	__u32 len;
	__u16 op;
	__u16 flags;
	__u64 tag;			/* unique per attachment */
	__u64 barrier;
};

struct lakefs_r_mount {
	struct lakefs_request_hdr hdr;
	__u64 pad;
	struct lakefs_time now;
};

struct lakefs_r_ino {
	struct lakefs_request_hdr hdr;
	__u64 ino;
};

struct lakefs_r_name {			/* name follows */
	struct lakefs_request_hdr hdr;
	__u64 ino;			/* directory, or owner of the xattr */
	__u16 name_bytes;
	__u16 pad[3];
};

struct lakefs_r_readdir {
	struct lakefs_request_hdr hdr;
	__u64 ino;
	__u64 cookie;			/* entries with a greater cookie */
	__u32 max_bytes;		/* of the reply's payload */
	__u32 pad;
};

struct lakefs_r_extents {
	struct lakefs_request_hdr hdr;
	__u64 ino;
	__u64 file_block;		/* extents that end after this block */
	__u32 max_extents;
	__u32 pad;
};

/* __u64 ino[count] follows; extents wanted of each regular file */
#define LAKEFS_INODES_MAX	256
#define LAKEFS_INODES_EXTENTS_MAX 8
struct lakefs_r_inodes {
	struct lakefs_request_hdr hdr;
	__u32 count;
	__u32 max_extents;
};

struct lakefs_r_lease {
	struct lakefs_request_hdr hdr;
	__u64 want;			/* blocks or inode numbers */
	__u64 goal;			/* preferred block, 0 = any */
};

/*
 * Lease the next free ranges of [start, end) that are min_blocks long at
 * least (longer ones may be cut), in order, max_blocks in all, for the device
 * to forget their content; to be given back with RETURN_BLOCKS. None: there
 * is nothing more.
 */
struct lakefs_r_trim {
	struct lakefs_request_hdr hdr;
	__u64 start;
	__u64 end;
	__u64 min_blocks;
	__u64 max_blocks;
};

/* ranges follow */
struct lakefs_r_return {
	struct lakefs_request_hdr hdr;
	__u32 count;
	__u32 pad;
};

/* ---- replies ------------------------------------------------------------- */
struct lakefs_reply_hdr {
	__u32 len;			/* whole entry, multiple of 8 */
	__u32 payload_bytes;		/* len - header >= this */
	__u64 tag;			/* all ones: pad entry */
	__s32 status;			/* 0 or -errno */
	__u32 flags;
};
#define LAKEFS_REPLY_MORE	0x1u	/* READDIR, EXTENTS: not the end */
#define LAKEFS_REPLY_TAG_PAD	0xffffffffffffffffull

struct lakefs_p_mount {
	__u64 epoch;
	__u64 last_seq;			/* the kernel goes on from here */
	__u64 was_clean;
	__u64 replayed;			/* intents replayed from the WAL */
	struct lakefs_inode root;
};

struct lakefs_p_dirent {
	__u64 cookie;
	__u64 ino;
	__u8 type;			/* DT_* */
	__u8 name_bytes;
	__u16 len;			/* this struct + name, padded to 8 */
	__u32 pad;
	/* name */
};

struct lakefs_p_extent {
	__u64 file_block;
	__u64 phys_block;
	__u32 blocks;
	__u32 flags;			/* LAKEFS_EXTENT_* */
};

/*
 * INODES: in the order asked. What does not exist or did not fit is left out;
 * the first one fits always. WHOLE: these extents are the file's whole map.
 */
struct lakefs_p_inode {
	__u32 len;			/* all of it, a multiple of 8 */
	__u16 extents;
	__u16 flags;			/* LAKEFS_P_INODE_* */
	struct lakefs_inode inode;
	/* symlink target padded to 8, struct lakefs_p_extent[extents] */
};
#define LAKEFS_P_INODE_WHOLE	0x1u

struct lakefs_range {
	__u64 start;
	__u64 count;
};

struct lakefs_p_statfs {
	__u64 total_blocks;		/* of the data region */
	__u64 free_blocks;		/* neither mapped nor leased */
	__u64 inodes;			/* in use */
	__u64 free_inodes;		/* estimate from metadata room */
};

/* ---- ioctls on an open /dev/lakefs --------------------------------------- */

/*
 * NEXT_WANTED: a mounted (or mounting) device that has no daemon. Returns the
 * first one with id > the id given; -ENOENT when there is none. poll(POLLIN)
 * on a file that is not attached signals that the list grew.
 */
struct lakefs_wanted {
	__u64 id;			/* in: last seen, out: this one */
	__u32 dev_major;
	__u32 dev_minor;
	__u8 uuid[16];
};

/*
 * ATTACH: become the daemon of a device that is wanted. -EBUSY when it has
 * one, -ENODEV when it is not mounted, -EPROTO with kernel's own version in
 * abi_version on a version mismatch. Fences the predecessor: from here on
 * its commits fail and its own writes are over (its file is closed).
 *
 * LAKEFS_ATTACH_RDONLY: nothing is written to the device, as it only allows
 * reading, this module can only read the lake, or the mount is norecovery.
 * MOUNT begins no epoch then, and COMMIT fails with -EROFS. The kernel decides
 * when it is mounted, or a read-only mount gets another daemon; a daemon that
 * cannot write without it fails the mount.
 */
#define LAKEFS_ATTACH_RDONLY	1
struct lakefs_attach {
	__u32 abi_version;		/* in/out */
	__u32 dev_major;
	__u32 dev_minor;
	__u32 flags;			/* in: 0, out: LAKEFS_ATTACH_* */
	__u64 features;			/* in: known, out: in use */
	__u64 generation;		/* out: of this attachment */
	__u64 epoch;			/* out: 0 = mount not answered yet */
	__u64 durable_seq;		/* out: what the kernel was told */
	__u64 last_seq;			/* out */
	__u64 reserved;
};

/*
 * DECLARE: copy out what the mount holds (epoch != 0). Blocks of the device of
 * REMAPs that are not durable yet are as if leased.
 */
#define LAKEFS_DECLARE_BLOCKS	1	/* leased, no durable map yet */
#define LAKEFS_DECLARE_INOS	2	/* leased, not used in a durable create */
#define LAKEFS_DECLARE_ORPHAN	3	/* live unlinked inode, count 1 */
struct lakefs_declared {
	__u64 start;
	__u64 count;
	__u32 kind;
	__u32 pad;
};
struct lakefs_declare {
	__u64 addr;			/* of struct lakefs_declared[max] */
	__u64 max;
	__u64 count;			/* out: there are; > max: call again */
	__u64 durable_seq;		/* of the recovered state: maps up to
					 * it are not declared */
};

/*
 * READY: recovered; start the rings. durable_seq: the last seq inside the
 * recovered state; the kernel drops its records up to it and sends all later
 * ones again. Fails with -ESTALE (and shuts the mount down) when epoch is not
 * the mount's or durable_seq is less than what was acknowledged.
 */
struct lakefs_ready {
	__u64 epoch;			/* of the recovered state */
	__u64 durable_seq;
};

/*
 * COMMIT: write addr[0..len) at offset with one PREFLUSH|FUA request; only
 * inside the superblock, ticket and WAL regions. When it is on the device,
 * every intent with seq <= durable_seq is durable: waiters wake, records go.
 */
struct lakefs_commit {
	__u64 addr;			/* page aligned */
	__u64 offset;			/* bytes, multiple of 4096 */
	__u64 durable_seq;
	__u32 len;			/* multiple of 4096, <= 1 MiB */
	__u32 flags;
};

/* FAIL: the daemon cannot go on with this lake; shuts the mount down */
struct lakefs_fail {
	__s32 error;			/* negative errno */
	__u32 pad;
	__u8 reason[120];		/* NUL terminated */
};

/*
 * SEAL, CHECKED, UNSEAL: the daemon asks, the kernel decides. 0: the intent
 * was recorded with seq. Otherwise nothing was changed:
 *   -EAGAIN	the map changed after map_seq; or data of the range is on its
 *		way although it was written back; CHECKED: not all that is
 *		written of the range is sealed
 *   -EBUSY	cannot be had for now: a swap file, pages pinned for a device's
 *		writes, a frozen filesystem, a file that somebody writes to or
 *		reads directly for longer than some tenths of a second
 *   -ENOENT	there is no such inode with a name, or not of this generation
 *   -EINVAL	not a regular file, or a range that cannot be
 *   -EROFS	the mount or the device is read-only
 */
struct lakefs_seal {
	__u64 ino;
	__u32 generation;		/* of the inode */
	__u32 flags;			/* 0 */
	__u64 map_seq;			/* applied when the daemon looked */
	__u64 file_block;
	__u64 blocks;			/* 1 .. LAKEFS_SEAL_BLOCKS_MAX */
	__u64 seq;			/* out: of the intent */
};

/*
 * SHARE: asked for by the daemon, too. 0: the intent was recorded with seq.
 * Otherwise nothing was changed, with the errors of struct lakefs_seal:
 * -EAGAIN also when not all that either file has written in the range is
 * CHECKED, when src_pos is within a block and the bytes from there on do not
 * follow each other on the device, or when one file ends in the range and the other one
 * does not end there, at the same place of the same block; -EINVAL also when
 * the two are one file; -ENOSPC when there is no room in the metadata.
 */
struct lakefs_share {
	__u64 src_ino;
	__u64 dst_ino;
	__u32 src_generation;
	__u32 dst_generation;
	__u64 map_seq;			/* applied when the daemon looked */
	__u64 src_pos;			/* bytes */
	__u64 dst_block;
	__u64 blocks;			/* 1 .. LAKEFS_CLONE_BLOCKS_MAX */
	__u64 seq;			/* out: of the intent */
	__u64 flags;			/* 0 */
};

/*
 * REMAP: asked for by the daemon, too, which has written these bytes to blocks
 * that it holds, and their checksums into the table. 0: the intent was recorded
 * with seq. Otherwise nothing was changed, with the
 * errors of struct lakefs_seal: -EAGAIN also when not all of the range is
 * written and CHECKED; -EINVAL also when phys_block, blocks and flags are none
 * that such an extent can have; -ENOSPC when there is no room in the metadata.
 */
struct lakefs_remap {
	__u64 ino;
	__u32 generation;
	__u32 flags;			/* LAKEFS_EXTENT_*, of the extent */
	__u64 map_seq;			/* applied when the daemon looked */
	__u64 file_block;
	__u64 phys_block;
	__u64 blocks;			/* 1 .. LAKEFS_REMAP_BLOCKS_MAX */
	__u64 seq;			/* out: of the intent */
};

#define LAKEFS_IOC_MAGIC	'L'
#define LAKEFS_IOC_NEXT_WANTED	_IOWR(LAKEFS_IOC_MAGIC, 1, struct lakefs_wanted)
#define LAKEFS_IOC_ATTACH	_IOWR(LAKEFS_IOC_MAGIC, 2, struct lakefs_attach)
#define LAKEFS_IOC_DECLARE	_IOWR(LAKEFS_IOC_MAGIC, 3, struct lakefs_declare)
#define LAKEFS_IOC_READY	_IOW(LAKEFS_IOC_MAGIC, 4, struct lakefs_ready)
#define LAKEFS_IOC_COMMIT	_IOW(LAKEFS_IOC_MAGIC, 5, struct lakefs_commit)
/* KICK: look at the dpage: replies, space in the rings, applied_seq */
#define LAKEFS_IOC_KICK		_IO(LAKEFS_IOC_MAGIC, 6)
#define LAKEFS_IOC_FAIL		_IOW(LAKEFS_IOC_MAGIC, 7, struct lakefs_fail)
/* DETACH: orderly; the mount stays and waits for a successor */
#define LAKEFS_IOC_DETACH	_IO(LAKEFS_IOC_MAGIC, 8)
/* these wait for requests to be answered: not for the thread that does that */
#define LAKEFS_IOC_SEAL		_IOWR(LAKEFS_IOC_MAGIC, 9, struct lakefs_seal)
#define LAKEFS_IOC_CHECKED	_IOWR(LAKEFS_IOC_MAGIC, 10, struct lakefs_seal)
#define LAKEFS_IOC_UNSEAL	_IOWR(LAKEFS_IOC_MAGIC, 11, struct lakefs_seal)
#define LAKEFS_IOC_SHARE	_IOWR(LAKEFS_IOC_MAGIC, 12, struct lakefs_share)
#define LAKEFS_IOC_REMAP	_IOWR(LAKEFS_IOC_MAGIC, 13, struct lakefs_remap)

/* the person's shutdown of a mount (any file or directory of it) */
#define LAKEFS_FS_IOC_SHUTDOWN	_IOR('X', 125, __u32)

/* generic netlink family: events only */
#define LAKEFS_GENL_NAME	"lakefs"
#define LAKEFS_GENL_VERSION	1
#define LAKEFS_GENL_GROUP	"events"
enum lakefs_genl_event {
	LAKEFS_EV_MOUNTED	= 1,
	LAKEFS_EV_ATTACHED	= 2,
	LAKEFS_EV_DETACHED	= 3,
	LAKEFS_EV_SHUTDOWN	= 4,
	LAKEFS_EV_ERROR		= 5,
	LAKEFS_EV_UNMOUNTED	= 6,
	LAKEFS_EV_DAMAGED	= 7,	/* a block differs from its checksum */
};
enum lakefs_genl_attr {
	LAKEFS_A_UNSPEC		= 0,
	LAKEFS_A_DEV		= 1,	/* string "major:minor" */
	LAKEFS_A_GENERATION	= 2,	/* u64 */
	LAKEFS_A_ERROR		= 3,	/* s32 */
	LAKEFS_A_REASON		= 4,	/* string */
	LAKEFS_A_BLOCK		= 5,	/* u64: of the device */
};

#endif /* LAKEFS_RING_H */
