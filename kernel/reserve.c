// SPDX-License-Identifier: GPL-2.0
/*
 * Getting blocks ready to be written: what a write, a write fault or a direct
 * write must hold before any page is dirty.
 *
 * All waiting (for leases, for memory, for the record of a truncate) happens
 * here, in the writer's context and without ext_lock; then the map is looked
 * at again. Giving back is in unreserve.c.
 */
#include <linux/pagemap.h>
#include <linux/slab.h>
#include "data.h"

/* what has been got ready, and what the last look at the map asked for */
struct lakefs_prep {
	u64 promised;			/* blocks of the pool */
	u64 deposit;
	struct lakefs_rec *overwrite;
	u64 want_promised;
	u64 want_deposit;
	u64 want_seq;			/* to be durable first */
	bool want_overwrite;
};

struct lakefs_want {
	struct inode *inode;
	u64 block;
	u64 blocks;			/* cut to one state */
	int mode;
	bool fresh;			/* was a hole */
	struct lakefs_extent *found;
};

/* -EAGAIN: not without waiting, and mode says not to */
static int lakefs_prep_fill(struct lakefs_sb_info *sbi,
			    struct lakefs_prep *prep, int mode)
{
	bool wait = !(mode & LAKEFS_RESERVE_NOWAIT);
	u64 n;
	int err;

	if (prep->want_seq) {
		if (!wait)
			return -EAGAIN;
		err = lakefs_wait_durable(sbi, prep->want_seq);
		if (err)
			return err;
		prep->want_seq = 0;
	}
	if (prep->want_promised > prep->promised) {
		n = prep->want_promised - prep->promised;
		err = wait ? lakefs_blocks_reserve(sbi, n) :
			     lakefs_blocks_try_reserve(sbi, n);
		if (err)
			return err;
		prep->promised += n;
	}
	if (prep->want_deposit > prep->deposit) {
		n = prep->want_deposit - prep->deposit;
		err = lakefs_bank_deposit(n, GFP_NOFS);
		if (err)
			return err;
		prep->deposit += n;
	}
	if (prep->want_overwrite && !prep->overwrite) {
		prep->overwrite = lakefs_over_alloc();
		if (!prep->overwrite)
			return -ENOMEM;
	}
	return 0;
}

static void lakefs_prep_end(struct lakefs_sb_info *sbi,
			    struct lakefs_prep *prep)
{
	if (prep->promised)
		lakefs_blocks_unreserve(sbi, prep->promised);
	if (prep->deposit)
		lakefs_bank_withdraw(prep->deposit);
	lakefs_rec_free(prep->overwrite);
}

/* where the block before this one is: the best place for it to go on */
static u64 lakefs_goal(struct lakefs_extent *e)
{
	struct lakefs_extent *prev = lakefs_ext_prev(e);

	if (!prev || lakefs_ext_end(prev) != e->block)
		return 0;
	return lakefs_ext_goal(prev);
}

/* e: DELAYED, alone. Blocks for a direct write, as many as lie together. */
static void lakefs_take_direct(struct lakefs_inode_info *li,
			       struct lakefs_extent *e)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(li->vfs_inode.i_sb);
	u64 asked = e->blocks, rest;

	lakefs_blocks_take(sbi, e, lakefs_goal(e));
	e->direct = true;
	rest = asked - e->blocks;
	if (rest) {
		li->delayed_blocks -= rest;
		lakefs_blocks_unreserve(sbi, rest);
		lakefs_bank_withdraw(rest);
	}
}

static int lakefs_reserve_hole(struct lakefs_inode_info *li,
			       struct lakefs_want *want,
			       struct lakefs_prep *prep)
{
	struct lakefs_extent *e;
	u64 n = min_t(u64, want->blocks, LAKEFS_STEP_BLOCKS);

	if (want->mode & LAKEFS_RESERVE_ZERO) {
		want->found = NULL;
		return 0;
	}
	if (prep->promised < n || prep->deposit < n) {
		prep->want_promised = n;
		prep->want_deposit = n;
		return -EAGAIN;
	}
	e = lakefs_node_take();
	e->block = want->block;
	e->blocks = n;
	e->state = LAKEFS_X_DELAYED;
	prep->promised -= n;
	prep->deposit -= n;
	li->delayed_blocks += n;
	lakefs_ext_insert(li, e);
	if (want->mode & LAKEFS_RESERVE_DIRECT)
		lakefs_take_direct(li, e);
	want->fresh = true;
	want->blocks = e->blocks;
	want->found = lakefs_ext_merge(li, e);
	return 0;
}

