// SPDX-License-Identifier: GPL-2.0
/*
 * What iomap asks: where the bytes of a file are, for reading, for writing
 * through the page cache, for zeroing and for reports (fiemap.c). Direct I/O is
 * in direct.c, writeback in writeback.c, write faults in fault.c.
 *
 * Folios may be of several blocks (LAKEFS_FOLIO_ORDER). iomap knows which of
 * a folio's blocks are dirty and does not tell, so nothing here asks a folio
 * about a block. Its marks outlive a block that a truncate or a punch takes
 * from the middle of a folio: writeback then finds a dirty block where the
 * file has none, and leaves it (writeback.c).
 *
 * A write's begin makes the blocks ready (reserve.c); between it and the
 * folio lock, writeback may complete and the folio be reclaimed. Such a
 * completion moves map_gen, and lakefs_iomap_valid() sends iomap back to
 * begin. It runs under the folio lock, with writeback of the folio over.
 *
 * iomap_valid() is also what makes end_block exact (size.c).
 */
#include <linux/pagemap.h>
#include "data.h"
#include "iomap_compat.h"

void lakefs_fill_iomap(struct inode *inode, struct iomap *iomap, u64 block,
		       u64 blocks, u16 type, const struct lakefs_extent *e)
{
	iomap->type = type;
	iomap->flags = 0;
	iomap->offset = (loff_t)block << LAKEFS_BLOCK_BITS;
	iomap->length = blocks << LAKEFS_BLOCK_BITS;
	iomap->bdev = inode->i_sb->s_bdev;
	iomap->addr = IOMAP_NULL_ADDR;
	if (type == IOMAP_MAPPED || type == IOMAP_UNWRITTEN)
		iomap->addr = (lakefs_ext_where(e) + (block - e->block)) <<
			      LAKEFS_BLOCK_BITS;
}

/* ---- reading ------------------------------------------------------------- */

/* What is read from there is compared with its checksums. */
static void lakefs_through_lens(struct inode *inode, struct iomap *iomap,
				const struct lakefs_extent *e)
{
	if (e->checked && iomap->type == IOMAP_MAPPED)
		lakefs_lens_map(LAKEFS_SB(inode->i_sb), iomap, e);
}

/*
 * Where on the device it is, for who asks (fiemap.c). Of what is packed, that
 * it is not there as it is.
 */
static void lakefs_report(struct iomap *iomap, const struct lakefs_extent *e)
{
	if (e->shared)
		iomap->flags |= IOMAP_F_SHARED;
	if (e->packed) {
		iomap->flags |= LAKEFS_IOMAP_PACKED;
		iomap->addr = round_down(iomap->addr >> LAKEFS_PACK_BITS,
					 LAKEFS_BLOCK_SIZE);
	} else {
		iomap->addr += e->skew;
	}
}

static u16 lakefs_read_type(const struct lakefs_extent *e, unsigned int flags)
{
	/* what replaces it is in the page cache, or on its way */
	if (e->src)
		return IOMAP_MAPPED;
	switch (e->state) {
	case LAKEFS_X_WRITTEN:
		return IOMAP_MAPPED;
	case LAKEFS_X_UNWRITTEN:
	case LAKEFS_X_DIRTY:
		return IOMAP_UNWRITTEN;
	default:
		/* what is there is in the page cache, or on its way */
		return flags & IOMAP_REPORT ? IOMAP_DELALLOC : IOMAP_HOLE;
	}
}

int lakefs_read_begin(struct inode *inode, loff_t pos, loff_t length,
		      unsigned int flags, struct iomap *iomap,
		      struct iomap *srcmap)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	u64 block = lakefs_block_of(pos), blocks;
	struct lakefs_extent *e;
	int err;

	if (lakefs_is_shutdown(LAKEFS_SB(inode->i_sb)))
		return -EIO;
	err = lakefs_extents_load(inode);
	if (err)
		return err;
	mutex_lock(&li->ext_lock);
	e = lakefs_ext_find(li, block);
	if (e && e->block <= block) {
		lakefs_fill_iomap(inode, iomap, block,
				  lakefs_ext_end(e) - block,
				  lakefs_read_type(e, flags), e);
		if (!(flags & IOMAP_REPORT))
			lakefs_through_lens(inode, iomap, e);
		else
			lakefs_report(iomap, e);
	} else {
		blocks = lakefs_blocks_for(pos + length) - block;
		if (e)
			blocks = min(blocks, e->block - block);
		lakefs_fill_iomap(inode, iomap, block, blocks, IOMAP_HOLE, e);
	}
	mutex_unlock(&li->ext_lock);
	/* where things are confirms what others have: not for everybody */
	if ((flags & IOMAP_REPORT) && !capable(CAP_SYS_ADMIN))
		iomap->addr = IOMAP_NULL_ADDR;
	return 0;
}

static const struct iomap_ops lakefs_read_ops = {
	.iomap_begin	= lakefs_read_begin,
};

static int lakefs_read_folio(struct file *file, struct folio *folio)
{
	return lakefs_iomap_read_folio(folio, &lakefs_read_ops);
}

static void lakefs_readahead(struct readahead_control *rac)
{
	lakefs_iomap_readahead(rac, &lakefs_read_ops);
}

/* ---- writing ------------------------------------------------------------- */

static bool lakefs_iomap_valid(struct inode *inode, const struct iomap *iomap)
{
	return iomap->validity_cookie == READ_ONCE(LAKEFS_I(inode)->map_gen);
}

