/* SPDX-License-Identifier: GPL-2.0 */
/*
 * File data, internally: leased blocks, the bank of prepared objects, extent
 * maps. Used by lease.c, declare.c, bank.c, extent*.c, reserve.c, unreserve.c,
 * overwrite.c, iomap.c, writeback.c, fault.c, size.c, direct.c, clone.c,
 * share.c, remap.c, trim.c, falloc.c, shift.c, seal*.c, sums.c, look.c, lens.c,
 * pack.c, exact.c, fiemap.c and file.c only.
 *
 * Life of a block of a file:
 *
 *   hole --write begins--> DELAYED --writeback--> TAKEN --I/O done--> WRITTEN
 *   hole --fallocate--> UNWRITTEN --write begins--> DIRTY --I/O done--> WRITTEN
 *   hole --direct write--> TAKEN --I/O done--> WRITTEN
 *   WRITTEN, fixed --write begins--> DELAYED, src --writeback--> TAKEN, src
 *		--I/O done--> WRITTEN
 *
 * DELAYED holds a promise of the lease pool (one block each). DELAYED, TAKEN
 * and DIRTY hold a deposit in the bank (one extent node and one record each),
 * so that nothing after the write's beginning can run out of anything.
 * A MAP record is emitted when, and only when, a block becomes UNWRITTEN or
 * WRITTEN; the daemon knows exactly the blocks in these two states, DIRTY,
 * and those with a src, at src.
 *
 * Fixed blocks are WRITTEN and never written in place: shared ones have other
 * owners (clone.c, share.c), sealed ones the daemon may read, hash and share (seal.c),
 * checked ones are compared with their checksums at every read (lens.c). A
 * write to them reserves new ones: src is then where the old content is, still
 * mapped by the daemon and still read from, until the MAP of the new ones is
 * emitted or the write is given up. What is marked more than the daemon knows
 * of costs a needless copy; what is marked less would be damaged.
 *
 * Skewed extents are checked ones whose content lies within the device's blocks
 * so, and ends in one block more than they have (share.c). Who asks for their
 * bytes goes through the lens, and gets them from where they are; nothing else
 * has to know, as they are never written in place. Packed ones are checked,
 * too: their blocks are compressed with others, and where they are is a place in
 * packs (docs/on-disk-format.md), which the lens unpacks (pack.c). A place grows
 * by one with each block, as an address on the device does.
 *
 * ext_lock is held for every look at the map and every change. It is never
 * held over a wait for the daemon (but for loading the map), for writeback or
 * for a folio lock (but of the checksum table). Allocations under it are
 * GFP_NOFS.
 */
#ifndef LAKEFS_DATA_H
#define LAKEFS_DATA_H

#include <linux/blk_types.h>
#include "lakefs.h"

/* blocks handled by one step of a buffered or direct write */
#define LAKEFS_STEP_BLOCKS	1024

#define LAKEFS_NO_BLOCK		U64_MAX

enum lakefs_extent_state {
	LAKEFS_X_DELAYED,
	LAKEFS_X_TAKEN,
	LAKEFS_X_UNWRITTEN,
	LAKEFS_X_DIRTY,			/* unwritten on disk, write under way */
	LAKEFS_X_WRITTEN,
};

struct lakefs_extent {
	struct rb_node node;
	struct list_head taken;		/* TAKEN: sbi->taken; pool_lock */
	u64 block;			/* of the file */
	u64 blocks;
	u64 phys;			/* of the device; 0 when DELAYED */
	u8 state;
	u64 src;			/* DELAYED, TAKEN: fixed blocks that
					 * they will replace; 0: none */
	bool direct;			/* TAKEN, DIRTY: of a direct write */
	bool both;			/* the same, and a dirty page has taken
					 * them over: no checksum tells which of
					 * the two is on the device */
	/* of the blocks at lakefs_ext_where(); only where there is data */
	bool crc;			/* the daemon has crcs */
	bool shared;			/* others have them too */
	bool sealed;
	bool checked;			/* sealed, and its checksums hold */
	bool packed;			/* checked; that is a place in packs */
	u8 span;			/* packed: blocks of the device that the
					 * pack has beyond its first */
	u16 skew;			/* checked, not packed: so many bytes
					 * behind the device's block's beginning */
};

