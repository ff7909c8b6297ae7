// SPDX-License-Identifier: GPL-2.0
/*
 * Writeback: where dirty pages go, and the records of data that arrived.
 *
 * Submission (map_blocks) turns DELAYED blocks into TAKEN ones; completion
 * runs on the mount's workqueue, before the folios' writeback ends: it takes
 * the checksums, makes the blocks WRITTEN and emits their MAP records under
 * ext_lock. So whoever waited for writeback finds the records emitted, and
 * truncate, which waits for writeback of what it drops, follows them. Neither
 * side waits for the daemon or allocates: all is deposited (reserve.c), but for
 * what a device made dirty behind our back (lakefs_map_unready).
 */
#include <linux/blkdev.h>
#include <linux/iomap.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/writeback.h>
#include "data.h"

#define LAKEFS_TAKE_BLOCKS	2048	/* of one contiguous run */

/*
 * Types of an iomap, by which iomap keeps the ends of I/O apart. What is
 * written in place, before the recorded size, changes no map and no size:
 * iomap ends it by itself, in the interrupt. All else ends here; there the
 * state of a block says what to do.
 */
#define LAKEFS_IO_PLAIN		IOMAP_MAPPED
#define LAKEFS_IO_RECORDED	IOMAP_UNWRITTEN

/* ---- submission ---------------------------------------------------------- */

/* Blocks for the DELAYED extent e from block on; returns the TAKEN one. */
static struct lakefs_extent *lakefs_take_run(struct lakefs_inode_info *li,
					     struct lakefs_extent *e, u64 block)
{
	struct lakefs_extent *prev, *rest;
	u64 end = min(lakefs_ext_end(e), block + LAKEFS_TAKE_BLOCKS);
	u64 goal = 0;

	e = lakefs_ext_isolate(li, block, end);
	prev = lakefs_ext_prev(e);
	if (prev && lakefs_ext_end(prev) == block)
		goal = lakefs_ext_goal(prev);
	lakefs_blocks_take(LAKEFS_SB(li->vfs_inode.i_sb), e, goal);
	if (lakefs_ext_end(e) < end) {
		rest = lakefs_node_take();
		rest->block = lakefs_ext_end(e);
		rest->blocks = end - rest->block;
		rest->state = LAKEFS_X_DELAYED;
		rest->src = e->src ? e->src + e->blocks : 0;
		lakefs_ext_copy_marks(rest, e);
		lakefs_ext_insert(li, rest);
		lakefs_ext_merge(li, rest);
	}
	return lakefs_ext_merge(li, e);
}

/*
 * A block that is dirty in its folio and has nothing reserved: it was cut out
 * of the file while the folio could not be split. It is zero, as what the
 * file has there now. Of a folio of one block it would be our bug.
 */
static int lakefs_map_nothing(struct lakefs_inode_info *li, u64 block,
			      struct iomap *iomap)
{
	struct folio *folio = filemap_get_folio(li->vfs_inode.i_mapping, block);
	bool large = !IS_ERR_OR_NULL(folio) && folio_test_large(folio);

	if (!IS_ERR_OR_NULL(folio))
		folio_put(folio);
	if (WARN_ON_ONCE(!large))
		return -EIO;
	iomap->type = IOMAP_HOLE;
	iomap->flags = 0;
	iomap->offset = (loff_t)block << LAKEFS_BLOCK_BITS;
	iomap->length = LAKEFS_BLOCK_SIZE;
	iomap->addr = IOMAP_NULL_ADDR;
	iomap->bdev = li->vfs_inode.i_sb->s_bdev;
	/* not for a second look: what is written there next, is */
	iomap->validity_cookie = li->cut_gen - 1;
	return 0;
}

static int lakefs_map_locked(struct lakefs_inode_info *li, u64 block,
			     struct iomap *iomap)
{
	struct lakefs_extent *e = lakefs_ext_find(li, block);
	/* before it no size waits for the end of a write */
	u64 whole = lakefs_block_of(li->disk_size), end;

