// SPDX-License-Identifier: GPL-2.0
/*
 * The lens: a block device of each mount through which CHECKED blocks are
 * read. What iomap reads from it comes from the mount's device and is compared
 * with the checksum table; a block that differs fails the read.
 *
 * It is hidden: no node, no events, no partitions. Its sectors are those of
 * the mount's device with a bit above them, so that iomap, which looks at
 * sectors only, never takes neighbours of the two kinds into one bio. Between
 * the two is the skew: what is read is so many bytes behind what is asked for.
 * With another bit they are places in packs, and between is the packs' span.
 *
 * A bio is cloned for the device (bio set of our own: one clone for each bio,
 * so that reclaim cannot starve it); the table's pages that are not cached are
 * read meanwhile. When both have come the blocks are summed up: a few at once
 * where the device reports them, as another thread costs more than they do;
 * more, and all that needs another look, on a workqueue, where waiting is
 * allowed (look.c). What is packed is read there as well (pack.c); the clone is
 * then only what memory there is for it.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/highmem.h>
#include <linux/iomap.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include "data.h"

#define LAKEFS_SECTORS_BITS	(LAKEFS_BLOCK_BITS - SECTOR_SHIFT)
/* bytes; data lies below the skew: LAKEFS_MAX_DEVICE_BLOCKS */
#define LAKEFS_LENS_SKEW_AT	48
#define LAKEFS_LENS_CHECKED	(1ull << (LAKEFS_LENS_SKEW_AT + LAKEFS_BLOCK_BITS))
/* bytes; places lie below the span */
#define LAKEFS_LENS_SPAN_AT	53
#define LAKEFS_LENS_PACKED	(LAKEFS_LENS_CHECKED << 1)
#define LAKEFS_LENS_SECTORS	(LAKEFS_LENS_PACKED >> (SECTOR_SHIFT - 1))
/* summed up with interrupts off: 512 instructions of crc32c a block */
#define LAKEFS_LENS_AT_ONCE	(16 * LAKEFS_BLOCK_SIZE)

static struct bio_set lakefs_lens_bios;

struct lakefs_lens_io {
	struct work_struct work;
	struct lakefs_sb_info *sbi;
	struct bio *bio;		/* the reader's; its iterator stays */
	u64 start;			/* of it on the device, bytes; or in
					 * packs, of span + 1 blocks each */
	u8 span;
	atomic_t pending;		/* the device, and the table's pages */
	struct bio clone;		/* the last: the bio set's */
};

static void lakefs_lens_end(struct lakefs_lens_io *io, blk_status_t status)
{
	struct bio *bio = io->bio;

	bio_put(&io->clone);
	if (status)
		bio->bi_status = status;
	bio_endio(bio);
}

static void lakefs_lens_look(struct lakefs_lens_io *io)
{
	lakefs_lens_end(io, lakefs_look(io->sbi, io->bio, io->start));
}

/* ---- a few blocks, in the interrupt --------------------------------------- */

/* False when any of it needs a closer look: then nothing has happened. */
static bool lakefs_lens_all_right(struct lakefs_lens_io *io)
{
	u64 block = io->start >> LAKEFS_BLOCK_BITS;
	struct lakefs_sums sums = { };
	struct bvec_iter iter;
	struct bio_vec bv;
	bool right = true;
	char *data;
	u32 sum;

	bio_for_each_segment(bv, io->bio, iter) {
		right = bv.bv_len == LAKEFS_BLOCK_SIZE && !bv.bv_offset &&
			lakefs_sums_peek(io->sbi, block++, &sums, &sum);
		if (!right)
			break;
		data = kmap_local_page(bv.bv_page);
		right = lakefs_crc32c_block(data) == sum;
		kunmap_local(data);
		if (!right)
			break;
	}
	lakefs_sums_put(&sums);
	return right;
}

static bool lakefs_lens_at_once(struct lakefs_lens_io *io)
{
	u32 bytes = io->bio->bi_iter.bi_size;

	if (bytes > LAKEFS_LENS_AT_ONCE || !lakefs_crc32c_is_fast() ||
	    lakefs_look_is_of_parts(io->bio, io->start) || !lakefs_lens_all_right(io))
		return false;
	atomic64_add(bytes >> LAKEFS_BLOCK_BITS, &io->sbi->checked_reads);
	lakefs_lens_end(io, BLK_STS_OK);
	return true;
}

/* ---- the way of a bio ---------------------------------------------------- */

static void lakefs_lens_look_work(struct work_struct *work)
{
	lakefs_lens_look(container_of(work, struct lakefs_lens_io, work));
}

