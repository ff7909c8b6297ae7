// SPDX-License-Identifier: GPL-2.0
/*
 * File sizes. Three of them: i_size is what programs see; disk_size what the
 * records say; done_size how far data on the device reaches.
 *
 * - The recorded size never covers data that is still on its way, except in
 *   holes: it advances (with MAP records, or by SETATTR after in-place
 *   writes) up to the first pending block.
 * - But whoever syncs a file has been told that his data is in it, whatever
 *   others began to write before it meanwhile: up to size_wanted it goes over
 *   pending blocks, which the daemon has as holes or zeroes, or as what they
 *   replace; not over that of an old, unaligned end, behind which its block
 *   on the device may have anything. That one was dirty when the sync began,
 *   so the sync waits for it, and the end lies behind it then.
 * - The block of an old, unaligned end that a growing file writes in place is
 *   end_block until that write is complete; the size waits for it. Set by
 *   whoever gets the block ready (lakefs_size_ready), cleared by a completion
 *   that covers it, which moves map_gen: a writer whose page is not dirty yet
 *   comes again, and its folio has no writeback then (pages are stable).
 * - A truncate to less leaves the bytes behind the new end in the last block
 *   on the device: writing zeroes there first would damage the longer file
 *   that a crash can bring back. In memory they are zero at once. They are
 *   zeroed on the device, like anything in the page, by the next write of
 *   that block, which waits for the truncate to be durable (tail_seq).
 * - So the bytes behind the end are never trusted: a file that grows over an
 *   unaligned end zeroes up to the end of that block first (lakefs_zero_eof),
 *   and the grown size is recorded when that zeroed block is written; faults
 *   zero them in the page (file.c).
 *
 * Everything is under ext_lock unless said otherwise.
 */
#include <linux/pagemap.h>
#include "data.h"

bool lakefs_size_ready(struct inode *inode, struct lakefs_extent *e, u64 block,
		       u64 blocks, loff_t end)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	u64 tail = lakefs_block_of(li->disk_size);

	lockdep_assert_held(&li->ext_lock);
	if (!e || e->state != LAKEFS_X_WRITTEN || end <= li->disk_size)
		return true;
	if (!li->size_rec)
		return false;
	if (lakefs_in_block(li->disk_size) && tail >= block &&
	    tail - block < blocks)
		li->end_block = tail;
	return true;
}

/* First pending block in [from, limit), leaving out [io_start, io_end). */
static u64 lakefs_first_pending(struct lakefs_inode_info *li, u64 from,
				u64 limit, u64 io_start, u64 io_end)
{
	struct lakefs_extent *e;
	u64 block;

	for (e = lakefs_ext_find(li, from); e && e->block < limit;
	     e = lakefs_ext_next(e)) {
		if (!lakefs_ext_pending(e))
			continue;
		block = max(e->block, from);
		if (block >= io_start && block < io_end)
			block = io_end;
		if (block < lakefs_ext_end(e))
			return min(block, limit);
	}
	return limit;
}

/*
 * Data up to end is on the device; [io_start, io_end) are the blocks that
 * just arrived (their states may not say so yet). Returns the size to record
 * now, 0 for none; that record must follow before ext_lock is dropped.
 */
loff_t lakefs_size_advance(struct inode *inode, loff_t end, u64 io_start,
			   u64 io_end)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	loff_t limit = i_size_read(inode);
	u64 tail = lakefs_block_of(li->disk_size), first;

	lockdep_assert_held(&li->ext_lock);
	if (li->end_block >= io_start && li->end_block < io_end) {
		li->end_block = LAKEFS_NO_BLOCK;
		lakefs_map_moved(li);
	}
	li->done_size = max(li->done_size, min(end, limit));
	limit = min(limit, li->done_size);
	if (limit <= li->disk_size)
		return 0;
	if (lakefs_in_block(li->disk_size) && li->end_block == tail)
		return 0;
	first = lakefs_first_pending(li, tail, lakefs_blocks_for(limit),
				     io_start, io_end);
	if (li->size_wanted > li->disk_size &&
	    (first > tail || !lakefs_in_block(li->disk_size)))
		first = U64_MAX;
	if (first < lakefs_blocks_for(limit))
		limit = min(limit, (loff_t)first << LAKEFS_BLOCK_BITS);
	if (limit <= li->disk_size)
		return 0;
	WRITE_ONCE(li->disk_size, limit);
	return limit;
}