/* DELALLOC and UNWRITTEN: what is not in the page is zero. */
static u16 lakefs_write_type(const struct lakefs_extent *e, unsigned int flags)
{
	if (!e)
		return IOMAP_HOLE;
	switch (e->state) {
	case LAKEFS_X_WRITTEN:
		return IOMAP_MAPPED;
	case LAKEFS_X_UNWRITTEN:
		return IOMAP_UNWRITTEN;
	case LAKEFS_X_DIRTY:
		/* zeroing skips UNWRITTEN, but here is a dirty page */
		return flags & IOMAP_ZERO ? IOMAP_DELALLOC : IOMAP_UNWRITTEN;
	default:
		return IOMAP_DELALLOC;
	}
}

static int lakefs_write_begin(struct inode *inode, loff_t pos, loff_t length,
			      unsigned int flags, struct iomap *iomap,
			      struct iomap *srcmap)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	int mode = flags & IOMAP_ZERO ? LAKEFS_RESERVE_ZERO : 0;
	u64 block = lakefs_block_of(pos), blocks;
	struct lakefs_extent *e;
	bool fresh, ready;
	int err;

	if (lakefs_is_shutdown(LAKEFS_SB(inode->i_sb)))
		return -EIO;
	err = lakefs_extents_load(inode);
	if (err)
		return err;
again:
	blocks = lakefs_blocks_for(pos + length) - block;
	err = lakefs_reserve(inode, block, &blocks, mode, &e, &fresh);
	if (err)
		return err;
	ready = lakefs_size_ready(inode, e, block, blocks, pos + length);
	if (ready) {
		lakefs_fill_iomap(inode, iomap, block, blocks,
				  lakefs_write_type(e, flags), e);
		/* what the write does not cover comes from there */
		if (e && e->src) {
			iomap->flags |= IOMAP_F_SHARED;
			lakefs_fill_iomap(inode, srcmap, block, blocks,
					  IOMAP_MAPPED, e);
			lakefs_through_lens(inode, srcmap, e);
		}
		iomap->validity_cookie = li->map_gen;
	}
	mutex_unlock(&li->ext_lock);
	if (!ready) {
		err = lakefs_prepare_size(inode, pos + length);
		if (err)
			return err;
		goto again;
	}
	if (fresh)
		iomap->flags |= IOMAP_F_NEW;
	lakefs_check_valid(iomap);
	return 0;
}

/* A short write: what was got ready and has no dirty page goes back. */
static int lakefs_write_end(struct inode *inode, loff_t pos, loff_t length,
			    ssize_t written, unsigned int flags,
			    struct iomap *iomap)
{
	if (written >= length)
		return 0;
	/* of a part of one block; invalidate_lock may be held */
	if (flags & IOMAP_ZERO) {
		if (iomap->flags & IOMAP_F_SHARED ||
		    iomap->type == IOMAP_MAPPED)
			lakefs_unreserve_block(inode, lakefs_block_of(pos));
		return 0;
	}
	lakefs_unreserve_clean(inode,
			       written ? lakefs_blocks_for(pos + written) :
					 lakefs_block_of(pos),
			       lakefs_blocks_for(pos + length));
	return 0;
}

static const struct iomap_ops lakefs_write_ops = {
	.iomap_begin	= lakefs_write_begin,
	.iomap_end	= lakefs_write_end,
};

ssize_t lakefs_buffered_write(struct kiocb *iocb, struct iov_iter *from)
{
	return lakefs_iomap_buffered_write(iocb, from, &lakefs_write_ops);
}

int lakefs_zero_range(struct inode *inode, loff_t pos, loff_t len)
{
	return lakefs_iomap_zero_range(inode, pos, len, &lakefs_write_ops);
}

int lakefs_unshare_range(struct inode *inode, loff_t pos, loff_t len)
{
	return lakefs_iomap_file_unshare(inode, pos, len, &lakefs_write_ops);
}

/* ---- reports ------------------------------------------------------------- */

loff_t lakefs_seek(struct inode *inode, loff_t pos, int whence)
{
	if (whence == SEEK_HOLE)
		return iomap_seek_hole(inode, pos, &lakefs_read_ops);
	return iomap_seek_data(inode, pos, &lakefs_read_ops);
}

/*
 * The memory of a folio has failed, and what was dirty in it is lost. Nothing
 * may stay reserved without a dirty page (unreserve.c).
 */
#if LAKEFS_KERNEL(6, 8)
static int lakefs_error_remove_folio(struct address_space *mapping,
				     struct folio *folio)
{
	pgoff_t start = folio->index, end = folio_next_index(folio);
	int err = generic_error_remove_folio(mapping, folio);

	if (!err)
		lakefs_unreserve_blocks(mapping->host, start, end);
	return err;
}
#else
static int lakefs_error_remove_page(struct address_space *mapping,
				    struct page *page)
{
	pgoff_t start = page->index;
	int err = generic_error_remove_page(mapping, page);

	if (!err)
		lakefs_unreserve_blocks(mapping->host, start, start + 1);
	return err;
}
#endif

const struct address_space_operations lakefs_aops = {
	.read_folio		= lakefs_read_folio,
	.readahead		= lakefs_readahead,
	.writepages		= lakefs_writepages,
	.dirty_folio		= lakefs_dirty_folio,
	.release_folio		= iomap_release_folio,
	.invalidate_folio	= iomap_invalidate_folio,
	.is_partially_uptodate	= iomap_is_partially_uptodate,
	.migrate_folio		= filemap_migrate_folio,
#if LAKEFS_KERNEL(6, 8)
	.error_remove_folio	= lakefs_error_remove_folio,
#else
	.error_remove_page	= lakefs_error_remove_page,
#endif
};
