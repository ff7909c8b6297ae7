// SPDX-License-Identifier: GPL-2.0
/*
 * REMAP of an inode; how a call comes here is in sealcall.c. The daemon has
 * written the bytes of a range once more, compressed into a pack or as they
 * are, as of map_seq. If that still holds, the file has them there from now on,
 * and nobody who reads it sees a difference.
 *
 * Why the bytes are still the same: all of the range is checked, and checked
 * blocks are never written in place; a write that came since has given the file
 * a later map_seq, or its data is on its way, and then the block is pending
 * here.
 *
 * Why nobody is reading the blocks that are given up: as for the destination of
 * a SHARE (share.c). Under i_rwsem and invalidate_lock no read of them begins,
 * direct I/O was waited for, and the range's pages are dropped.
 *
 * The new blocks were free, or a pack's: nothing of them is in any file's page
 * cache, but entries of the checksum table, and a pack that was there before
 * (pack.c), may be in memory. These go under the ext_lock under which the first
 * reader finds the extent.
 *
 * The extent is taken for shared, as a pack may be. The daemon says what it is
 * when the map is loaded again.
 */
#include <linux/pagemap.h>
#include "data.h"

struct lakefs_remapping {
	struct inode *inode;
	const struct lakefs_remap *arg;
	u64 start;
	u64 end;
	u64 seq;
};

bool lakefs_remap_flags_ok(u32 flags)
{
	const u32 marks = LAKEFS_EXTENT_SEALED | LAKEFS_EXTENT_CHECKED;

	return (flags & LAKEFS_EXTENT_PACKED ?
		flags & ~(LAKEFS_EXTENT_PACKED | LAKEFS_EXTENT_SPAN_MASK) :
		flags) == marks;
}

/* ---- the map; ext_lock held ---------------------------------------------- */

static bool lakefs_remap_checked(const struct lakefs_remapping *r)
{
	struct lakefs_extent *e = lakefs_ext_find(LAKEFS_I(r->inode),
						  r->start);
	u64 at;

	for (at = r->start; at < r->end; at = lakefs_ext_end(e),
					 e = lakefs_ext_next(e))
		if (!e || e->block > at || e->state != LAKEFS_X_WRITTEN ||
		    !e->checked)
			return false;
	return true;
}

/* What was noted and not said is said now: it changes map_seq. */
static bool lakefs_remap_holds(const struct lakefs_remapping *r)
{
	struct lakefs_inode_info *li = LAKEFS_I(r->inode);

	lakefs_over_emit(li, false);
	return li->map_seq <= r->arg->map_seq && lakefs_remap_checked(r);
}

/* No page of the table is locked by whoever wants ext_lock. */
static int lakefs_remap_forget(const struct lakefs_remapping *r)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(r->inode->i_sb);
	struct lakefs_place place = lakefs_place_of(r->arg->phys_block,
			r->arg->blocks, r->arg->flags);

	lakefs_packs_forget(sbi, place.start, place.count);
	return lakefs_sums_forget(sbi, place.start, place.count);
}

/* Two cuts of the map, and an extent. */
#define LAKEFS_REMAP_NODES	3

static void lakefs_remap_map(const struct lakefs_remapping *r)
{
	struct lakefs_inode_info *li = LAKEFS_I(r->inode);
	struct lakefs_extent *e;

	/* stat takes no lock: rather twice than not at all */
	WRITE_ONCE(li->mapped_blocks, li->mapped_blocks + r->arg->blocks);
	lakefs_ext_drop_range(li, r->start, r->end);
	e = lakefs_node_take();
	e->block = r->start;
	e->blocks = r->arg->blocks;
	e->phys = r->arg->phys_block;
	e->state = LAKEFS_X_WRITTEN;
	e->shared = true;
	e->sealed = true;
	e->checked = true;
	e->packed = r->arg->flags & LAKEFS_EXTENT_PACKED;
	e->span = (r->arg->flags & LAKEFS_EXTENT_SPAN_MASK) >>
		  LAKEFS_EXTENT_SPAN_SHIFT;
	lakefs_ext_insert(li, e);
	lakefs_ext_merge(li, e);
	lakefs_map_cut(li);
}

