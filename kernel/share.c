// SPDX-License-Identifier: GPL-2.0
/*
 * SHARE of two inodes; how a call comes here is in sealcall.c. The daemon knows
 * that both have the same bytes in a range, as of map_seq. If that still holds,
 * the destination maps the source's blocks from now on, as after a clone
 * (clone.c), and nobody who reads it sees a difference.
 *
 * Where the source's bytes begin within a block, they have to follow each other
 * on the device: the destination gets one extent of them, skewed by what the
 * place on the device is not a multiple of. The daemon finds the same one by
 * the same rule; which extents such bytes are in neither of the two asks.
 *
 * Why the bytes are still the same when they are not compared: a write that
 * came since has given its file a later map_seq, or its data is on its way, and
 * then the block is pending here: checked blocks are never written in place.
 * Nothing written in the range but checked blocks is taken; holes and
 * unwritten blocks are zeroes until a write makes them pending.
 *
 * Why nobody is reading the blocks that the destination gives up: under its
 * i_rwsem and invalidate_lock no read of them begins, direct I/O was waited
 * for, and dropping its pages waits for those that are being filled. Mappings
 * go with the pages, and fault again. Pages that are pinned stay, and then
 * nothing is done. The source's blocks stay where they are, and so do its
 * pages: its locks keep the ends of both files where they are.
 */
#include <linux/pagemap.h>
#include "data.h"

struct lakefs_sharing {
	struct lakefs_clone c;		/* blocks: of the destination */
	const struct lakefs_share *arg;
	u32 within;			/* of a block: where src's begin */
	u64 device;			/* within: their byte on the device */
	u64 seq;
};

/* behind the last block of the source */
static u64 lakefs_share_src_end(const struct lakefs_sharing *s)
{
	return s->c.from + s->c.blocks + !!s->within;
}

/* ---- the maps; both ext_locks held --------------------------------------- */

/*
 * What was noted and not said is said now: where checked blocks come to it
 * may not be said any more.
 */
static bool lakefs_share_outdated(const struct lakefs_sharing *s,
				  struct inode *inode)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);

	lakefs_over_emit(li, false);
	return li->map_seq > s->arg->map_seq;
}

static bool lakefs_share_checked(struct inode *inode, u64 start, u64 end)
{
	struct lakefs_extent *e = lakefs_ext_find(LAKEFS_I(inode), start);

	for (; e && e->block < end; e = lakefs_ext_next(e))
		if (lakefs_ext_pending(e) ||
		    (e->state == LAKEFS_X_WRITTEN && !e->checked))
			return false;
	return true;
}

/* Where on the device the first byte of e is. */
static u64 lakefs_share_device(const struct lakefs_extent *e)
{
	return (lakefs_ext_where(e) << LAKEFS_BLOCK_BITS) + e->skew;
}

/*
 * Within a block: all that src has there is written, and in one piece. What is
 * in a pack does not lie on the device.
 */
static bool lakefs_share_in_one(struct lakefs_sharing *s)
{
	u64 block = s->c.from, end = lakefs_share_src_end(s), start = 0, at;
	struct lakefs_extent *e = lakefs_ext_find(LAKEFS_I(s->c.src), block);

	for (; block < end; e = lakefs_ext_next(e)) {
		if (!e || e->block > block || e->state != LAKEFS_X_WRITTEN ||
		    e->packed)
			return false;
		at = lakefs_share_device(e) +
		     ((block - e->block) << LAKEFS_BLOCK_BITS);
		if (block == s->c.from)
			start = at;
		else if (at != start + ((block - s->c.from) <<
					LAKEFS_BLOCK_BITS))
			return false;
		block = lakefs_ext_end(e);
	}
	s->device = start + s->within;
	return true;
}

/*
 * What lies behind the end of a file in its last block is none of its bytes,
 * and must not become some of the other file's.
 */
static bool lakefs_share_ends_ok(const struct lakefs_sharing *s)
{
	loff_t src = i_size_read(s->c.src), dst = i_size_read(s->c.dst);

	if (!s->within && s->c.from == s->c.to && src == dst)
		return true;
	return lakefs_block_of(src - min_t(loff_t, src, s->within)) >=
	       s->c.from + s->c.blocks &&
	       lakefs_block_of(dst) >= s->c.to + s->c.blocks;
}

static bool lakefs_share_holds(struct lakefs_sharing *s)
{
	return !lakefs_share_outdated(s, s->c.src) &&
	       !lakefs_share_outdated(s, s->c.dst) &&
	       lakefs_share_checked(s->c.src, s->c.from,
				    lakefs_share_src_end(s)) &&
	       lakefs_share_checked(s->c.dst, s->c.to,
				    s->c.to + s->c.blocks) &&
	       lakefs_share_ends_ok(s) &&
	       (!s->within || lakefs_share_in_one(s));
}

/* All of the source's blocks have another owner now. */
static void lakefs_share_mark(const struct lakefs_sharing *s)
{
	struct lakefs_inode_info *src = LAKEFS_I(s->c.src);
	u64 end = lakefs_share_src_end(s);
	struct lakefs_extent *e = lakefs_ext_isolate(src, s->c.from, end);

	for (; e && e->block < end; e = lakefs_ext_next(e))
		e->shared = true;
	for (e = lakefs_ext_find(src, s->c.from); e && e->block <= end;
	     e = lakefs_ext_next(e))
		e = lakefs_ext_merge(src, e);
	lakefs_map_cut(src);
}

