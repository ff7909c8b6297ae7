// SPDX-License-Identifier: GPL-2.0
/*
 * The checksum table: one crc32c for each block of the data region, in a
 * region of its own (docs/on-disk-format.md). Read through the page cache of
 * an inode that has no name and no number; a page of it covers 4 MiB of data.
 *
 * The daemon writes the table, past this cache, and then says CHECKED: pages
 * that are here then go (lakefs_sums_forget) before the first read is compared
 * with what it wrote. A page read meanwhile has the other entries as they
 * were: writing a page leaves those of CHECKED blocks what they are.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/pagemap.h>
#include "data.h"

static u64 lakefs_sums_index(struct lakefs_sb_info *sbi, u64 block)
{
	return (block - sbi->disk.data.start_block) / LAKEFS_SUMS_PER_BLOCK;
}

/* It waits for the device: this is for worker threads, which may. */
static int lakefs_sums_read_folio(struct file *file, struct folio *folio)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(folio->mapping->host->i_sb);
	u64 block = sbi->disk.sums.start_block + folio->index;
	struct bio *bio;
	int err;

	bio = bio_alloc(sbi->bdev, 1, REQ_OP_READ | REQ_META, GFP_NOFS);
	bio->bi_iter.bi_sector = block << (LAKEFS_BLOCK_BITS - SECTOR_SHIFT);
	__bio_add_page(bio, folio_page(folio, 0), LAKEFS_BLOCK_SIZE, 0);
	err = submit_bio_wait(bio);
	bio_put(bio);
	if (!err)
		folio_mark_uptodate(folio);
	folio_unlock(folio);
	return err;
}

static const struct address_space_operations lakefs_sums_aops = {
	.read_folio = lakefs_sums_read_folio,
};

int lakefs_sums_init(struct lakefs_sb_info *sbi)
{
	struct inode *inode = new_inode(sbi->sb);

	BUILD_BUG_ON(PAGE_SIZE != LAKEFS_BLOCK_SIZE);
	BUILD_BUG_ON(LAKEFS_SUMS_PER_BLOCK * sizeof(u32) != LAKEFS_BLOCK_SIZE);
	if (!inode)
		return -ENOMEM;
	inode->i_mode = S_IFREG;
	inode->i_mapping->a_ops = &lakefs_sums_aops;
	mapping_set_gfp_mask(inode->i_mapping, GFP_NOFS);
	i_size_write(inode, sbi->disk.sums.blocks << LAKEFS_BLOCK_BITS);
	sbi->sums = inode;
	return 0;
}

void lakefs_sums_exit(struct lakefs_sb_info *sbi)
{
	iput(sbi->sums);
	sbi->sums = NULL;
}

bool lakefs_sums_cached(struct lakefs_sb_info *sbi, u64 block)
{
	struct folio *folio = filemap_get_folio(sbi->sums->i_mapping,
						lakefs_sums_index(sbi, block));
	bool cached;

	if (IS_ERR_OR_NULL(folio))
		return false;
	cached = folio_test_uptodate(folio);
	folio_put(folio);
	return cached;
}

static u32 lakefs_sums_entry(struct lakefs_sb_info *sbi, u64 block,
			     const struct lakefs_sums *held)
{
	u64 entry = (block - sbi->disk.data.start_block) %
		    LAKEFS_SUMS_PER_BLOCK;
	__le32 *entries = kmap_local_folio(held->folio, 0);
	u32 sum = le32_to_cpu(entries[entry]);

	kunmap_local(entries);
	return sum;
}

static void lakefs_sums_hold(struct lakefs_sums *held, struct folio *folio,
			     u64 index)
{
	lakefs_sums_put(held);
	held->folio = folio;
	held->index = index;
}

int lakefs_sums_get(struct lakefs_sb_info *sbi, u64 block,
		    struct lakefs_sums *held, u32 *sum)
{
	u64 index = lakefs_sums_index(sbi, block);

	if (!held->folio || held->index != index) {
		struct folio *folio = read_mapping_folio(sbi->sums->i_mapping,
							 index, NULL);

		if (IS_ERR(folio))
			return PTR_ERR(folio);
		lakefs_sums_hold(held, folio, index);
	}
	*sum = lakefs_sums_entry(sbi, block, held);
	return 0;
}

bool lakefs_sums_peek(struct lakefs_sb_info *sbi, u64 block,
		      struct lakefs_sums *held, u32 *sum)
{
	u64 index = lakefs_sums_index(sbi, block);

	if (!held->folio || held->index != index) {
		struct folio *folio = filemap_get_folio(sbi->sums->i_mapping,
							index);

		if (IS_ERR_OR_NULL(folio))
			return false;
		lakefs_sums_hold(held, folio, index);
		if (!folio_test_uptodate(folio)) {
			lakefs_sums_put(held);
			return false;
		}
	}
	*sum = lakefs_sums_entry(sbi, block, held);
	return true;
}

void lakefs_sums_put(struct lakefs_sums *held)
{
	if (held->folio)
		folio_put(held->folio);
	held->folio = NULL;
}

int lakefs_sums_forget(struct lakefs_sb_info *sbi, u64 block, u64 blocks)
{
	return invalidate_inode_pages2_range(sbi->sums->i_mapping,
			lakefs_sums_index(sbi, block),
			lakefs_sums_index(sbi, block + blocks - 1));
}