static void lakefs_remap_emit(struct lakefs_remapping *r,
			      struct lakefs_rec *rec)
{
	struct lakefs_i_remap *entry = (struct lakefs_i_remap *)
				       rec->entry.bytes;
	struct lakefs_inode_info *li = LAKEFS_I(r->inode);

	entry->ino = li->ino;
	entry->file_block = r->start;
	entry->phys_block = r->arg->phys_block;
	entry->blocks = r->arg->blocks;
	entry->flags = r->arg->flags;
	r->seq = lakefs_rec_emit(LAKEFS_SB(r->inode->i_sb), rec);
	lakefs_map_touch(li, r->seq);
}

/* ---- around it ----------------------------------------------------------- */

/* rec NULL: only a look at whether it can be. It is used up on success. */
static int lakefs_remap_locked(struct lakefs_remapping *r,
			       struct lakefs_rec *rec)
{
	struct lakefs_inode_info *li = LAKEFS_I(r->inode);
	int err = lakefs_bank_deposit(LAKEFS_REMAP_NODES, GFP_KERNEL);

	if (err)
		return err;
	mutex_lock(&li->ext_lock);
	if (!lakefs_remap_holds(r) || (rec && lakefs_remap_forget(r))) {
		err = -EAGAIN;
	} else if (rec) {
		lakefs_remap_map(r);
		lakefs_remap_emit(r, rec);
	}
	mutex_unlock(&li->ext_lock);
	lakefs_bank_withdraw(LAKEFS_REMAP_NODES);
	return err;
}

/* i_rwsem and invalidate_lock held */
static int lakefs_remap_range(struct lakefs_remapping *r)
{
	struct lakefs_rec *rec;
	int err;

	if (IS_SWAPFILE(r->inode))
		return -EBUSY;
	/* what is refused has not cost anybody his pages */
	err = lakefs_remap_locked(r, NULL);
	if (!err)
		err = lakefs_settle_range(r->inode, r->start, r->end);
	if (err)
		return err;
	rec = lakefs_rec_alloc(LAKEFS_I_REMAP, sizeof(struct lakefs_i_remap),
			       GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	err = lakefs_remap_locked(r, rec);
	if (err)
		lakefs_rec_free(rec);
	return err;
}

/* Waits for the daemon: before any lock of the file is taken. */
static int lakefs_remap_begin(const struct lakefs_remapping *r)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(r->inode->i_sb);
	int err = lakefs_op_begin_growing(sbi);

	if (!err)
		err = lakefs_extents_load(r->inode);
	return err ? err : lakefs_clone_room(sbi);
}

int lakefs_remap_inode(struct inode *inode, struct lakefs_remap *arg)
{
	struct lakefs_remapping r = {
		.inode = inode,
		.arg = arg,
		.start = arg->file_block,
		.end = arg->file_block + arg->blocks,
	};
	int err;

	if (!S_ISREG(inode->i_mode) ||
	    !lakefs_call_range_ok(inode, arg->file_block, arg->blocks,
				  LAKEFS_REMAP_BLOCKS_MAX) ||
	    !lakefs_place_ok(LAKEFS_SB(inode->i_sb), arg->phys_block,
			     arg->blocks, arg->flags))
		return -EINVAL;
	err = lakefs_remap_begin(&r);
	if (err)
		return err;
	if (!lakefs_call_lock(inode))
		return -EBUSY;
	filemap_invalidate_lock(inode->i_mapping);
	err = lakefs_remap_range(&r);
	filemap_invalidate_unlock(inode->i_mapping);
	inode_unlock(inode);
	arg->seq = r.seq;
	return err;
}