/* Within a block; at most two cuts of each map and an extent. */
static void lakefs_share_piece(const struct lakefs_sharing *s)
{
	struct lakefs_inode_info *dst = LAKEFS_I(s->c.dst);
	struct lakefs_extent *e;

	lakefs_share_mark(s);
	/* stat takes no lock: rather twice than not at all */
	WRITE_ONCE(dst->mapped_blocks, dst->mapped_blocks + s->c.blocks);
	lakefs_ext_drop_range(dst, s->c.to, s->c.to + s->c.blocks);
	e = lakefs_node_take();
	e->block = s->c.to;
	e->blocks = s->c.blocks;
	e->phys = s->device >> LAKEFS_BLOCK_BITS;
	e->skew = lakefs_in_block(s->device);
	e->state = LAKEFS_X_WRITTEN;
	e->shared = true;
	e->sealed = true;
	e->checked = true;
	lakefs_ext_insert(dst, e);
	lakefs_ext_merge(dst, e);
	lakefs_map_cut(dst);
}

static void lakefs_share_emit(struct lakefs_sharing *s, struct lakefs_rec *rec)
{
	struct lakefs_i_share *entry = (struct lakefs_i_share *)
				       rec->entry.bytes;
	struct lakefs_inode_info *src = LAKEFS_I(s->c.src);
	struct lakefs_inode_info *dst = LAKEFS_I(s->c.dst);

	entry->src_ino = src->ino;
	entry->dst_ino = dst->ino;
	entry->src_pos = s->arg->src_pos;
	entry->dst_block = s->c.to;
	entry->blocks = s->c.blocks;
	s->seq = lakefs_rec_emit(LAKEFS_SB(s->c.dst->i_sb), rec);
	lakefs_touch(s->c.src, s->seq);
	lakefs_map_touch(dst, s->seq);
}

/* ---- around it ----------------------------------------------------------- */

/* rec NULL: only a look at whether it can be. It is used up on success. */
static int lakefs_share_locked(struct lakefs_sharing *s,
			       struct lakefs_rec *rec)
{
	u64 deposit = 0;
	int err = lakefs_clone_lock(&s->c, &deposit);

	if (!err) {
		if (!lakefs_share_holds(s)) {
			err = -EAGAIN;
		} else if (rec) {
			if (s->within)
				lakefs_share_piece(s);
			else
				lakefs_clone_maps(&s->c);
			lakefs_share_emit(s, rec);
		}
		lakefs_clone_unlock(&s->c);
	}
	lakefs_bank_withdraw(deposit);
	return err;
}

int lakefs_settle_range(struct inode *inode, u64 start, u64 end)
{
	int err;

	inode_dio_wait(inode);
	err = filemap_write_and_wait_range(inode->i_mapping,
					   start << LAKEFS_BLOCK_BITS,
					   (end << LAKEFS_BLOCK_BITS) - 1);
	if (err)
		return err;
	if (lakefs_range_pinned(inode, start, end))
		return -EBUSY;
	return invalidate_inode_pages2_range(inode->i_mapping, start, end - 1);
}

/* i_rwsem and invalidate_lock of both held */
static int lakefs_share_range(struct lakefs_sharing *s)
{
	struct lakefs_rec *rec;
	int err;

	if (IS_SWAPFILE(s->c.src) || IS_SWAPFILE(s->c.dst))
		return -EBUSY;
	/* what is refused has not cost anybody his pages */
	err = lakefs_share_locked(s, NULL);
	if (!err)
		err = lakefs_settle_range(s->c.dst, s->c.to,
					  s->c.to + s->c.blocks);
	if (err)
		return err;
	rec = lakefs_rec_alloc(LAKEFS_I_SHARE, sizeof(struct lakefs_i_share),
			       GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	err = lakefs_share_locked(s, rec);
	if (err)
		lakefs_rec_free(rec);
	return err;
}

/* Waits for the daemon: before any lock of the files is taken. */
static int lakefs_share_begin(const struct lakefs_sharing *s)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(s->c.dst->i_sb);
	int err = lakefs_op_begin_growing(sbi);

	if (!err)
		err = lakefs_extents_load(s->c.src);
	if (!err)
		err = lakefs_extents_load(s->c.dst);
	return err ? err : lakefs_clone_room(sbi);
}

static bool lakefs_share_possible(const struct lakefs_sharing *s)
{
	return s->c.src != s->c.dst && S_ISREG(s->c.src->i_mode) &&
	       S_ISREG(s->c.dst->i_mode) &&
	       lakefs_call_range_ok(s->c.src, s->c.from,
				    s->c.blocks + !!s->within,
				    LAKEFS_CLONE_BLOCKS_MAX + 1) &&
	       lakefs_call_range_ok(s->c.dst, s->c.to, s->c.blocks,
				    LAKEFS_CLONE_BLOCKS_MAX);
}

int lakefs_share_inodes(struct inode *src, struct inode *dst,
			struct lakefs_share *arg)
{
	struct lakefs_sharing s = {
		.c = {
			.src = src,
			.dst = dst,
			.from = arg->src_pos >> LAKEFS_BLOCK_BITS,
			.to = arg->dst_block,
			.blocks = arg->blocks,
		},
		.arg = arg,
		.within = arg->src_pos & (LAKEFS_BLOCK_SIZE - 1),
	};
	int err;

	if (!lakefs_share_possible(&s))
		return -EINVAL;
	err = lakefs_share_begin(&s);
	if (err)
		return err;
	if (!lakefs_call_lock(src))
		return -EBUSY;
	if (!lakefs_call_lock(dst)) {
		inode_unlock(src);
		return -EBUSY;
	}
	filemap_invalidate_lock_two(src->i_mapping, dst->i_mapping);
	err = lakefs_share_range(&s);
	filemap_invalidate_unlock_two(src->i_mapping, dst->i_mapping);
	inode_unlock(dst);
	inode_unlock(src);
	arg->seq = s.seq;
	return err;
}