	if (!e || e->block > block || e->state == LAKEFS_X_UNWRITTEN)
		return lakefs_map_nothing(li, block, iomap);
	if (e->state == LAKEFS_X_DELAYED)
		e = lakefs_take_run(li, e, block);
	/* our bug if so: the pool was promised */
	if (WARN_ON_ONCE(e->state == LAKEFS_X_DELAYED))
		return -EIO;
	/* made dirty behind our back, and there are no others for it */
	if (lakefs_ext_fixed(e))
		return -EIO;
	end = lakefs_ext_end(e);
	iomap->type = LAKEFS_IO_RECORDED;
	if (e->state == LAKEFS_X_WRITTEN && block < whole) {
		iomap->type = LAKEFS_IO_PLAIN;
		end = min(end, whole);
	}
	iomap->flags = 0;
	iomap->offset = (loff_t)e->block << LAKEFS_BLOCK_BITS;
	iomap->length = (end - e->block) << LAKEFS_BLOCK_BITS;
	iomap->addr = e->phys << LAKEFS_BLOCK_BITS;
	iomap->bdev = li->vfs_inode.i_sb->s_bdev;
	iomap->validity_cookie = li->cut_gen;
	return 0;
}

/*
 * Is the block dirty behind our back? A direct read into a mapping makes its
 * pages dirty once more when the device is done, of which no page_mkwrite
 * tells; what was reserved before may have been written, and the block shared
 * or sealed.
 */
static bool lakefs_map_unready(struct lakefs_inode_info *li, u64 block)
{
	struct lakefs_extent *e = lakefs_ext_find(li, block);

	return e && e->block <= block && lakefs_ext_fixed(e);
}

/*
 * The folio is locked: as lakefs_dirty_locked() does it. What cannot be got
 * without waiting is not got, and the data is lost, with an error to fsync.
 * ext_lock held
 */
static void lakefs_map_make_ready(struct inode *inode, u64 block)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	struct lakefs_extent *e;
	u64 blocks = 1;
	bool fresh;

	mutex_unlock(&li->ext_lock);
	/* takes ext_lock, but when it fails */
	if (lakefs_reserve(inode, block, &blocks, LAKEFS_RESERVE_NOWAIT, &e,
			   &fresh))
		mutex_lock(&li->ext_lock);
}

static int lakefs_map_for_writeback(struct iomap_writepage_ctx *wpc,
				    struct inode *inode, loff_t offset)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	struct iomap *iomap = &wpc->iomap;
	int err;

	if (lakefs_is_shutdown(LAKEFS_SB(inode->i_sb)))
		return -EIO;
	/*
	 * The folio is locked and was made dirty after its blocks were
	 * reserved: a cut that concerns it has moved cut_gen before.
	 */
	if (offset >= iomap->offset &&
	    offset < iomap->offset + iomap->length &&
	    iomap->validity_cookie == READ_ONCE(li->cut_gen) &&
	    !lakefs_over_noted(li))
		return 0;
	mutex_lock(&li->ext_lock);
	if (lakefs_map_unready(li, lakefs_block_of(offset)))
		lakefs_map_make_ready(inode, lakefs_block_of(offset));
	lakefs_over_emit(li, true);
	err = lakefs_map_locked(li, lakefs_block_of(offset), iomap);
	mutex_unlock(&li->ext_lock);
	return err;
}

/* From pos on the folio could not be submitted: its blocks are free. */
static void lakefs_discard_folio(struct folio *folio, loff_t pos)
{
	lakefs_unreserve_blocks(folio->mapping->host, lakefs_block_of(pos),
				folio_next_index(folio));
}

/* ---- completion ---------------------------------------------------------- */

#if LAKEFS_KERNEL(6, 9)
static struct bio *lakefs_ioend_last_bio(struct iomap_ioend *ioend)
{
	return &ioend->io_bio;
}

static struct iomap_ioend *lakefs_ioend_of(struct bio *bio)
{
	return iomap_ioend_from_bio(bio);
}