/* One of the two has come; io is the other one's when it has not. */
static bool lakefs_lens_both(struct lakefs_lens_io *io)
{
	return atomic_dec_and_test(&io->pending);
}

/* Errors of the device are those of the bio. They come here, too. */
static void lakefs_lens_arrived(struct lakefs_lens_io *io, bool may_wait)
{
	if (!lakefs_lens_both(io))
		return;
	if (io->clone.bi_status) {
		lakefs_lens_end(io, io->clone.bi_status);
	} else if (may_wait) {
		lakefs_lens_look(io);
	} else if (!lakefs_lens_at_once(io)) {
		INIT_WORK(&io->work, lakefs_lens_look_work);
		queue_work(io->sbi->lens_wq, &io->work);
	}
}

/* The table's pages; whether they can be read the look finds out. */
static void lakefs_lens_fetch_work(struct work_struct *work)
{
	struct lakefs_lens_io *io =
		container_of(work, struct lakefs_lens_io, work);
	u64 block = io->start >> LAKEFS_BLOCK_BITS;
	u64 end = DIV_ROUND_UP_ULL(io->start + io->bio->bi_iter.bi_size,
				   LAKEFS_BLOCK_SIZE);
	unsigned int noio = memalloc_noio_save();
	struct lakefs_sums sums = { };
	u32 sum;

	for (; block < end; block += LAKEFS_SUMS_PER_BLOCK)
		if (lakefs_sums_get(io->sbi, block, &sums, &sum))
			break;
	lakefs_sums_put(&sums);
	memalloc_noio_restore(noio);
	lakefs_lens_arrived(io, true);
}

static void lakefs_lens_end_io(struct bio *clone)
{
	lakefs_lens_arrived(container_of(clone, struct lakefs_lens_io, clone),
			    false);
}

/* Only iomap knows this device, of extents that were looked at: else our bug */
static bool lakefs_lens_range_ok(struct lakefs_sb_info *sbi,
				 const struct lakefs_lens_io *io)
{
	u64 first = io->start >> LAKEFS_BLOCK_BITS;
	u64 end = DIV_ROUND_UP_ULL(io->start + io->bio->bi_iter.bi_size,
				   LAKEFS_BLOCK_SIZE);

	return bio_op(io->bio) == REQ_OP_READ &&
	       lakefs_data_range_ok(sbi, first, end - first);
}

/* The byte of the device that a sector of the lens begins with. */
static u64 lakefs_lens_start(sector_t sector)
{
	u64 at = sector << SECTOR_SHIFT;

	at &= ~LAKEFS_LENS_CHECKED;
	return (at & (BIT_ULL(LAKEFS_LENS_SKEW_AT) - 1)) +
	       (at >> LAKEFS_LENS_SKEW_AT);
}

/* ---- packs --------------------------------------------------------------- */

static void lakefs_lens_unpack_work(struct work_struct *work)
{
	struct lakefs_lens_io *io =
		container_of(work, struct lakefs_lens_io, work);

	lakefs_lens_end(io, lakefs_packs_read(io->sbi, io->bio, io->start,
					      io->span));
}

static bool lakefs_lens_packs_ok(struct lakefs_sb_info *sbi,
				 const struct lakefs_lens_io *io)
{
	u64 first = io->start >> LAKEFS_PACK_BYTES_BITS;
	u64 last = (io->start + io->bio->bi_iter.bi_size - 1) >>
		   LAKEFS_PACK_BYTES_BITS;

	return bio_op(io->bio) == REQ_OP_READ &&
	       lakefs_data_range_ok(sbi, first, last - first + io->span + 1);
}

static void lakefs_lens_unpack(struct lakefs_lens_io *io)
{
	u64 at = io->bio->bi_iter.bi_sector << SECTOR_SHIFT;

	at &= ~LAKEFS_LENS_PACKED;
	io->start = at & (BIT_ULL(LAKEFS_LENS_SPAN_AT) - 1);
	io->span = at >> LAKEFS_LENS_SPAN_AT;
	if (WARN_ON_ONCE(!lakefs_lens_packs_ok(io->sbi, io))) {
		lakefs_lens_end(io, BLK_STS_IOERR);
		return;
	}
	INIT_WORK(&io->work, lakefs_lens_unpack_work);
	queue_work(io->sbi->lens_wq, &io->work);
}

/* ---- what iomap asks ----------------------------------------------------- */

