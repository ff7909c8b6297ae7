// SPDX-License-Identifier: GPL-2.0
/*
 * SEAL, CHECKED and UNSEAL of one inode; how a call comes here is in
 * sealcall.c. The daemon asks, knowing the file's map as of map_seq; here is
 * looked whether that still holds, and the answer is given under the same lock
 * as the record.
 *
 * SEAL. Why nothing is on its way into a block that becomes sealed: under
 * i_rwsem and invalidate_lock no write, fault, fallocate or truncate is under
 * way, direct I/O was waited for, and the range was written back, which also
 * made its mappings read-only. A page that is pinned might still be written to
 * by a device: then it is not sealed. cut_gen moves, so that writeback which
 * goes on elsewhere in the file forgets a translation that it had cached.
 * Whoever makes a page of the range dirty afterwards has to reserve first, and
 * finds the mark (reserve.c).
 *
 * UNSEAL. The record is durable before the marks go here: written in place
 * earlier, a block would differ from the checksum that a crash makes valid
 * again. i_rwsem and invalidate_lock are held until then, so that no other
 * marks come into the range by a clone or a shift.
 *
 * Marks go with an extent, and come again when it is loaded: the records are
 * among those that an evicted inode's barrier covers.
 */
#include <linux/pagemap.h>
#include "data.h"

/* the range, and what it takes to change the map */
struct lakefs_sealing {
	struct inode *inode;
	const struct lakefs_seal *arg;
	u64 start;
	u64 end;
	struct lakefs_rec *rec;
	u64 seq;
};

/* ---- the map; ext_lock held ---------------------------------------------- */

/* first extent of the range, cut at its ends */
static struct lakefs_extent *lakefs_seal_first(const struct lakefs_sealing *s)
{
	return lakefs_ext_isolate(LAKEFS_I(s->inode), s->start, s->end);
}

static struct lakefs_extent *lakefs_seal_next(const struct lakefs_sealing *s,
					      struct lakefs_extent *e)
{
	e = lakefs_ext_next(e);
	return e && e->block < s->end ? e : NULL;
}

static void lakefs_seal_join(const struct lakefs_sealing *s)
{
	struct lakefs_inode_info *li = LAKEFS_I(s->inode);
	struct lakefs_extent *e = lakefs_ext_find(li, s->start);

	for (; e && e->block <= s->end; e = lakefs_ext_next(e))
		e = lakefs_ext_merge(li, e);
}

static void lakefs_seal_emit(struct lakefs_sealing *s)
{
	struct lakefs_i_seal *entry = (struct lakefs_i_seal *)
				      s->rec->entry.bytes;
	struct lakefs_inode_info *li = LAKEFS_I(s->inode);

	entry->ino = li->ino;
	entry->file_block = s->start;
	entry->blocks = s->end - s->start;
	s->seq = lakefs_rec_emit(LAKEFS_SB(s->inode->i_sb), s->rec);
	s->rec = NULL;
	lakefs_touch(s->inode, s->seq);
}

/* What was noted and not said is said now: of sealed blocks it may not be. */
static bool lakefs_seal_outdated(const struct lakefs_sealing *s)
{
	struct lakefs_inode_info *li = LAKEFS_I(s->inode);

	lakefs_over_emit(li, false);
	return li->map_seq > s->arg->map_seq;
}

/* Data on its way to the range: a write that began since, or that failed. */
static bool lakefs_seal_pending(const struct lakefs_sealing *s)
{
	struct lakefs_extent *e = lakefs_ext_find(LAKEFS_I(s->inode),
						  s->start);

	for (; e && e->block < s->end; e = lakefs_ext_next(e))
		if (lakefs_ext_pending(e))
			return true;
	return false;
}

static int lakefs_seal_map(struct lakefs_sealing *s)
{
	struct lakefs_extent *e;

	if (lakefs_seal_outdated(s) || lakefs_seal_pending(s))
		return -EAGAIN;
	for (e = lakefs_seal_first(s); e; e = lakefs_seal_next(s, e))
		if (e->state == LAKEFS_X_WRITTEN)
			e->sealed = true;
	lakefs_seal_emit(s);
	lakefs_seal_join(s);
	lakefs_map_cut(LAKEFS_I(s->inode));
	return 0;
}