static int lakefs_reserve_unwritten(struct lakefs_inode_info *li,
				    struct lakefs_want *want,
				    struct lakefs_prep *prep)
{
	struct lakefs_extent *e;
	u64 n = min_t(u64, want->blocks, LAKEFS_STEP_BLOCKS);

	if (want->mode & LAKEFS_RESERVE_ZERO)
		return 0;
	/* two nodes to cut the extent with, n that stay deposited */
	if (prep->deposit < n + 2) {
		prep->want_deposit = n + 2;
		return -EAGAIN;
	}
	e = lakefs_ext_isolate(li, want->block, want->block + n);
	lakefs_ext_set_state(li, e, LAKEFS_X_DIRTY);
	e->direct = want->mode & LAKEFS_RESERVE_DIRECT;
	prep->deposit -= n;
	want->blocks = n;
	want->found = lakefs_ext_merge(li, e);
	return 0;
}

/*
 * These blocks stay as they are: new ones are promised, and the old ones stay
 * mapped until the data is complete in the new.
 */
static int lakefs_reserve_fixed(struct lakefs_inode_info *li,
				struct lakefs_want *want,
				struct lakefs_prep *prep)
{
	struct lakefs_extent *e;
	u64 n = min_t(u64, want->blocks, LAKEFS_STEP_BLOCKS);

	/* through the page cache, which fills what is not written */
	if (want->mode & LAKEFS_RESERVE_DIRECT)
		return -ENOTBLK;
	/* two nodes to cut the extent with, n that stay deposited */
	if (prep->promised < n || prep->deposit < n + 2) {
		prep->want_promised = n;
		prep->want_deposit = n + 2;
		return -EAGAIN;
	}
	e = lakefs_ext_isolate(li, want->block, want->block + n);
	lakefs_ext_unfix(li, e);
	prep->promised -= n;
	prep->deposit -= n;
	want->blocks = n;
	want->found = lakefs_ext_merge(li, e);
	return 0;
}

/* In place. The daemon must know that its crcs do not hold any more. */
static int lakefs_reserve_written(struct lakefs_inode_info *li,
				  struct lakefs_want *want,
				  struct lakefs_prep *prep)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(li->vfs_inode.i_sb);
	struct lakefs_extent *e = want->found;

	if (lakefs_ext_fixed(e))
		return lakefs_reserve_fixed(li, want, prep);
	if (li->tail_block >= want->block &&
	    li->tail_block - want->block < want->blocks) {
		if (READ_ONCE(sbi->durable_seq) >= li->tail_seq) {
			li->tail_block = LAKEFS_NO_BLOCK;
		} else if (li->tail_block == want->block) {
			/*
			 * Clipped, and its page is zeroed behind the clip: in
			 * place it would spoil the longer file that a crash
			 * brings back as long as the truncate is not durable.
			 */
			prep->want_seq = li->tail_seq;
			return -EAGAIN;
		} else {
			want->blocks = li->tail_block - want->block;
		}
	}
	/* crc false: a write that failed may have noted it, and nobody said so */
	if (!e->crc && !(li->over && want->mode & LAKEFS_RESERVE_DIRECT))
		return 0;
	if (e->crc && !lakefs_over_note(li, e, want->block, want->blocks,
					&prep->overwrite)) {
		prep->want_overwrite = true;
		return -EAGAIN;
	}
	/* no writeback will do it */
	if (want->mode & LAKEFS_RESERVE_DIRECT)
		lakefs_over_emit(li, true);
	/* joined or cut, perhaps */
	want->found = lakefs_ext_find(li, want->block);
	want->blocks = min(want->blocks,
			   lakefs_ext_end(want->found) - want->block);
	return 0;
}

/* TAKEN, DELAYED or DIRTY already */
static int lakefs_reserve_pending(struct lakefs_inode_info *li,
				  struct lakefs_want *want)
{
	/* dirty pages there: the direct write goes through them */
	if (want->mode & LAKEFS_RESERVE_DIRECT)
		return -ENOTBLK;
	/* a fault during a direct write: lakefs_take_over() */
	return 0;
}

static int lakefs_reserve_locked(struct lakefs_want *want,
				 struct lakefs_prep *prep)
{
	struct lakefs_inode_info *li = LAKEFS_I(want->inode);
	struct lakefs_extent *e = lakefs_ext_find(li, want->block);