static inline void lakefs_ext_copy_marks(struct lakefs_extent *to,
					 const struct lakefs_extent *from)
{
	to->crc = from->crc;
	to->shared = from->shared;
	to->sealed = from->sealed;
	to->checked = from->checked;
	to->packed = from->packed;
	to->span = from->span;
	to->skew = from->skew;
}

static inline void lakefs_ext_clear_marks(struct lakefs_extent *e)
{
	lakefs_ext_copy_marks(e, &(struct lakefs_extent){ });
}

static inline u64 lakefs_ext_end(const struct lakefs_extent *e)
{
	return e->block + e->blocks;
}

/* states that hold a deposit: data on its way */
static inline bool lakefs_ext_pending(const struct lakefs_extent *e)
{
	return e->state == LAKEFS_X_DELAYED || e->state == LAKEFS_X_TAKEN ||
	       e->state == LAKEFS_X_DIRTY;
}

/* states the daemon has as mapped */
static inline bool lakefs_ext_mapped(const struct lakefs_extent *e)
{
	return e->state == LAKEFS_X_UNWRITTEN ||
	       e->state == LAKEFS_X_DIRTY ||
	       e->state == LAKEFS_X_WRITTEN || e->src;
}

/* there is data on the device, as the daemon knows it: at lakefs_ext_where */
static inline bool lakefs_ext_has_data(const struct lakefs_extent *e)
{
	return e->state == LAKEFS_X_WRITTEN || e->src;
}

/* where the bytes of the blocks are, page cache aside; 0: nowhere. See skew */
static inline u64 lakefs_ext_where(const struct lakefs_extent *e)
{
	return e->src ? e->src : e->phys;
}

/* each block of it is one of the device, at lakefs_ext_where() */
static inline bool lakefs_ext_plain(const struct lakefs_extent *e)
{
	return !e->skew && !e->packed;
}

/* the device's block that e goes on to; 0: none, put it anywhere */
static inline u64 lakefs_ext_goal(const struct lakefs_extent *e)
{
	if (!e->phys || (e->packed && !e->src))
		return 0;
	return e->phys + e->blocks;
}

/* never written in place: new blocks first */
static inline bool lakefs_ext_fixed(const struct lakefs_extent *e)
{
	return e->state == LAKEFS_X_WRITTEN && (e->shared || e->sealed);
}

static inline u64 lakefs_block_of(loff_t pos)
{
	return (u64)pos >> LAKEFS_BLOCK_BITS;
}

static inline u64 lakefs_blocks_for(loff_t size)
{
	return ((u64)size + LAKEFS_BLOCK_SIZE - 1) >> LAKEFS_BLOCK_BITS;
}

static inline u32 lakefs_in_block(loff_t pos)
{
	return pos & (LAKEFS_BLOCK_SIZE - 1);
}

/* ---- bank.c -------------------------------------------------------------- */
/*
 * deposit(n) may sleep and fail; afterwards n nodes and n records can be
 * taken without fail by the owner of the deposit, until withdraw(n).
 */
int lakefs_bank_init(void);
void lakefs_bank_exit(void);
int lakefs_bank_deposit(u64 n, gfp_t gfp);
void lakefs_bank_withdraw(u64 n);
struct lakefs_extent *lakefs_node_take(void);
void lakefs_node_put(struct lakefs_extent *e);
struct lakefs_extent *lakefs_node_alloc(gfp_t gfp);	/* without deposit */
/* a MAP record with room for LAKEFS_MAP_BLOCKS_MAX crcs; len is to be set */
struct lakefs_rec *lakefs_map_rec_take(void);
void lakefs_map_rec_put(struct lakefs_rec *rec);	/* not used after all */

/* ---- lease.c ------------------------------------------------------------- */
/* blocks already promised, to extent e: see there */
void lakefs_blocks_take(struct lakefs_sb_info *sbi, struct lakefs_extent *e,
			u64 goal);
void lakefs_blocks_untake(struct lakefs_sb_info *sbi, struct lakefs_extent *e);
/* TAKEN is over: the record that maps the blocks has been emitted */
void lakefs_blocks_mapped(struct lakefs_sb_info *sbi, struct lakefs_extent *e,
			  u8 state);