void lakefs_emit_map(struct inode *inode, struct lakefs_rec *rec)
{
	struct lakefs_i_map *map = (struct lakefs_i_map *)rec->entry.bytes;
	struct lakefs_inode_info *li = LAKEFS_I(inode);

	spin_lock(&li->attr_lock);
	lakefs_carry_times(inode, &map->mtime, &map->ctime);
	lakefs_map_touch(li, lakefs_rec_emit(LAKEFS_SB(inode->i_sb), rec));
	spin_unlock(&li->attr_lock);
}

void lakefs_emit_size(struct inode *inode, struct lakefs_rec *rec, loff_t size,
		      u32 extra_valid)
{
	struct lakefs_i_setattr *e = (struct lakefs_i_setattr *)rec->entry.bytes;
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	u32 times = LAKEFS_ATTR_MTIME | LAKEFS_ATTR_CTIME;

	spin_lock(&li->attr_lock);
	lakefs_fill_setattr(inode, e, LAKEFS_ATTR_SIZE | times | extra_valid |
				      li->attr_dirty);
	e->size = size;
	li->attr_dirty = 0;
	lakefs_map_touch(li, lakefs_rec_emit(LAKEFS_SB(inode->i_sb), rec));
	spin_unlock(&li->attr_lock);
}

/*
 * The same without a MAP record to carry the size: in-place data, and
 * whenever pending blocks that held the size back are gone.
 */
void lakefs_size_done(struct inode *inode, loff_t end, u64 io_start,
		      u64 io_end)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	loff_t size = lakefs_size_advance(inode, end, io_start, io_end);
	struct lakefs_rec *rec = li->size_rec;

	if (!size)
		return;
	li->size_rec = NULL;
	lakefs_map_moved(li);		/* a writer must prepare it again */
	if (!rec)			/* rare: two such sizes at once */
		rec = lakefs_rec_alloc(LAKEFS_I_SETATTR,
				       sizeof(struct lakefs_i_setattr),
				       GFP_NOFS | __GFP_NOFAIL);
	lakefs_emit_size(inode, rec, size, 0);
}

/*
 * Somebody syncs the file up to end: its data is on its way or will be before he
 * has what he waits for. What is on the device already is recorded here, the
 * rest when it arrives.
 */
void lakefs_size_want(struct inode *inode, loff_t end)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);

	end = min(end, i_size_read(inode));
	if (end <= READ_ONCE(li->disk_size))
		return;
	mutex_lock(&li->ext_lock);
	/* a truncate may have come first */
	end = min(end, i_size_read(inode));
	li->size_wanted = max(li->size_wanted, end);
	lakefs_size_done(inode, 0, 0, 0);
	mutex_unlock(&li->ext_lock);
}

/* ---- growing; i_rwsem, no ext_lock --------------------------------------- */

int lakefs_zero_eof(struct inode *inode, loff_t to)
{
	loff_t size = i_size_read(inode);
	loff_t block_end = round_up(size, LAKEFS_BLOCK_SIZE);

	if (to <= size || size == block_end)
		return 0;
	return lakefs_zero_range(inode, size, min(to, block_end) - size);
}

/*
 * Make size, behind i_size, the recorded one. The old end is zeroed and all
 * data before size is on the device first: the record that follows shows
 * nothing else. Under invalidate_lock, so that no fault makes pages dirty.
 */
int lakefs_extend(struct inode *inode, loff_t size, u32 extra_valid)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	loff_t from = min(READ_ONCE(li->disk_size), i_size_read(inode));
	struct lakefs_rec *rec;
	int err;

	err = lakefs_zero_eof(inode, size);
	if (!err)
		err = filemap_write_and_wait_range(inode->i_mapping,
				round_down(from, LAKEFS_BLOCK_SIZE),
				LLONG_MAX);
	if (err)
		return err;
	rec = lakefs_rec_alloc(LAKEFS_I_SETATTR,
			       sizeof(struct lakefs_i_setattr), GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	truncate_setsize(inode, size);
	mutex_lock(&li->ext_lock);
	WRITE_ONCE(li->disk_size, size);
	li->done_size = size;
	lakefs_emit_size(inode, rec, size, extra_valid);
	mutex_unlock(&li->ext_lock);
	return 0;
}

/* ---- truncate ------------------------------------------------------------ */