	if (!e || e->block > want->block) {
		if (e)
			want->blocks = min(want->blocks,
					   e->block - want->block);
		return lakefs_reserve_hole(li, want, prep);
	}
	want->found = e;
	want->blocks = min(want->blocks, lakefs_ext_end(e) - want->block);
	switch (e->state) {
	case LAKEFS_X_UNWRITTEN:
		return lakefs_reserve_unwritten(li, want, prep);
	case LAKEFS_X_WRITTEN:
		return lakefs_reserve_written(li, want, prep);
	default:
		return lakefs_reserve_pending(li, want);
	}
}

int lakefs_reserve(struct inode *inode, u64 block, u64 *blocks, int mode,
		   struct lakefs_extent **found, bool *fresh)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(inode->i_sb);
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	struct lakefs_prep prep = { };
	struct lakefs_want want;
	int err;

	do {
		want = (struct lakefs_want){
			.inode = inode,
			.block = block,
			.blocks = *blocks,
			.mode = mode,
		};
		mutex_lock(&li->ext_lock);
		err = lakefs_reserve_locked(&want, &prep);
		if (!err)
			break;
		mutex_unlock(&li->ext_lock);
		if (err == -EAGAIN)
			err = lakefs_prep_fill(sbi, &prep, mode);
		/* nearly full: what is left is written */
		if (err == -ENOSPC && *blocks > 1) {
			*blocks = min_t(u64, *blocks, LAKEFS_STEP_BLOCKS) / 2;
			err = 0;
		}
	} while (!err);
	lakefs_prep_end(sbi, &prep);
	if (err)
		return err;
	*blocks = want.blocks;
	*found = want.found;
	*fresh = want.fresh;
	return 0;
}

int lakefs_reserve_cached(struct inode *inode, u64 block, u64 *blocks,
			  int mode)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	struct lakefs_extent *e;
	bool fresh, ready;
	loff_t end;
	int err;

	do {
		err = lakefs_reserve(inode, block, blocks, mode, &e, &fresh);
		if (err)
			return err;
		end = min_t(loff_t, i_size_read(inode),
			    (block + *blocks) << LAKEFS_BLOCK_BITS);
		ready = lakefs_size_ready(inode, e, block, *blocks, end);
		mutex_unlock(&li->ext_lock);
		if (!ready)
			err = lakefs_prepare_size(inode, end);
	} while (!ready && !err);
	return err;
}

/*
 * Only when the page is as good as dirty: who gives up before that must leave
 * the blocks to the direct write, which goes on writing to them.
 */
void lakefs_take_over(struct inode *inode, u64 start, u64 end)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	struct lakefs_extent *e;

	mutex_lock(&li->ext_lock);
	for (e = lakefs_ext_find(li, start); e && e->block < end;
	     e = lakefs_ext_next(e)) {
		if (!lakefs_ext_pending(e) || !e->direct)
			continue;
		e = lakefs_ext_isolate(li, max(e->block, start),
				       min(lakefs_ext_end(e), end));
		e->direct = false;
		e->both = true;
		e = lakefs_ext_merge(li, e);
	}
	mutex_unlock(&li->ext_lock);
}

int lakefs_prepare_size(struct inode *inode, loff_t end)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	struct lakefs_rec *rec;

	if (end <= READ_ONCE(li->disk_size) || READ_ONCE(li->size_rec))
		return 0;
	rec = lakefs_rec_alloc(LAKEFS_I_SETATTR,
			       sizeof(struct lakefs_i_setattr), GFP_NOFS);
	if (!rec)
		return -ENOMEM;
	mutex_lock(&li->ext_lock);
	if (!li->size_rec) {
		li->size_rec = rec;
		rec = NULL;
	}
	mutex_unlock(&li->ext_lock);
	lakefs_rec_free(rec);
	return 0;
}

bool lakefs_range_written(struct inode *inode, loff_t pos, u64 len)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	u64 block = lakefs_block_of(pos), end = lakefs_blocks_for(pos + len);
	struct lakefs_extent *e;

	mutex_lock(&li->ext_lock);
	while (block < end) {
		e = lakefs_ext_find(li, block);
		if (!e || e->block > block || lakefs_ext_fixed(e) ||
		    e->state != LAKEFS_X_WRITTEN)
			break;
		block = lakefs_ext_end(e);
	}
	mutex_unlock(&li->ext_lock);
	return block >= end;
}