/* TAKEN extents are cut and joined under the lock that DECLARE takes */
void lakefs_taken_split(struct lakefs_sb_info *sbi, struct lakefs_extent *left,
			struct lakefs_extent *right);
void lakefs_taken_join(struct lakefs_sb_info *sbi, struct lakefs_extent *left,
		       struct lakefs_extent *right);
bool lakefs_data_range_ok(struct lakefs_sb_info *sbi, u64 start, u64 count);

/*
 * Blocks of the device that an extent refers to, as phys_block, blocks and
 * flags of an entry or an answer tell.
 */
struct lakefs_place {
	u64 start;
	u64 count;
};

static inline struct lakefs_place lakefs_place_of(u64 phys, u64 blocks,
						  u32 flags)
{
	struct lakefs_place place = { phys, blocks };

	if (flags & LAKEFS_EXTENT_PACKED) {
		place.start = phys >> LAKEFS_PACK_BITS;
		place.count = 1 + ((flags & LAKEFS_EXTENT_SPAN_MASK) >>
				   LAKEFS_EXTENT_SPAN_SHIFT);
	} else if (flags & LAKEFS_EXTENT_SKEW_MASK) {
		place.count++;
	}
	return place;
}

/* ---- extent.c: the tree; ext_lock held ----------------------------------- */
/* the first extent that ends after block: it contains it or lies behind */
struct lakefs_extent *lakefs_ext_find(struct lakefs_inode_info *li, u64 block);
/* the last extent that begins before block */
struct lakefs_extent *lakefs_ext_last_before(struct lakefs_inode_info *li,
					     u64 block);
struct lakefs_extent *lakefs_ext_next(struct lakefs_extent *e);
struct lakefs_extent *lakefs_ext_prev(struct lakefs_extent *e);
void lakefs_ext_insert(struct lakefs_inode_info *li, struct lakefs_extent *e);
/* make extents begin at start and at end; uses up to 2 nodes of a deposit */
struct lakefs_extent *lakefs_ext_isolate(struct lakefs_inode_info *li,
					 u64 start, u64 end);
/* join e with what it continues; returns the extent that is left */
struct lakefs_extent *lakefs_ext_merge(struct lakefs_inode_info *li,
				       struct lakefs_extent *e);
/* state changes of a whole extent, with all accounts; nothing is emitted */
void lakefs_ext_drop(struct lakefs_inode_info *li, struct lakefs_extent *e);
void lakefs_ext_set_state(struct lakefs_inode_info *li,
			  struct lakefs_extent *e, u8 state);
/* a write begins on the fixed extent e: WRITTEN -> DELAYED with src */
void lakefs_ext_unfix(struct lakefs_inode_info *li, struct lakefs_extent *e);
/* the write that e was reserved for is given up: what was there before is */
void lakefs_ext_undo(struct lakefs_inode_info *li, struct lakefs_extent *e);
/* drop [start, end): true when the daemon has something mapped there */
bool lakefs_ext_drop_range(struct lakefs_inode_info *li, u64 start, u64 end);

/* seq changed what the blocks of the file are, or the rules for them */
static inline void lakefs_map_touch(struct lakefs_inode_info *li, u64 seq)
{
	li->map_seq = seq;
	lakefs_touch(&li->vfs_inode, seq);
}

/* any cached translation of the map is void from here on */
static inline void lakefs_map_moved(struct lakefs_inode_info *li)
{
	WRITE_ONCE(li->map_gen, li->map_gen + 1);
}

/* blocks went away, or elsewhere: writeback's cached translation too */
static inline void lakefs_map_cut(struct lakefs_inode_info *li)
{
	lakefs_map_moved(li);
	WRITE_ONCE(li->cut_gen, li->cut_gen + 1);
}

/* ---- extent_load.c ------------------------------------------------------- */
/* can blocks lie there? They do not go beyond a pack, nor the data region */
bool lakefs_place_ok(struct lakefs_sb_info *sbi, u64 phys, u64 blocks,
		     u32 flags);
/* Have the whole map in memory. May wait for the daemon. No locks but VFS's. */
int __lakefs_extents_load(struct inode *inode);