/*
 * All that is written is sealed, and none of its checksums as they were before
 * is cached. No page of the table is locked by whoever wants ext_lock.
 */
static bool lakefs_checked_ready(const struct lakefs_sealing *s)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(s->inode->i_sb);
	struct lakefs_extent *e = lakefs_ext_find(LAKEFS_I(s->inode),
						  s->start);
	u64 from, to;

	for (; e && e->block < s->end; e = lakefs_ext_next(e)) {
		if (e->state != LAKEFS_X_WRITTEN || !lakefs_ext_plain(e))
			continue;
		if (!e->sealed)
			return false;
		from = max(e->block, s->start);
		to = min(lakefs_ext_end(e), s->end);
		if (lakefs_sums_forget(sbi, e->phys + (from - e->block),
				       to - from))
			return false;
	}
	return true;
}

static int lakefs_checked_map(struct lakefs_sealing *s)
{
	struct lakefs_extent *e;

	if (lakefs_seal_outdated(s) || lakefs_seal_pending(s))
		return -EAGAIN;
	if (!lakefs_checked_ready(s))
		return -EAGAIN;
	for (e = lakefs_seal_first(s); e; e = lakefs_seal_next(s, e)) {
		if (e->state != LAKEFS_X_WRITTEN)
			continue;
		e->checked = true;
		e->crc = false;
	}
	lakefs_seal_emit(s);
	lakefs_seal_join(s);
	return 0;
}

/* Of a block that is being replaced, too: it may stay after all. */
static int lakefs_unseal_map(struct lakefs_sealing *s)
{
	if (lakefs_seal_outdated(s))
		return -EAGAIN;
	lakefs_seal_emit(s);
	LAKEFS_I(s->inode)->map_seq = s->seq;
	return 0;
}

static void lakefs_unseal_marks(struct lakefs_sealing *s)
{
	struct lakefs_extent *e;

	for (e = lakefs_seal_first(s); e; e = lakefs_seal_next(s, e)) {
		/* it cannot be written in place, whatever it is called */
		if (!lakefs_ext_plain(e))
			continue;
		e->sealed = false;
		e->checked = false;
	}
	lakefs_seal_join(s);
}

/* ---- around it ----------------------------------------------------------- */

/*
 * folio_maybe_dma_pinned() takes very many references for a pin, and those of
 * page tables are some: of a library that a thousand programs have mapped. The
 * two counts are not of one moment, hence half.
 */
bool lakefs_folio_pinned(struct folio *folio)
{
	if (!folio_maybe_dma_pinned(folio))
		return false;
	/* folio_mapcount() is not for modules everywhere */
	return folio_test_large(folio) ||
	       folio_ref_count(folio) - 1 - atomic_read(&folio->_mapcount) >=
	       (int)GUP_PIN_COUNTING_BIAS / 2;
}

/*
 * A page that a device may write to does not become dirty before that is
 * over; who pins one now finds its mapping read-only, and waits for us.
 */
bool lakefs_range_pinned(struct inode *inode, u64 start, u64 end)
{
	struct folio_batch batch;
	pgoff_t index = start;
	bool pinned = false;
	unsigned int i;

	folio_batch_init(&batch);
	while (!pinned && index < end &&
	       filemap_get_folios(inode->i_mapping, &index, end - 1, &batch)) {
		for (i = 0; i < folio_batch_count(&batch); i++)
			pinned |= lakefs_folio_pinned(batch.folios[i]);
		folio_batch_release(&batch);
		cond_resched();
	}
	return pinned;
}

/* i_rwsem and invalidate_lock held */
static int lakefs_seal_settle(const struct lakefs_sealing *s)
{
	struct inode *inode = s->inode;
	int err;

	inode_dio_wait(inode);
	err = filemap_write_and_wait_range(inode->i_mapping,
					   s->start << LAKEFS_BLOCK_BITS,
					   (s->end << LAKEFS_BLOCK_BITS) - 1);
	if (err)
		return err;
	if (lakefs_range_pinned(inode, s->start, s->end))
		return -EBUSY;
	/* a fault that failed gives back only after its invalidate_lock */
	lakefs_unreserve_blocks(inode, s->start, s->end);
	return 0;
}