static struct bio *lakefs_ioend_first_bio(struct iomap_ioend *ioend)
{
	return &ioend->io_bio;
}
#else
static struct bio *lakefs_ioend_last_bio(struct iomap_ioend *ioend)
{
	return ioend->io_bio;
}

static struct iomap_ioend *lakefs_ioend_of(struct bio *bio)
{
	return bio->bi_private;
}

/* the others follow, each being the bi_private of the one before */
static struct bio *lakefs_ioend_first_bio(struct iomap_ioend *ioend)
{
	return &ioend->io_inline_bio;
}
#endif

static void lakefs_end_bio(struct bio *bio)
{
	struct iomap_ioend *ioend = lakefs_ioend_of(bio);
	struct lakefs_inode_info *li = LAKEFS_I(ioend->io_inode);
	struct lakefs_sb_info *sbi = LAKEFS_SB(ioend->io_inode->i_sb);
	unsigned long flags;

	spin_lock_irqsave(&li->ioend_lock, flags);
	if (list_empty(&li->ioend_list))
		queue_work(sbi->wq, &li->ioend_work);
	list_add_tail(&ioend->io_list, &li->ioend_list);
	spin_unlock_irqrestore(&li->ioend_lock, flags);
}

static bool lakefs_ioend_plain(const struct iomap_ioend *ioend)
{
#if LAKEFS_KERNEL(6, 14)
	return !(ioend->io_flags & IOMAP_IOEND_UNWRITTEN);
#else
	return ioend->io_type == LAKEFS_IO_PLAIN;
#endif
}

/* Counted beforehand: who waited for it finds it counted (lakefs_fsync). */
static void lakefs_plain_begins(struct inode *inode)
{
	atomic64_inc(&LAKEFS_I(inode)->plain_gen);
}

#if LAKEFS_KERNEL(6, 17)
static ssize_t lakefs_writeback_range(struct iomap_writepage_ctx *wpc,
				      struct folio *folio, u64 pos,
				      unsigned int len, u64 end_pos)
{
	ssize_t ret = lakefs_map_for_writeback(wpc, wpc->inode, pos);

	if (!ret)
		ret = iomap_add_to_ioend(wpc, folio, pos, end_pos, len);
	if (ret < 0)
		lakefs_discard_folio(folio, pos);
	return ret;
}

static int lakefs_writeback_submit(struct iomap_writepage_ctx *wpc, int error)
{
	struct iomap_ioend *ioend = wpc->wb_ctx;

	if (lakefs_ioend_plain(ioend))
		lakefs_plain_begins(ioend->io_inode);
	else
		ioend->io_bio.bi_end_io = lakefs_end_bio;
	return iomap_ioend_writeback_submit(wpc, error);
}

static const struct iomap_writeback_ops lakefs_writeback_ops = {
	.writeback_range	= lakefs_writeback_range,
	.writeback_submit	= lakefs_writeback_submit,
};

static int lakefs_write_dirty(struct address_space *mapping,
			      struct writeback_control *wbc)
{
	struct iomap_writepage_ctx wpc = {
		.inode	= mapping->host,
		.wbc	= wbc,
		.ops	= &lakefs_writeback_ops,
	};

	return iomap_writepages(&wpc);
}
#else
static int lakefs_map_blocks(struct iomap_writepage_ctx *wpc,
#if LAKEFS_KERNEL(6, 8)
			     struct inode *inode, loff_t offset,
			     unsigned int len)
#else
			     struct inode *inode, loff_t offset)
#endif
{
	return lakefs_map_for_writeback(wpc, inode, offset);
}

static int lakefs_prepare_ioend(struct iomap_ioend *ioend, int status)
{
	if (lakefs_ioend_plain(ioend))
		lakefs_plain_begins(ioend->io_inode);
	else
		lakefs_ioend_last_bio(ioend)->bi_end_io = lakefs_end_bio;
	return status;
}

static const struct iomap_writeback_ops lakefs_writeback_ops = {
	.map_blocks	= lakefs_map_blocks,
	.prepare_ioend	= lakefs_prepare_ioend,
	.discard_folio	= lakefs_discard_folio,
};