static inline int lakefs_extents_load(struct inode *inode)
{
	if (likely(smp_load_acquire(&LAKEFS_I(inode)->extents_known)))
		return 0;
	return __lakefs_extents_load(inode);
}

/* ---- reserve.c ----------------------------------------------------------- */
/*
 * Make [block, block + *blocks) ready to be written through the page cache
 * or directly; *blocks is cut to what has one state afterwards. Waits for the
 * daemon when the pool is short. Returns with ext_lock held and *found set
 * when it returns 0.
 */
#define LAKEFS_RESERVE_DIRECT	1
#define LAKEFS_RESERVE_ZERO	2	/* holes and clean unwritten stay */
#define LAKEFS_RESERVE_NOWAIT	4	/* -EAGAIN instead; memory is no wait */
int lakefs_reserve(struct inode *inode, u64 block, u64 *blocks, int mode,
		   struct lakefs_extent **found, bool *fresh);
/* the same for a write fault, record of the size included; ext_lock not held */
int lakefs_reserve_cached(struct inode *inode, u64 block, u64 *blocks,
			  int mode);
/* blocks of a direct write under way in a folio that a fault makes dirty */
void lakefs_take_over(struct inode *inode, u64 start, u64 end);
/* the record for a size that in-place writes will make */
int lakefs_prepare_size(struct inode *inode, loff_t end);
bool lakefs_range_written(struct inode *inode, loff_t pos, u64 len);

/* ---- unreserve.c --------------------------------------------------------- */
/* reservations of [start, end) that no dirty folio needs: given back */
void lakefs_unreserve_clean(struct inode *inode, u64 start, u64 end);
/* the same for a block whose zeroing failed; i_rwsem held */
void lakefs_unreserve_block(struct inode *inode, u64 block);
/* the same after a write fault that failed */
void lakefs_unreserve_fault(struct inode *inode, u64 start, u64 end);
/* the same where the caller knows that nothing is dirty: folios are locked */
void lakefs_unreserve_blocks(struct inode *inode, u64 start, u64 end);
/* a failed or short direct write: give back what [start, end) took */
void lakefs_unreserve_direct(struct inode *inode, u64 start, u64 end);

/* ---- overwrite.c; ext_lock held ------------------------------------------ */
struct lakefs_rec *lakefs_over_alloc(void);
/*
 * [block, +blocks) of the extent e will be written in place. false: again with
 * *spare from lakefs_over_alloc(), of which nothing is left when it was used.
 */
bool lakefs_over_note(struct lakefs_inode_info *li, struct lakefs_extent *e,
		      u64 block, u64 blocks, struct lakefs_rec **spare);
/*
 * What was noted is recorded, before any of it is written. remember: extents
 * may be cut and joined, so that the map knows.
 */
void lakefs_over_emit(struct lakefs_inode_info *li, bool remember);
/* nothing of it was written; no lock: the inode goes */
void lakefs_over_forget(struct lakefs_inode_info *li);

/* without ext_lock: for what was noted before the folio was made dirty */
static inline bool lakefs_over_noted(const struct lakefs_inode_info *li)
{
	return smp_load_acquire(&li->over_count);
}

/* ---- writeback.c --------------------------------------------------------- */
int lakefs_writepages(struct address_space *mapping,
		      struct writeback_control *wbc);
void lakefs_ioend_work(struct work_struct *work);

/* ---- size.c -------------------------------------------------------------- */
/*
 * ext_lock held. Are the blocks of e that are to be written, up to end of the
 * file, in order for the size to be recorded? Else lakefs_prepare_size() first.
 */
bool lakefs_size_ready(struct inode *inode, struct lakefs_extent *e, u64 block,
		       u64 blocks, loff_t end);
loff_t lakefs_size_advance(struct inode *inode, loff_t end, u64 io_start,
			   u64 io_end);
void lakefs_size_done(struct inode *inode, loff_t end, u64 io_start,
		      u64 io_end);
/* for a sync of the file up to end, before it writes; no ext_lock */
void lakefs_size_want(struct inode *inode, loff_t end);
void lakefs_emit_map(struct inode *inode, struct lakefs_rec *rec);
void lakefs_emit_size(struct inode *inode, struct lakefs_rec *rec, loff_t size,
		      u32 extra_valid);
