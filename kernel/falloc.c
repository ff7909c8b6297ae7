// SPDX-License-Identifier: GPL-2.0
/*
 * fallocate: preallocation as UNWRITTEN extents (reserved, mapped, reading as
 * zeroes), hole punching, zeroing, unsharing. Collapsing and inserting ranges
 * are in shift.c.
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/iversion.h>
#include <linux/pagemap.h>
#include "data.h"

#define LAKEFS_FALLOC_STEP	(1u << 18)	/* blocks of one extent */
#define LAKEFS_FALLOC_SHIFT \
	(FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE)
#define LAKEFS_FALLOC_MODES \
	(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE | \
	 FALLOC_FL_UNSHARE_RANGE | LAKEFS_FALLOC_SHIFT)

/* The first hole in [*block, end): its length, or 0; *block moves to it. */
static u64 lakefs_next_hole(struct lakefs_inode_info *li, u64 *block, u64 end)
{
	struct lakefs_extent *e;

	while (*block < end) {
		e = lakefs_ext_find(li, *block);
		if (!e || e->block >= end)
			return end - *block;
		if (e->block > *block)
			return e->block - *block;
		*block = lakefs_ext_end(e);
	}
	return 0;
}

/*
 * [block, +blocks) is a hole, the blocks are promised, one node and one
 * record deposited for each: the latter become ours with the last piece.
 * Returns how many were preallocated, contiguous on the device.
 */
static u64 lakefs_prealloc(struct inode *inode, u64 block, u64 blocks)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(inode->i_sb);
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	struct lakefs_extent *e = lakefs_node_take(), *prev;
	struct lakefs_rec *rec = lakefs_map_rec_take();
	struct lakefs_i_map *map = (struct lakefs_i_map *)rec->entry.bytes;
	u64 goal = 0;

	e->block = block;
	e->blocks = blocks;
	e->state = LAKEFS_X_DELAYED;
	lakefs_ext_insert(li, e);
	prev = lakefs_ext_prev(e);
	if (prev && lakefs_ext_end(prev) == block)
		goal = lakefs_ext_goal(prev);
	lakefs_blocks_take(sbi, e, goal);
	blocks = e->blocks;

	map->hdr.len = sizeof(*map);
	map->ino = li->ino;
	map->file_block = block;
	map->phys_block = e->phys;
	map->blocks = blocks;
	map->flags = LAKEFS_EXTENT_UNWRITTEN;
	map->size = 0;
	lakefs_emit_map(inode, rec);
	lakefs_blocks_mapped(sbi, e, LAKEFS_X_UNWRITTEN);
	li->mapped_blocks += blocks;
	lakefs_ext_merge(li, e);
	lakefs_map_moved(li);
	return blocks;
}

/*
 * Preallocate the holes of [block, end). Runs of the pool may be short: each
 * costs a node and a record, deposited one by one as the loop goes.
 */
static int lakefs_prealloc_range(struct inode *inode, u64 block, u64 end)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(inode->i_sb);
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	u64 hole, promised = 0, done;
	int err = 0;

	while (!err) {
		mutex_lock(&li->ext_lock);
		hole = lakefs_next_hole(li, &block, end);
		mutex_unlock(&li->ext_lock);
		if (!hole)
			break;
		hole = min_t(u64, hole, LAKEFS_FALLOC_STEP);
		if (!promised) {
			err = lakefs_blocks_reserve(sbi, hole);
			if (err)
				break;
			promised = hole;
		}
		err = lakefs_bank_deposit(1, GFP_KERNEL);
		if (err)
			break;
		mutex_lock(&li->ext_lock);
		/* a fault may have filled some of it meanwhile */
		hole = min(lakefs_next_hole(li, &block, end), promised);
		if (hole) {
			done = lakefs_prealloc(inode, block, hole);
			promised -= done;
			block += done;
		}
		mutex_unlock(&li->ext_lock);
		lakefs_bank_withdraw(1);
		if (fatal_signal_pending(current))
			err = -EINTR;
		else if (!promised)
			err = lakefs_op_begin_growing(sbi);
	}
	if (promised)
		lakefs_blocks_unreserve(sbi, promised);
	return err;
}

