// SPDX-License-Identifier: GPL-2.0
/*
 * Giving back what was got ready for a write (reserve.c) and not needed after
 * all: nothing pending may stay without a dirty page, or it would hold back
 * the recorded size for ever.
 *
 * A folio of several blocks does not tell which of them are dirty. So what
 * is dirty is written first: what is pending then, is clean.
 */
#include <linux/pagemap.h>
#include "data.h"

/* pending blocks of [start, end) that belong to the page cache */
static struct lakefs_extent *lakefs_next_pending(struct lakefs_inode_info *li,
						 u64 start, u64 end)
{
	struct lakefs_extent *e = lakefs_ext_find(li, start);

	for (; e && e->block < end; e = lakefs_ext_next(e))
		if (lakefs_ext_pending(e) && !e->direct)
			return e;
	return NULL;
}

static bool lakefs_holds_end(struct lakefs_inode_info *li, u64 start, u64 end)
{
	return li->end_block >= start && li->end_block < end;
}

/* ext_lock held. TAKEN too: writeback takes runs, not only dirty pages */
static void lakefs_undo_range(struct inode *inode, u64 start, u64 end)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	struct lakefs_extent *e;
	u64 at = start, to;

	while ((e = lakefs_next_pending(li, at, end))) {
		at = max(e->block, at);
		to = min(lakefs_ext_end(e), end);
		lakefs_ext_undo(li, lakefs_ext_isolate(li, at, to));
		at = to;
	}
	if (lakefs_holds_end(li, start, end))
		li->end_block = LAKEFS_NO_BLOCK;
	lakefs_map_cut(li);
	lakefs_size_done(inode, 0, 0, 0);
}

void lakefs_unreserve_blocks(struct inode *inode, u64 start, u64 end)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);

	mutex_lock(&li->ext_lock);
	if (lakefs_next_pending(li, start, end) ||
	    lakefs_holds_end(li, start, end))
		lakefs_undo_range(inode, start, end);
	mutex_unlock(&li->ext_lock);
}

static bool lakefs_folio_needs(struct folio *folio)
{
	return folio_test_dirty(folio) || folio_test_writeback(folio);
}

/*
 * Other writers may be between begin and their dirty page. A folio is made
 * where there is none, to have its lock: who comes after us sees that the map
 * moved, who came before has a dirty folio.
 */
void lakefs_unreserve_block(struct inode *inode, u64 block)
{
	struct address_space *mapping = inode->i_mapping;
	loff_t pos = (loff_t)block << LAKEFS_BLOCK_BITS;
	struct folio *folio;
	bool busy;

	do {
		folio = __filemap_get_folio(mapping, block,
					    FGP_LOCK | FGP_CREAT,
					    GFP_NOFS | __GFP_NOFAIL);
		if (IS_ERR_OR_NULL(folio))
			return;
		busy = lakefs_folio_needs(folio);
		if (!busy)
			lakefs_unreserve_blocks(inode, block, block + 1);
		folio_unlock(folio);
		folio_put(folio);
		/* an error of it is in the mapping; the page is clean then */
		if (busy)
			filemap_write_and_wait_range(mapping, pos, pos +
						     LAKEFS_BLOCK_SIZE - 1);
	} while (busy);
}

void lakefs_unreserve_fault(struct inode *inode, u64 start, u64 end)
{
	u64 block;

	filemap_invalidate_lock(inode->i_mapping);
	/* what is behind the end, truncate has dropped */
	end = min(end, lakefs_blocks_for(i_size_read(inode)));
	for (block = start; block < end; block++)
		lakefs_unreserve_block(inode, block);
	filemap_invalidate_unlock(inode->i_mapping);
}

/* i_rwsem held: no other writer but faults */
void lakefs_unreserve_clean(struct inode *inode, u64 start, u64 end)
{
	struct address_space *mapping = inode->i_mapping;
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	bool any;

	mutex_lock(&li->ext_lock);
	any = lakefs_next_pending(li, start, end) ||
	      lakefs_holds_end(li, start, end);
	mutex_unlock(&li->ext_lock);
	if (!any)
		return;
	/* no fault may make a page of the range dirty meanwhile */
	filemap_invalidate_lock(mapping);
	filemap_write_and_wait_range(mapping, start << LAKEFS_BLOCK_BITS,
				     (end << LAKEFS_BLOCK_BITS) - 1);
	lakefs_unreserve_blocks(inode, start, end);
	filemap_invalidate_unlock(mapping);
}

void lakefs_unreserve_direct(struct inode *inode, u64 start, u64 end)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	struct lakefs_extent *e;
	u64 from;

	mutex_lock(&li->ext_lock);
	while (start < end) {
		e = lakefs_ext_find(li, start);
		if (!e || e->block >= end)
			break;
		from = max(e->block, start);
		start = min(lakefs_ext_end(e), end);
		if (!lakefs_ext_pending(e) || !e->direct)
			continue;
		lakefs_ext_undo(li, lakefs_ext_isolate(li, from, start));
	}
	lakefs_map_cut(li);
	lakefs_size_done(inode, 0, 0, 0);
	mutex_unlock(&li->ext_lock);
}