/* zero what lies behind an old end of file before the file grows over it */
int lakefs_zero_eof(struct inode *inode, loff_t to);
/* size > i_size, everything below it on the device or a hole; emits */
int lakefs_extend(struct inode *inode, loff_t size, u32 extra_valid);

/* ---- sums.c: the checksum table ------------------------------------------- */
int lakefs_sums_init(struct lakefs_sb_info *sbi);
void lakefs_sums_exit(struct lakefs_sb_info *sbi);
/* a page of it that a reader holds on to; zeroed at first */
struct lakefs_sums {
	struct folio *folio;
	u64 index;
};
/* of a block of the data region. Waits for the device. -EIO, -ENOMEM */
int lakefs_sums_get(struct lakefs_sb_info *sbi, u64 block,
		    struct lakefs_sums *held, u32 *sum);
/* the same where nothing may wait: false when its page is not cached */
bool lakefs_sums_peek(struct lakefs_sb_info *sbi, u64 block,
		      struct lakefs_sums *held, u32 *sum);
void lakefs_sums_put(struct lakefs_sums *held);
/* a hint: no waiting for that block's */
bool lakefs_sums_cached(struct lakefs_sb_info *sbi, u64 block);
/* what is cached of these blocks' is read anew */
int lakefs_sums_forget(struct lakefs_sb_info *sbi, u64 block, u64 blocks);

/* ---- look.c --------------------------------------------------------------- */
struct bio;
/*
 * Compares what a read of the device brought with its checksums; start: of it
 * on the device, in bytes. Whole blocks are in the bio; parts of them it reads
 * itself (lakefs_look_is_of_parts). May wait. BLK_STS_IOERR: some is damaged.
 */
blk_status_t lakefs_look(struct lakefs_sb_info *sbi, struct bio *bio, u64 start);
bool lakefs_look_is_of_parts(const struct bio *bio, u64 start);

/* ---- lens.c, exact.c: reading checked blocks ------------------------------ */
struct iomap;
/* a mapping of the checked extent e: through the lens */
void lakefs_lens_map(struct lakefs_sb_info *sbi, struct iomap *iomap,
		     const struct lakefs_extent *e);
/*
 * A read at pos failed: true when other blocks than that may be why, and no
 * longer are. Twice: a folio made large as the first was dropped.
 */
#define LAKEFS_READ_TRIES	2
bool lakefs_read_again(struct inode *inode, loff_t pos);

/* ---- pack.c --------------------------------------------------------------- */
/* a place in packs, in bytes of the content */
#define LAKEFS_PACK_BYTES_BITS	(LAKEFS_PACK_BITS + LAKEFS_BLOCK_BITS)
void lakefs_packs_exit(struct lakefs_sb_info *sbi);
/*
 * Fills the reader's bio with what is at that place of packs, which are of
 * span + 1 blocks of the device each. Waits. BLK_STS_IOERR: damaged.
 */
blk_status_t lakefs_packs_read(struct lakefs_sb_info *sbi, struct bio *bio,
			       u64 start, u8 span);
/* these blocks of the device are not the pack any more that is remembered */
void lakefs_packs_forget(struct lakefs_sb_info *sbi, u64 block, u64 blocks);

/* ---- sealcall.c ---------------------------------------------------------- */
/* i_rwsem for a call of the daemon; false: somebody else has it (-EBUSY) */
bool lakefs_call_lock(struct inode *inode);

/* ---- seal.c --------------------------------------------------------------- */
/* cmd: LAKEFS_IOC_SEAL, CHECKED, UNSEAL; their errors. seal_lock held */
int lakefs_seal_inode(struct inode *inode, unsigned int cmd,
		      struct lakefs_seal *arg);
/* can the file have [block, +blocks), which are max at most? */
bool lakefs_call_range_ok(const struct inode *inode, u64 block, u64 blocks,
			  u64 max);
bool lakefs_folio_pinned(struct folio *folio);
/* is a page of [start, end) pinned, or likely to be? */
bool lakefs_range_pinned(struct inode *inode, u64 start, u64 end);