/*
 * A folio that reaches over an edge of the range stays, and dirty if it was:
 * before its blocks are gone, writeback could begin on them once more. So it is
 * clean before, and nobody makes it dirty under the locks. Errors are fsync's.
 */
static void lakefs_clean_edge(struct inode *inode, loff_t pos)
{
	struct address_space *mapping = inode->i_mapping;
	struct folio *folio = filemap_get_folio(mapping, pos >> PAGE_SHIFT);
	bool over;

	if (IS_ERR_OR_NULL(folio))
		return;
	over = folio_pos(folio) < pos;
	folio_put(folio);
	if (!over)
		return;
	filemap_fdatawrite_range(mapping, pos, pos);
	filemap_fdatawait_range_keep_errors(mapping, pos, pos);
}

int lakefs_punch(struct inode *inode, loff_t offset, loff_t end)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	loff_t first = round_up(offset, LAKEFS_BLOCK_SIZE);
	loff_t last = round_down(end, LAKEFS_BLOCK_SIZE);
	loff_t size = i_size_read(inode);
	struct lakefs_i_unmap *e;
	struct lakefs_rec *rec;
	int err = 0;

	/* the edges; behind the end of the file there is nothing to zero */
	if (offset < min(first, size))
		err = lakefs_zero_range(inode, offset,
					min3(first, end, size) - offset);
	if (!err && last >= first && max(last, offset) < min(end, size))
		err = lakefs_zero_range(inode, last, min(end, size) - last);
	if (err || first >= last)
		return err;
	rec = lakefs_rec_alloc(LAKEFS_I_UNMAP, sizeof(*e), GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	err = lakefs_bank_deposit(2, GFP_KERNEL);
	if (err) {
		lakefs_rec_free(rec);
		return err;
	}
	lakefs_clean_edge(inode, first);
	lakefs_clean_edge(inode, last);
	/* waits for reads and writeback */
	truncate_pagecache_range(inode, first, last - 1);
	mutex_lock(&li->ext_lock);
	if (lakefs_ext_drop_range(li, lakefs_block_of(first),
				  lakefs_block_of(last))) {
		e = (struct lakefs_i_unmap *)rec->entry.bytes;
		e->ino = li->ino;
		e->file_block = lakefs_block_of(first);
		e->blocks = lakefs_block_of(last) - e->file_block;
		spin_lock(&li->attr_lock);
		lakefs_carry_times(inode, &e->mtime, &e->ctime);
		lakefs_map_touch(li, lakefs_rec_emit(LAKEFS_SB(inode->i_sb),
						     rec));
		spin_unlock(&li->attr_lock);
		rec = NULL;
	}
	/* data that was on its way here need not arrive any more */
	lakefs_size_done(inode, last, lakefs_block_of(first),
			 lakefs_block_of(last));
	mutex_unlock(&li->ext_lock);
	lakefs_bank_withdraw(2);
	lakefs_rec_free(rec);
	return 0;
}

/* The first fixed extent of [*pos, end): its bytes there, or 0. */
static loff_t lakefs_next_fixed(struct inode *inode, loff_t *pos, loff_t end)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	u64 block = lakefs_block_of(*pos), last = lakefs_blocks_for(end);
	struct lakefs_extent *e;
	loff_t len = 0;

	mutex_lock(&li->ext_lock);
	e = lakefs_ext_find(li, block);
	while (e && e->block < last && !lakefs_ext_fixed(e))
		e = lakefs_ext_next(e);
	if (e && e->block < last) {
		*pos = max(e->block, block) << LAKEFS_BLOCK_BITS;
		len = min_t(u64, end, lakefs_ext_end(e) << LAKEFS_BLOCK_BITS) -
		      *pos;
	}
	mutex_unlock(&li->ext_lock);
	return len;
}

/*
 * Every block of [pos, end) can be written in place afterwards: written as it
 * is, each fixed one gets a new one. Without invalidate_lock, as any write; a
 * fault meanwhile does the same. What lies behind the end of the file is not
 * fixed.
 */