/* The record, two nodes to cut with, ext_lock. */
static int lakefs_seal_locked(struct lakefs_sealing *s, u16 op,
			      int (*change)(struct lakefs_sealing *s))
{
	struct lakefs_inode_info *li = LAKEFS_I(s->inode);
	int err;

	s->rec = lakefs_rec_alloc(op, sizeof(struct lakefs_i_seal),
				  GFP_KERNEL);
	if (!s->rec)
		return -ENOMEM;
	err = lakefs_bank_deposit(2, GFP_KERNEL);
	if (!err) {
		mutex_lock(&li->ext_lock);
		err = change(s);
		mutex_unlock(&li->ext_lock);
		lakefs_bank_withdraw(2);
	}
	lakefs_rec_free(s->rec);
	return err;
}

static int lakefs_seal_range(struct lakefs_sealing *s)
{
	struct inode *inode = s->inode;
	int err;

	if (!lakefs_call_lock(inode))
		return -EBUSY;
	filemap_invalidate_lock(inode->i_mapping);
	err = IS_SWAPFILE(inode) ? -EBUSY : lakefs_seal_settle(s);
	if (!err)
		err = lakefs_seal_locked(s, LAKEFS_I_SEAL, lakefs_seal_map);
	filemap_invalidate_unlock(inode->i_mapping);
	inode_unlock(inode);
	return err;
}

/* Reads that began before are not compared; under the lock none is left. */
static int lakefs_checked_range(struct lakefs_sealing *s)
{
	struct address_space *mapping = s->inode->i_mapping;
	int err;

	filemap_invalidate_lock(mapping);
	err = lakefs_seal_locked(s, LAKEFS_I_CHECKED, lakefs_checked_map);
	filemap_invalidate_unlock(mapping);
	return err;
}

static int lakefs_unseal_range(struct lakefs_sealing *s)
{
	struct lakefs_inode_info *li = LAKEFS_I(s->inode);
	struct inode *inode = s->inode;
	int err, late;

	if (!lakefs_call_lock(inode))
		return -EBUSY;
	filemap_invalidate_lock(inode->i_mapping);
	err = lakefs_seal_locked(s, LAKEFS_I_UNSEAL, lakefs_unseal_map);
	if (err)
		goto out;
	/* without it the marks stay, which harms nobody */
	late = lakefs_wait_durable(LAKEFS_SB(inode->i_sb), s->seq);
	if (!late)
		late = lakefs_bank_deposit(2, GFP_KERNEL);
	if (late)
		goto out;
	mutex_lock(&li->ext_lock);
	lakefs_unseal_marks(s);
	mutex_unlock(&li->ext_lock);
	lakefs_bank_withdraw(2);
out:
	filemap_invalidate_unlock(inode->i_mapping);
	inode_unlock(inode);
	return err;
}

bool lakefs_call_range_ok(const struct inode *inode, u64 block, u64 blocks,
			  u64 max)
{
	u64 limit = lakefs_blocks_for(inode->i_sb->s_maxbytes);

	return blocks && blocks <= max && block < limit &&
	       blocks <= limit - block;
}

int lakefs_seal_inode(struct inode *inode, unsigned int cmd,
		      struct lakefs_seal *arg)
{
	struct lakefs_sealing s = {
		.inode = inode,
		.arg = arg,
		.start = arg->file_block,
		.end = arg->file_block + arg->blocks,
	};
	int err;

	if (!S_ISREG(inode->i_mode) ||
	    !lakefs_call_range_ok(inode, arg->file_block, arg->blocks,
				  LAKEFS_SEAL_BLOCKS_MAX))
		return -EINVAL;
	err = lakefs_op_begin(LAKEFS_SB(inode->i_sb));
	if (!err)
		err = lakefs_extents_load(inode);
	if (err)
		return err;
	if (cmd == LAKEFS_IOC_SEAL)
		err = lakefs_seal_range(&s);
	else if (cmd == LAKEFS_IOC_CHECKED)
		err = lakefs_checked_range(&s);
	else
		err = lakefs_unseal_range(&s);
	arg->seq = s.seq;
	return err;
}
