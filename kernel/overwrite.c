// SPDX-License-Identifier: GPL-2.0
/*
 * Overwriting in place: the daemon is told that its checksums of the blocks
 * do not hold any more.
 *
 * A write notes its blocks in the inode's OVERWRITE record when it makes them
 * ready, before any page is dirty; the record is emitted when it is full or
 * when writeback maps its first block, so many blocks share one. What was
 * noted before a folio became dirty is emitted before that folio is written,
 * because writeback looks with the folio locked; a later MAP of the same
 * blocks follows it, because it follows the end of that writeback.
 *
 * The map goes on saying crc = true of the blocks: cutting extents for each
 * block that is written once would make it long. A record of few ranges is of
 * a program that syncs what it writes, over and over to the same place: there
 * the map remembers, so that the next fdatasync has nothing to commit. That is
 * a hint only; said twice of a block is no matter.
 */
#include "data.h"

#define LAKEFS_OVER_FEW		4	/* ranges */

static struct lakefs_i_overwrite *lakefs_over_entry(struct lakefs_rec *rec)
{
	return (struct lakefs_i_overwrite *)rec->entry.bytes;
}

static struct lakefs_range *lakefs_over_ranges(struct lakefs_rec *rec)
{
	return (struct lakefs_range *)(lakefs_over_entry(rec) + 1);
}

struct lakefs_rec *lakefs_over_alloc(void)
{
	return lakefs_rec_alloc(LAKEFS_I_OVERWRITE,
				sizeof(struct lakefs_i_overwrite) +
				LAKEFS_OVERWRITE_MAX *
				sizeof(struct lakefs_range), GFP_NOFS);
}

bool lakefs_over_note(struct lakefs_inode_info *li, struct lakefs_extent *e,
		      u64 block, u64 blocks, struct lakefs_rec **spare)
{
	struct lakefs_range *at = NULL;
	u64 end = block + blocks;

	lockdep_assert_held(&li->ext_lock);
	if (li->over)
		at = lakefs_over_ranges(li->over) + li->over_count - 1;
	if (at && block >= at->start && block <= at->start + at->count) {
		at->count = max(at->count, end - at->start);
	} else {
		if (!li->over || li->over_count == LAKEFS_OVERWRITE_MAX) {
			if (!*spare)
				return false;
			lakefs_over_emit(li, false);
			li->over = *spare;
			*spare = NULL;
		}
		at = lakefs_over_ranges(li->over) + li->over_count;
		*at = (struct lakefs_range){ .start = block, .count = blocks };
		WRITE_ONCE(li->over_count, li->over_count + 1);
	}
	if (block <= e->block && end >= lakefs_ext_end(e)) {
		e->crc = false;
		lakefs_ext_merge(li, e);
	}
	return true;
}

/* The daemon has no crcs of the range, and the map says so where it can. */
static void lakefs_over_remember(struct lakefs_inode_info *li,
				 const struct lakefs_range *range)
{
	u64 end = range->start + range->count;
	struct lakefs_extent *e;

	/* two nodes to cut with */
	if (lakefs_bank_deposit(2, GFP_NOWAIT | __GFP_NOWARN))
		return;
	e = lakefs_ext_isolate(li, range->start, end);
	for (; e && e->block < end; e = lakefs_ext_next(e)) {
		if (e->state == LAKEFS_X_WRITTEN)
			e->crc = false;
		e = lakefs_ext_merge(li, e);
	}
	lakefs_bank_withdraw(2);
}

void lakefs_over_emit(struct lakefs_inode_info *li, bool remember)
{
	struct lakefs_rec *rec = li->over;
	u32 i, count = li->over_count;

	lockdep_assert_held(&li->ext_lock);
	if (!rec)
		return;
	li->over = NULL;
	WRITE_ONCE(li->over_count, 0);
	remember &= count <= LAKEFS_OVER_FEW;
	for (i = 0; i < count && remember; i++)
		lakefs_over_remember(li, lakefs_over_ranges(rec) + i);
	lakefs_over_entry(rec)->ino = li->ino;
	lakefs_over_entry(rec)->count = count;
	rec->entry.hdr.len = sizeof(struct lakefs_i_overwrite) +
			     count * sizeof(struct lakefs_range);
	lakefs_map_touch(li,
			 lakefs_rec_emit(LAKEFS_SB(li->vfs_inode.i_sb), rec));
}

void lakefs_over_forget(struct lakefs_inode_info *li)
{
	lakefs_rec_free(li->over);
	li->over = NULL;
	li->over_count = 0;
}