static void lakefs_lens_submit(struct bio *bio)
{
	struct lakefs_sb_info *sbi = bio->bi_bdev->bd_disk->private_data;
	struct lakefs_lens_io *io;
	struct bio *clone;

	clone = bio_alloc_clone(sbi->bdev, bio, GFP_NOIO, &lakefs_lens_bios);
	io = container_of(clone, struct lakefs_lens_io, clone);
	io->sbi = sbi;
	io->bio = bio;
	if (bio->bi_iter.bi_sector & (LAKEFS_LENS_PACKED >> SECTOR_SHIFT)) {
		lakefs_lens_unpack(io);
		return;
	}
	io->start = lakefs_lens_start(bio->bi_iter.bi_sector);
	if (WARN_ON_ONCE(!lakefs_lens_range_ok(sbi, io))) {
		lakefs_lens_end(io, BLK_STS_IOERR);
		return;
	}
	if (lakefs_look_is_of_parts(io->bio, io->start)) {
		atomic_set(&io->pending, 1);
		lakefs_lens_arrived(io, false);
		return;
	}
	clone->bi_iter.bi_sector = io->start >> SECTOR_SHIFT;
	clone->bi_end_io = lakefs_lens_end_io;
	atomic_set(&io->pending, 1);
	if (!lakefs_sums_cached(sbi, io->start >> LAKEFS_BLOCK_BITS)) {
		atomic_set(&io->pending, 2);
		INIT_WORK(&io->work, lakefs_lens_fetch_work);
		queue_work(sbi->lens_wq, &io->work);
	}
	submit_bio_noacct(clone);
}

void lakefs_lens_map(struct lakefs_sb_info *sbi, struct iomap *iomap,
		     const struct lakefs_extent *e)
{
	iomap->bdev = sbi->lens->part0;
	if (e->packed)
		iomap->addr |= LAKEFS_LENS_PACKED |
			       (u64)e->span << LAKEFS_LENS_SPAN_AT;
	else
		iomap->addr |= LAKEFS_LENS_CHECKED |
			       (u64)e->skew << LAKEFS_LENS_SKEW_AT;
}

/* ---- the device ---------------------------------------------------------- */

static const struct block_device_operations lakefs_lens_ops = {
	.owner		= THIS_MODULE,
	.submit_bio	= lakefs_lens_submit,
};

int lakefs_lens_init(struct lakefs_sb_info *sbi)
{
	struct gendisk *disk;
	int err;

	/* lakefs_check_super() has looked */
	BUILD_BUG_ON(LAKEFS_MAX_DEVICE_BLOCKS >
		     1ull << (LAKEFS_LENS_SKEW_AT - LAKEFS_BLOCK_BITS));
	BUILD_BUG_ON(LAKEFS_MAX_DEVICE_BLOCKS >
		     1ull << (LAKEFS_LENS_SPAN_AT - LAKEFS_PACK_BYTES_BITS));
	err = lakefs_sums_init(sbi);
	if (err)
		return err;
	/* as many as there are processors; each look is short */
	sbi->lens_wq = alloc_workqueue("lakefs-lens-%s", WQ_MEM_RECLAIM |
				       WQ_UNBOUND, 0, sbi->name);
	if (!sbi->lens_wq)
		return -ENOMEM;
	disk = lakefs_alloc_disk(sbi->bdev);
	if (IS_ERR(disk))
		return PTR_ERR(disk);
	disk->flags |= GENHD_FL_HIDDEN | GENHD_FL_NO_PART;
	disk->fops = &lakefs_lens_ops;
	disk->private_data = sbi;
	snprintf(disk->disk_name, sizeof(disk->disk_name), "lakefs-%u:%u",
		 MAJOR(sbi->dev), MINOR(sbi->dev));
	set_capacity(disk, LAKEFS_LENS_SECTORS);
	err = add_disk(disk);
	if (err) {
		put_disk(disk);
		return err;
	}
	sbi->lens = disk;
	return 0;
}

/* no inode is left but that of the table; also after an init that failed */
void lakefs_lens_exit(struct lakefs_sb_info *sbi)
{
	if (sbi->lens) {
		del_gendisk(sbi->lens);
		put_disk(sbi->lens);
		sbi->lens = NULL;
	}
	if (sbi->lens_wq)
		destroy_workqueue(sbi->lens_wq);
	sbi->lens_wq = NULL;
	lakefs_packs_exit(sbi);
	lakefs_sums_exit(sbi);
}

int lakefs_lens_bios_init(void)
{
	return bioset_init(&lakefs_lens_bios, BIO_POOL_SIZE,
			   offsetof(struct lakefs_lens_io, clone), 0);
}

void lakefs_lens_bios_exit(void)
{
	bioset_exit(&lakefs_lens_bios);
}
