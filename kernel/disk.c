// SPDX-License-Identifier: GPL-2.0
/*
 * The superblock: reading both copies, checking them, choosing one, and
 * saying in a person's words why a device cannot be mounted.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/slab.h>
#include "lakefs.h"

enum lakefs_sb_fault {
	LAKEFS_SB_OK,
	LAKEFS_SB_UNREADABLE,
	LAKEFS_SB_FOREIGN,		/* no magic */
	LAKEFS_SB_CORRUPT,		/* checksum */
};

struct lakefs_sb_copy {
	struct lakefs_sb *sb;
	u64 block;
	enum lakefs_sb_fault fault;
};

/* past the block device's page cache: the daemon writes past it, too */
static int lakefs_read_block(struct block_device *bdev, u64 block, void *buf)
{
	struct bio *bio = bio_alloc(bdev, 1, REQ_OP_READ | REQ_META,
				    GFP_KERNEL);
	int err;

	bio->bi_iter.bi_sector = block << (LAKEFS_BLOCK_BITS - SECTOR_SHIFT);
	__bio_add_page(bio, virt_to_page(buf), LAKEFS_BLOCK_SIZE,
		       offset_in_page(buf));
	err = submit_bio_wait(bio);
	bio_put(bio);
	return err;
}

static bool lakefs_sb_sum_ok(struct lakefs_sb *sb)
{
	u32 sum = sb->crc32c;
	bool ok;

	sb->crc32c = 0;
	ok = lakefs_crc32c(sb, sizeof(*sb)) == sum;
	sb->crc32c = sum;
	return ok;
}

static void lakefs_read_copy(struct block_device *bdev,
			     struct lakefs_sb_copy *copy, u64 block)
{
	copy->block = block;
	if (lakefs_read_block(bdev, block, copy->sb))
		copy->fault = LAKEFS_SB_UNREADABLE;
	else if (copy->sb->magic != LAKEFS_SB_MAGIC)
		copy->fault = LAKEFS_SB_FOREIGN;
	else if (!lakefs_sb_sum_ok(copy->sb))
		copy->fault = LAKEFS_SB_CORRUPT;
	else
		copy->fault = LAKEFS_SB_OK;
}

static bool lakefs_region_ok(const struct lakefs_sb *sb,
			     const struct lakefs_region *r)
{
	return r->start_block > LAKEFS_SB_A_BLOCK && r->blocks &&
	       r->blocks < sb->device_blocks &&
	       r->start_block < sb->device_blocks - r->blocks;
}

static bool lakefs_regions_overlap(const struct lakefs_region *a,
				   const struct lakefs_region *b)
{
	return a->start_block < b->start_block + b->blocks &&
	       b->start_block < a->start_block + a->blocks;
}

static bool lakefs_geometry_ok(const struct lakefs_sb *sb)
{
	const struct lakefs_region *r[] = {
		&sb->ticket[0], &sb->ticket[1], &sb->wal, &sb->index[0],
		&sb->index[1], &sb->pages, &sb->sums, &sb->anchors, &sb->data,
	};
	int i, j;

	for (i = 0; i < ARRAY_SIZE(r); i++) {
		if (!lakefs_region_ok(sb, r[i]))
			return false;
		for (j = 0; j < i; j++)
			if (lakefs_regions_overlap(r[i], r[j]))
				return false;
	}
	return sb->sums.blocks >= DIV_ROUND_UP_ULL(sb->data.blocks,
						   LAKEFS_SUMS_PER_BLOCK);
}