static int lakefs_write_dirty(struct address_space *mapping,
			      struct writeback_control *wbc)
{
	struct iomap_writepage_ctx wpc = { };

	return iomap_writepages(mapping, wbc, &wpc, &lakefs_writeback_ops);
}
#endif

int lakefs_writepages(struct address_space *mapping,
		      struct writeback_control *wbc)
{
	loff_t end = wbc->range_cyclic ? LLONG_MAX : wbc->range_end;

	/* sync: fsync says so before it asks for what is dirty */
	if (wbc->sync_mode == WB_SYNC_ALL)
		lakefs_size_want(mapping->host,
				 end == LLONG_MAX ? end : end + 1);
	return lakefs_write_dirty(mapping, wbc);
}

/* a piece of a completed ioend: pages of consecutive blocks */
struct lakefs_done {
	struct inode *inode;
	u64 io_block;			/* first of the ioend */
	u64 block;			/* first of pages[] */
	u64 phys;			/* where that one was written */
	int error;
	u32 count;
	struct page *pages[LAKEFS_MAP_BLOCKS_MAX];
};

static void lakefs_checksum(const struct lakefs_done *done, u32 from, u32 n,
			    u32 *crcs)
{
	void *data;
	u32 i;

	for (i = 0; i < n; i++) {
		data = kmap_local_page(done->pages[from + i]);
		crcs[i] = lakefs_crc32c_block(data);
		kunmap_local(data);
	}
	if (n & 1)
		crcs[n] = 0;		/* the entry is padded to 8 bytes */
}

/* Memory that a device writes to, for somebody's direct read into a mapping. */
static bool lakefs_any_pinned(const struct lakefs_done *done, u32 from, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (lakefs_folio_pinned(page_folio(done->pages[from + i])))
			return true;
	return false;
}

/* New data: blocks [block, +n) of the TAKEN or DIRTY extent e are WRITTEN. */
static void lakefs_done_map(const struct lakefs_done *done, u32 from, u32 n,
			    struct lakefs_extent *e)
{
	struct lakefs_inode_info *li = LAKEFS_I(done->inode);
	struct lakefs_rec *rec = lakefs_map_rec_take();
	struct lakefs_i_map *map = (struct lakefs_i_map *)rec->entry.bytes;
	u64 block = done->block + from, end = block + n;

	/* what was written may be neither what is there now nor the last */
	bool crc = !e->both && !lakefs_any_pinned(done, from, n);

	BUILD_BUG_ON(LAKEFS_MAP_BLOCKS_MAX & 1);
	e = lakefs_ext_isolate(li, block, end);
	map->hdr.len = crc ? ALIGN(sizeof(*map) + 4 * n, LAKEFS_ENTRY_ALIGN) :
			     sizeof(*map);
	map->ino = li->ino;
	map->file_block = block;
	map->phys_block = e->phys;
	map->blocks = n;
	map->flags = crc ? LAKEFS_EXTENT_CRC : 0;
	map->size = lakefs_size_advance(done->inode,
					(loff_t)end << LAKEFS_BLOCK_BITS,
					done->io_block, end);
	if (crc)
		lakefs_checksum(done, from, n, (u32 *)(map + 1));
	lakefs_emit_map(done->inode, rec);
	lakefs_ext_set_state(li, e, LAKEFS_X_WRITTEN);
	e->crc = crc;
	lakefs_ext_merge(li, e);
	lakefs_map_moved(li);
}

static void lakefs_done_in_place(const struct lakefs_done *done, u64 end)
{
	struct lakefs_inode_info *li = LAKEFS_I(done->inode);

	/* a commit of anything emitted from here on flushes this data too */
	WRITE_ONCE(li->in_place_seq,
		   lakefs_last_seq(LAKEFS_SB(done->inode->i_sb)));
	atomic64_inc(&li->in_place_gen);
	lakefs_size_done(done->inode, (loff_t)end << LAKEFS_BLOCK_BITS,
			 done->io_block, end);
}