/* ---- direct.c; pos and length of a write in whole blocks ------------------ */
ssize_t lakefs_direct_write(struct kiocb *iocb, struct iov_iter *from);
/* over written blocks only; need not be over when it returns */
ssize_t lakefs_direct_overwrite(struct kiocb *iocb, struct iov_iter *from);
ssize_t lakefs_direct_read(struct kiocb *iocb, struct iov_iter *to);

/* ---- iomap.c ------------------------------------------------------------- */
void lakefs_fill_iomap(struct inode *inode, struct iomap *iomap, u64 block,
		       u64 blocks, u16 type, const struct lakefs_extent *e);
/* of iomap->flags of a report: the blocks are in the pack at addr */
#define LAKEFS_IOMAP_PACKED	IOMAP_F_PRIVATE
int lakefs_read_begin(struct inode *inode, loff_t pos, loff_t length,
		      unsigned int flags, struct iomap *iomap,
		      struct iomap *srcmap);
ssize_t lakefs_buffered_write(struct kiocb *iocb, struct iov_iter *from);
int lakefs_zero_range(struct inode *inode, loff_t pos, loff_t len);
/* all of it is shared blocks, and before the end of the file; i_rwsem alone */
int lakefs_unshare_range(struct inode *inode, loff_t pos, loff_t len);
loff_t lakefs_seek(struct inode *inode, loff_t pos, int whence);

/* ---- fault.c ------------------------------------------------------------- */
int lakefs_mmap(struct file *file, struct vm_area_struct *vma);

/* ---- clone.c ------------------------------------------------------------- */
/* one step: a record. [from, +blocks) of src to [to, +blocks) of dst */
struct lakefs_clone {
	struct inode *src;
	struct inode *dst;
	u64 from;
	u64 to;
	u64 blocks;			/* up to LAKEFS_CLONE_BLOCKS_MAX */
	loff_t limit;			/* dst's size is not made larger */
};
/* both ext_locks, by address; *deposit grows to what lakefs_clone_maps takes */
int lakefs_clone_lock(const struct lakefs_clone *c, u64 *deposit);
void lakefs_clone_unlock(const struct lakefs_clone *c);
/* dst has the blocks of src, as the record that must follow says */
void lakefs_clone_maps(const struct lakefs_clone *c);
/* is there room in the metadata for a step? Asks the daemon. -ENOSPC */
int lakefs_clone_room(struct lakefs_sb_info *sbi);
loff_t lakefs_remap_file_range(struct file *in, loff_t pos_in,
			       struct file *out, loff_t pos_out, loff_t len,
			       unsigned int flags);

/* ---- share.c ------------------------------------------------------------- */
/* LAKEFS_IOC_SHARE; its errors. seal_lock held */
int lakefs_share_inodes(struct inode *src, struct inode *dst,
			struct lakefs_share *arg);

/*
 * Nothing of [start, end) is on its way any more, or in the page cache. i_rwsem
 * and invalidate_lock held. -EBUSY: a page is pinned, or cannot be dropped
 */
int lakefs_settle_range(struct inode *inode, u64 start, u64 end);

/* ---- remap.c ------------------------------------------------------------- */
/* of an extent that REMAP can make? */
bool lakefs_remap_flags_ok(u32 flags);
/* LAKEFS_IOC_REMAP; its errors. seal_lock held */
int lakefs_remap_inode(struct inode *inode, struct lakefs_remap *arg);

/* ---- shift.c; i_rwsem held ----------------------------------------------- */
/* may FALLOC_FL_COLLAPSE_RANGE or INSERT_RANGE do that? */
int lakefs_shift_check(struct inode *inode, int mode, loff_t offset,
		       loff_t len);
/* no direct I/O, invalidate_lock held */
int lakefs_shift_range(struct inode *inode, int mode, loff_t offset,
		       loff_t len);

/* ---- falloc.c ------------------------------------------------------------ */
/* [offset, end) reads as zeroes and has no blocks, its edges apart */
int lakefs_punch(struct inode *inode, loff_t offset, loff_t end);
long lakefs_fallocate(struct file *file, int mode, loff_t offset, loff_t len);

#endif /* LAKEFS_DATA_H */
