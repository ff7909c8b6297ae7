// SPDX-License-Identifier: GPL-2.0
/*
 * A damaged block fails the reads that want it, and no others. A bio fails as
 * a whole, and so does the folio that it fills; so after an error the file's
 * new folios are of one block each, what was read in vain is dropped, and the
 * read is made again. Readahead that failed costs nothing but itself: its
 * folios are read one by one when they are wanted.
 *
 * The folio that failed may have gone meanwhile, dropped by another reader in
 * the same need or by reclaim. So what is looked at is not that folio but the
 * state in which the next read begins: new folios are single, and there is no
 * large one at that place. Only an error of such a read is the block's own.
 */
#include <linux/delay.h>
#include <linux/pagemap.h>
#include "data.h"

static bool lakefs_any_checked(struct inode *inode, u64 start, u64 end)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	struct lakefs_extent *e;
	bool any = false;

	mutex_lock(&li->ext_lock);
	for (e = lakefs_ext_find(li, start); e && e->block < end && !any;
	     e = lakefs_ext_next(e))
		any = e->checked;
	mutex_unlock(&li->ext_lock);
	return any;
}

/* Dirty blocks of it, which reading does not concern, are written first. */
static bool lakefs_drop_folio(struct inode *inode, u64 start, u64 end)
{
	struct address_space *mapping = inode->i_mapping;

	return !filemap_write_and_wait_range(mapping,
			start << LAKEFS_BLOCK_BITS,
			(end << LAKEFS_BLOCK_BITS) - 1) &&
	       !invalidate_inode_pages2_range(mapping, start, end - 1);
}

/* Others who read it hold it for a moment; then it cannot be dropped. */
#define LAKEFS_DROP_TRIES	100

/* 0: no large folio that could not be read is at pos. -EBUSY, -EINTR */
static int lakefs_drop_large(struct inode *inode, loff_t pos)
{
	int tries;

	for (tries = 0; tries < LAKEFS_DROP_TRIES; tries++) {
		struct folio *folio = filemap_get_folio(inode->i_mapping,
							pos >> PAGE_SHIFT);
		u64 start, end;
		bool large;

		if (IS_ERR_OR_NULL(folio))
			return 0;
		start = folio->index;
		end = folio_next_index(folio);
		large = folio_test_large(folio) && !folio_test_uptodate(folio);
		folio_put(folio);
		if (!large || lakefs_drop_folio(inode, start, end))
			return 0;
		if (fatal_signal_pending(current))
			return -EINTR;
		fsleep(1000);
	}
	return -EBUSY;
}

bool lakefs_read_again(struct inode *inode, loff_t pos)
{
	u64 start = round_down(lakefs_block_of(pos), LAKEFS_FOLIO_BLOCKS);
	u64 end = start + LAKEFS_FOLIO_BLOCKS;

	/* a large folio is aligned to its size: all of it is in that range */
	if (!lakefs_any_checked(inode, start, end))
		return false;
	lakefs_use_single_folios(inode->i_mapping);
	return !lakefs_drop_large(inode, pos);
}