static int lakefs_unshare(struct inode *inode, loff_t pos, loff_t end)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(inode->i_sb);
	loff_t from = pos, len;
	int err = 0;

	end = min_t(loff_t, round_up(end, LAKEFS_BLOCK_SIZE),
		    i_size_read(inode));
	if (pos >= end)
		return 0;
	while (!err && (len = lakefs_next_fixed(inode, &pos, end))) {
		len = min_t(loff_t, len,
			    LAKEFS_STEP_BLOCKS << LAKEFS_BLOCK_BITS);
		err = lakefs_unshare_range(inode, pos, len);
		pos += len;
		if (!err)
			err = fatal_signal_pending(current) ? -EINTR :
			      lakefs_op_begin(sbi);
		if (pos >= end)
			break;
	}
	return err ? err : filemap_write_and_wait_range(inode->i_mapping, from,
							end - 1);
}

/* i_rwsem and invalidate_lock held, no direct I/O */
static int lakefs_fallocate_locked(struct inode *inode, int mode,
				   loff_t offset, loff_t end)
{
	int err = 0;

	if (mode & LAKEFS_FALLOC_SHIFT)
		return lakefs_shift_range(inode, mode, offset, end - offset);
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		err = lakefs_punch(inode, offset, end);
	if (err || (mode & FALLOC_FL_PUNCH_HOLE))
		return err;
	err = lakefs_prealloc_range(inode, lakefs_block_of(offset),
				    lakefs_blocks_for(end));
	if (!err && !(mode & FALLOC_FL_KEEP_SIZE) && end > i_size_read(inode))
		err = lakefs_extend(inode, end, 0);
	return err;
}

static int lakefs_fallocate_checks(struct file *file, int mode, loff_t offset,
				   loff_t end)
{
	struct inode *inode = file_inode(file);
	int err;

	if (IS_IMMUTABLE(inode) ||
	    (IS_APPEND(inode) && (mode & ~FALLOC_FL_KEEP_SIZE)))
		return -EPERM;
	if (mode & LAKEFS_FALLOC_SHIFT) {
		err = lakefs_shift_check(inode, mode, offset, end - offset);
		if (err)
			return err;
	} else if (!(mode & FALLOC_FL_KEEP_SIZE) && end > i_size_read(inode)) {
		err = inode_newsize_ok(inode, end);
		if (err)
			return err;
	}
	err = file_remove_privs(file);
	return err ? err : file_update_time(file);
}

/* All but a hole at the beginning or the end may add extents to the map. */
static int lakefs_fallocate_begin(struct inode *inode, int mode,
				  loff_t offset, loff_t end)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(inode->i_sb);

	if ((mode & FALLOC_FL_PUNCH_HOLE) &&
	    (!offset || end >= i_size_read(inode)))
		return lakefs_op_begin(sbi);
	return lakefs_op_begin_growing(sbi);
}

long lakefs_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	struct inode *inode = file_inode(file);
	int err;

	if (mode & ~LAKEFS_FALLOC_MODES)
		return -EOPNOTSUPP;
	err = lakefs_fallocate_begin(inode, mode, offset, offset + len);
	if (!err)
		err = lakefs_extents_load(inode);
	if (err)
		return err;
	inode_lock(inode);
	err = lakefs_fallocate_checks(file, mode, offset, offset + len);
	if (!err) {
		inode_dio_wait(inode);
		if (mode & FALLOC_FL_UNSHARE_RANGE)
			err = lakefs_unshare(inode, offset, offset + len);
	}
	if (!err) {
		filemap_invalidate_lock(inode->i_mapping);
		err = lakefs_fallocate_locked(inode, mode, offset,
					      offset + len);
		filemap_invalidate_unlock(inode->i_mapping);
		inode_maybe_inc_iversion(inode, false);
	}
	inode_unlock(inode);
	if (!err && (file->f_flags & O_SYNC || IS_SYNC(inode)))
		err = vfs_fsync(file, 0);
	return err;
}
