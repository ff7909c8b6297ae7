// SPDX-License-Identifier: GPL-2.0
/*
 * SHARE of two inodes; how a call comes here is in sealcall.c. The daemon knows
 * that both have the same bytes in a range, as of map_seq. If that still holds,
 * the destination maps the source's blocks from now on, as after a clone
 * (clone.c), and nobody who reads it sees a difference.
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
	struct lakefs_clone c;
	const struct lakefs_share *arg;
	u64 seq;
};

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

static bool lakefs_share_checked(const struct lakefs_sharing *s,
				 struct inode *inode)
{
	u64 end = s->c.from + s->c.blocks;
	struct lakefs_extent *e = lakefs_ext_find(LAKEFS_I(inode), s->c.from);

	for (; e && e->block < end; e = lakefs_ext_next(e))
		if (lakefs_ext_pending(e) ||
		    (e->state == LAKEFS_X_WRITTEN && !e->checked))
			return false;
	return true;
}

/*
 * What lies behind the end of a file in its last block is none of its bytes,
 * and must not become some of the other file's.
 */
static bool lakefs_share_ends_ok(const struct lakefs_sharing *s)
{
	loff_t src = i_size_read(s->c.src), dst = i_size_read(s->c.dst);

	return src == dst || lakefs_block_of(min(src, dst)) >=
			     s->c.from + s->c.blocks;
}

static bool lakefs_share_holds(const struct lakefs_sharing *s)
{
	return !lakefs_share_outdated(s, s->c.src) &&
	       !lakefs_share_outdated(s, s->c.dst) &&
	       lakefs_share_checked(s, s->c.src) &&
	       lakefs_share_checked(s, s->c.dst) && lakefs_share_ends_ok(s);
}

static void lakefs_share_emit(struct lakefs_sharing *s, struct lakefs_rec *rec)
{
	struct lakefs_i_share *entry = (struct lakefs_i_share *)
				       rec->entry.bytes;
	struct lakefs_inode_info *src = LAKEFS_I(s->c.src);
	struct lakefs_inode_info *dst = LAKEFS_I(s->c.dst);

	entry->src_ino = src->ino;
	entry->dst_ino = dst->ino;
	entry->file_block = s->c.from;
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
			lakefs_clone_maps(&s->c);
			lakefs_share_emit(s, rec);
		}
		lakefs_clone_unlock(&s->c);
	}
	lakefs_bank_withdraw(deposit);
	return err;
}

/* -EBUSY, too, when a page cannot be dropped */
static int lakefs_share_settle(const struct lakefs_sharing *s)
{
	u64 start = s->c.from, end = start + s->c.blocks;
	struct inode *dst = s->c.dst;
	int err;

	inode_dio_wait(dst);
	err = filemap_write_and_wait_range(dst->i_mapping,
					   start << LAKEFS_BLOCK_BITS,
					   (end << LAKEFS_BLOCK_BITS) - 1);
	if (err)
		return err;
	if (lakefs_range_pinned(dst, start, end))
		return -EBUSY;
	return invalidate_inode_pages2_range(dst->i_mapping, start, end - 1);
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
		err = lakefs_share_settle(s);
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

static bool lakefs_share_possible(const struct lakefs_sharing *s,
				  struct inode *inode)
{
	return S_ISREG(inode->i_mode) &&
	       lakefs_call_range_ok(inode, s->c.from, s->c.blocks,
				    LAKEFS_CLONE_BLOCKS_MAX);
}

int lakefs_share_inodes(struct inode *src, struct inode *dst,
			struct lakefs_share *arg)
{
	struct lakefs_sharing s = {
		.c = {
			.src = src,
			.dst = dst,
			.from = arg->file_block,
			.to = arg->file_block,
			.blocks = arg->blocks,
		},
		.arg = arg,
	};
	int err;

	if (src == dst || !lakefs_share_possible(&s, src) ||
	    !lakefs_share_possible(&s, dst))
		return -EINVAL;
	err = lakefs_share_begin(&s);
	if (err)
		return err;
	lock_two_nondirectories(src, dst);
	filemap_invalidate_lock_two(src->i_mapping, dst->i_mapping);
	err = lakefs_share_range(&s);
	filemap_invalidate_unlock_two(src->i_mapping, dst->i_mapping);
	unlock_two_nondirectories(src, dst);
	arg->seq = s.seq;
	return err;
}