static bool lakefs_block_written(struct lakefs_inode_info *li, u64 block)
{
	struct lakefs_extent *e = lakefs_ext_find(li, block);

	return e && e->block <= block && lakefs_ext_has_data(e);
}

/*
 * Before the cached tail is zeroed: its dirty old content goes to the device,
 * and so does everything before size that the recorded size does not cover.
 */
static int lakefs_settle_tail(struct inode *inode, loff_t size)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	loff_t from = round_down(size, LAKEFS_BLOCK_SIZE);
	bool written;

	mutex_lock(&li->ext_lock);
	written = lakefs_block_written(li, lakefs_block_of(size));
	if (size > li->disk_size) {
		from = round_down(li->disk_size, LAKEFS_BLOCK_SIZE);
		written = true;
	}
	mutex_unlock(&li->ext_lock);
	if (!written || size == from)
		return 0;
	return filemap_write_and_wait_range(inode->i_mapping, from, size - 1);
}

/*
 * Drop all blocks behind size. A recorded size that becomes smaller tells the
 * daemon that; else it needs an UNMAP (of preallocated blocks, mostly).
 */
static void lakefs_drop_behind(struct inode *inode, loff_t size,
			       struct lakefs_rec **unmap)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	struct lakefs_i_unmap *e =
		(struct lakefs_i_unmap *)(*unmap)->entry.bytes;
	struct rb_node *last = rb_last(&li->extents);
	u64 from = lakefs_blocks_for(size), end = from;

	if (last)
		end = lakefs_ext_end(rb_entry(last, struct lakefs_extent,
					      node));
	if (!lakefs_ext_drop_range(li, from, U64_MAX) || size < li->disk_size)
		return;
	e->ino = li->ino;
	e->file_block = from;
	e->blocks = end - from;
	spin_lock(&li->attr_lock);
	lakefs_carry_times(inode, &e->mtime, &e->ctime);
	lakefs_map_touch(li, lakefs_rec_emit(LAKEFS_SB(inode->i_sb), *unmap));
	spin_unlock(&li->attr_lock);
	*unmap = NULL;
}

static int lakefs_shrink(struct inode *inode, loff_t size, u32 extra_valid)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	struct lakefs_rec *rec, *unmap;
	int err;

	err = lakefs_settle_tail(inode, size);
	if (err)
		return err;
	rec = lakefs_rec_alloc(LAKEFS_I_SETATTR,
			       sizeof(struct lakefs_i_setattr), GFP_KERNEL);
	unmap = lakefs_rec_alloc(LAKEFS_I_UNMAP, sizeof(struct lakefs_i_unmap),
				 GFP_KERNEL);
	err = rec && unmap ? lakefs_bank_deposit(2, GFP_KERNEL) : -ENOMEM;
	if (err) {
		lakefs_rec_free(rec);
		lakefs_rec_free(unmap);
		return err;
	}
	/* waits for reads and writeback of all that goes */
	truncate_setsize(inode, size);

	mutex_lock(&li->ext_lock);
	lakefs_drop_behind(inode, size, &unmap);
	WRITE_ONCE(li->disk_size, size);
	li->done_size = min(li->done_size, size);
	li->size_wanted = min(li->size_wanted, size);
	lakefs_emit_size(inode, rec, size, extra_valid);
	if (lakefs_in_block(size) &&
	    lakefs_block_written(li, lakefs_block_of(size))) {
		li->tail_block = lakefs_block_of(size);
		li->tail_seq = READ_ONCE(li->last_seq);
	}
	mutex_unlock(&li->ext_lock);
	lakefs_bank_withdraw(2);
	lakefs_rec_free(unmap);
	if (!size)
		li->flush_on_close = true;
	return 0;
}

int lakefs_set_size(struct inode *inode, loff_t size, u32 extra_valid)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(inode->i_sb);
	loff_t old = i_size_read(inode);
	int err;

	if (lakefs_is_shutdown(sbi))
		return -EIO;
	err = lakefs_extents_load(inode);
	if (err)
		return err;
	if (size != old && !(extra_valid & LAKEFS_ATTR_MTIME))
		lakefs_stamp(inode, current_time(inode), S_MTIME | S_CTIME);
	inode_dio_wait(inode);
	filemap_invalidate_lock(inode->i_mapping);
	if (size > old)
		err = lakefs_extend(inode, size, extra_valid);
	else
		err = lakefs_shrink(inode, size, extra_valid);
	filemap_invalidate_unlock(inode->i_mapping);
	return err;
}