/* a whole superblock: can this module mount it? */
static int lakefs_check_super(struct fs_context *fc,
			      const struct lakefs_sb *sb, u64 bdev_blocks)
{
	u64 unknown = sb->incompat & ~LAKEFS_INCOMPAT_KNOWN;

	if (sb->format_version != LAKEFS_FORMAT_VERSION) {
		errorfc(fc, "the device has format version %u, this module knows %u",
			sb->format_version, LAKEFS_FORMAT_VERSION);
		return -EINVAL;
	}
	if (unknown) {
		errorfc(fc, "the device uses features this module does not know (incompat 0x%llx)",
			unknown);
		return -EINVAL;
	}
	if (!(fc->sb_flags & SB_RDONLY) &&
	    (sb->ro_compat & ~LAKEFS_RO_COMPAT_KNOWN)) {
		errorfc(fc, "the device uses features this module can only read (ro_compat 0x%llx): mount it read-only",
			sb->ro_compat & ~LAKEFS_RO_COMPAT_KNOWN);
		return -EROFS;
	}
	if (sb->block_size != LAKEFS_BLOCK_SIZE) {
		errorfc(fc, "block size %u is not supported, only %u",
			sb->block_size, LAKEFS_BLOCK_SIZE);
		return -EINVAL;
	}
	if (sb->device_blocks > bdev_blocks) {
		errorfc(fc, "the device is truncated: it has %llu blocks of %u bytes, the lake was made on %llu",
			bdev_blocks, LAKEFS_BLOCK_SIZE, sb->device_blocks);
		return -EINVAL;
	}
	if (sb->device_blocks < LAKEFS_MIN_DEVICE_BLOCKS ||
	    sb->device_blocks > LAKEFS_MAX_DEVICE_BLOCKS ||
	    !lakefs_geometry_ok(sb)) {
		errorfc(fc, "the superblock's layout is impossible");
		return -EUCLEAN;
	}
	return 0;
}

/* neither copy is whole */
static int lakefs_no_super(struct fs_context *fc,
			   const struct lakefs_sb_copy *a,
			   const struct lakefs_sb_copy *b)
{
	if (a->fault == LAKEFS_SB_CORRUPT || b->fault == LAKEFS_SB_CORRUPT) {
		errorfc(fc, "both superblocks are damaged (bad checksum or missing); 'lakectl verify' tells more");
		return -EUCLEAN;
	}
	if (a->fault == LAKEFS_SB_UNREADABLE) {
		errorfc(fc, "the superblock cannot be read");
		return -EIO;
	}
	errorfc(fc, "not a DeepLake device (no superblock found)");
	return -EINVAL;
}

static int lakefs_choose_super(struct fs_context *fc,
			       struct lakefs_sb_info *sbi,
			       struct lakefs_sb_copy *a,
			       struct lakefs_sb_copy *b, u64 bdev_blocks)
{
	struct lakefs_sb_copy *best;
	int err;

	lakefs_read_copy(sbi->bdev, a, LAKEFS_SB_A_BLOCK);
	if (a->fault == LAKEFS_SB_OK && a->sb->device_blocks > bdev_blocks)
		return lakefs_check_super(fc, a->sb, bdev_blocks);
	/* the device may have grown since: trust A about B's place */
	lakefs_read_copy(sbi->bdev, b, a->fault == LAKEFS_SB_OK &&
			 a->sb->device_blocks > LAKEFS_SB_A_BLOCK + 1 ?
			 a->sb->device_blocks - 1 : bdev_blocks - 1);
	if (a->fault != LAKEFS_SB_OK && b->fault != LAKEFS_SB_OK)
		return lakefs_no_super(fc, a, b);
	if (a->fault == LAKEFS_SB_OK && b->fault == LAKEFS_SB_OK) {
		if (memcmp(a->sb->uuid, b->sb->uuid, sizeof(a->sb->uuid)))
			best = a;	/* B is of an older lake */
		else
			best = a->sb->generation > b->sb->generation ? a : b;
	} else {
		best = a->fault == LAKEFS_SB_OK ? a : b;
		lakefs_warn(sbi, "the superblock in block %llu is damaged, using the copy in block %llu",
			    best == a ? b->block : a->block, best->block);
	}
	err = lakefs_check_super(fc, best->sb, bdev_blocks);
	if (!err)
		sbi->disk = *best->sb;
	return err;
}

int lakefs_read_super(struct fs_context *fc, struct lakefs_sb_info *sbi)
{
	u64 bdev_blocks = bdev_nr_bytes(sbi->bdev) >> LAKEFS_BLOCK_BITS;
	struct lakefs_sb_copy a = { }, b = { };
	int err = -ENOMEM;

	if (bdev_blocks <= LAKEFS_SB_A_BLOCK + 1) {
		errorfc(fc, "the device is too small to be a DeepLake device");
		return -EINVAL;
	}
	/* whole pages, so that they are aligned for any device */
	a.sb = (void *)__get_free_page(GFP_KERNEL);
	b.sb = (void *)__get_free_page(GFP_KERNEL);
	if (a.sb && b.sb)
		err = lakefs_choose_super(fc, sbi, &a, &b, bdev_blocks);
	free_page((unsigned long)a.sb);
	free_page((unsigned long)b.sb);
	return err;
}