static void lakefs_done_error(const struct lakefs_done *done, u64 block,
			      u64 end, struct lakefs_extent *e)
{
	struct lakefs_inode_info *li = LAKEFS_I(done->inode);

	if (lakefs_ext_pending(e)) {
		lakefs_ext_undo(li, lakefs_ext_isolate(li, block, end));
		lakefs_map_cut(li);
	}
	lakefs_size_done(done->inode, 0, done->io_block, end);
}

/* Returns how many of the pages from on were dealt with. */
static u32 lakefs_done_run(const struct lakefs_done *done, u32 from)
{
	u64 block = done->block + from, end;
	struct lakefs_extent *e =
		lakefs_ext_find(LAKEFS_I(done->inode), block);
	u32 n;

	/* our bug if so: the map changed under writeback */
	if (WARN_ON_ONCE(!e || e->block > block ||
			 e->phys + (block - e->block) != done->phys + from)) {
		mapping_set_error(done->inode->i_mapping, -EIO);
		return 1;
	}
	n = min_t(u64, done->count - from, lakefs_ext_end(e) - block);
	end = block + n;
	if (done->error)
		lakefs_done_error(done, block, end, e);
	else if (e->state == LAKEFS_X_WRITTEN)
		lakefs_done_in_place(done, end);
	else
		lakefs_done_map(done, from, n, e);
	return n;
}

static void lakefs_done_batch(struct lakefs_done *done)
{
	struct lakefs_inode_info *li = LAKEFS_I(done->inode);
	u32 i = 0;

	mutex_lock(&li->ext_lock);
	while (i < done->count)
		i += lakefs_done_run(done, i);
	mutex_unlock(&li->ext_lock);
	done->block += done->count;
	done->phys += done->count;
	done->count = 0;
}

static void lakefs_done_folio(struct lakefs_done *done, struct folio *folio,
			      size_t offset, size_t length)
{
	size_t end = offset + length;

	for (; offset < end; offset += LAKEFS_BLOCK_SIZE) {
		done->pages[done->count++] = folio_page(folio,
							offset >> PAGE_SHIFT);
		if (done->count == LAKEFS_MAP_BLOCKS_MAX)
			lakefs_done_batch(done);
	}
}

static void lakefs_ioend_done(struct iomap_ioend *ioend)
{
	struct bio *bio = lakefs_ioend_first_bio(ioend);
	struct bio *last = lakefs_ioend_last_bio(ioend);
	int error = blk_status_to_errno(last->bi_status);
	struct lakefs_done done = {
		.inode = ioend->io_inode,
		.io_block = lakefs_block_of(ioend->io_offset),
		.block = lakefs_block_of(ioend->io_offset),
		.phys = ioend->io_sector >> (LAKEFS_BLOCK_BITS - SECTOR_SHIFT),
		.error = error,
	};
	struct folio_iter fi;

	for (;;) {
		bio_for_each_folio_all(fi, bio)
			lakefs_done_folio(&done, fi.folio, fi.offset,
					  fi.length);
		if (bio == last)
			break;
		bio = bio->bi_private;
	}
	if (done.count)
		lakefs_done_batch(&done);
	INIT_LIST_HEAD(&ioend->io_list);
	iomap_finish_ioends(ioend, error);
}

/* The inode is gone, perhaps, when the last of its ioends is finished. */
void lakefs_ioend_work(struct work_struct *work)
{
	struct lakefs_inode_info *li =
		container_of(work, struct lakefs_inode_info, ioend_work);
	struct iomap_ioend *ioend, *next;
	unsigned int nofs = memalloc_nofs_save();
	LIST_HEAD(list);

	spin_lock_irq(&li->ioend_lock);
	list_splice_init(&li->ioend_list, &list);
	spin_unlock_irq(&li->ioend_lock);
	list_for_each_entry_safe(ioend, next, &list, io_list)
		lakefs_ioend_done(ioend);
	memalloc_nofs_restore(nofs);
}
