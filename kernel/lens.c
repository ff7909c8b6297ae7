// SPDX-License-Identifier: GPL-2.0
/*
 * The lens: a block device of each mount through which CHECKED blocks are
 * read. What iomap reads from it comes from the mount's device and is compared
 * with the checksum table; a block that differs fails the read.
 *
 * It is hidden: no node, no events, no partitions. Its sectors are those of
 * the mount's device with a bit above them, so that iomap, which looks at
 * sectors only, never takes neighbours of the two kinds into one bio.
 *
 * A bio is cloned for the device (bio set of our own: one clone for each bio,
 * so that reclaim cannot starve it); the table's pages that are not cached are
 * read meanwhile. When both have come the blocks are summed up: a few at once
 * where the device reports them, as another thread costs more than they do;
 * more, and all that needs another look, on a workqueue, where waiting is
 * allowed.
 *
 * A block that differs is read again, alone, into a page of our own, and its
 * checksum too: the memory may be a program's, which may have changed it, and
 * the daemon may have written the table anew. Only what differs then is
 * damaged; what does not is copied to where it was wanted. Direct I/O may also
 * ask for parts of blocks: these take that way from the beginning.
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
/* bytes; data lies below it, which lakefs_lens_init() makes sure of */
#define LAKEFS_LENS_CHECKED	(1ull << 59)
#define LAKEFS_LENS_SECTORS	(LAKEFS_LENS_CHECKED >> (SECTOR_SHIFT - 1))
/* summed up with interrupts off: 512 instructions of crc32c a block */
#define LAKEFS_LENS_AT_ONCE	(16 * LAKEFS_BLOCK_SIZE)

static struct bio_set lakefs_lens_bios;

struct lakefs_lens_io {
	struct work_struct work;
	struct lakefs_sb_info *sbi;
	struct bio *bio;		/* the reader's; its iterator stays */
	u64 start;			/* of it on the device, bytes */
	atomic_t pending;		/* the device, and the table's pages */
	struct bio clone;		/* the last: the bio set's */
};

/* the look at one bio's data, on the way through it */
struct lakefs_look {
	struct lakefs_lens_io *io;
	struct lakefs_sums sums;
	struct page *page;		/* for blocks that are read again */
	u64 block;			/* the one that is being summed up */
	u32 have;			/* bytes of it so far */
	u32 crc;			/* of them, not complemented */
	blk_status_t status;
};

/* ---- one block, again ---------------------------------------------------- */

static int lakefs_read_alone(struct lakefs_sb_info *sbi, u64 block,
			     struct page *page)
{
	struct bio *bio = bio_alloc(sbi->bdev, 1, REQ_OP_READ, GFP_NOIO);
	int err;

	bio->bi_iter.bi_sector = block << LAKEFS_SECTORS_BITS;
	__bio_add_page(bio, page, LAKEFS_BLOCK_SIZE, 0);
	err = submit_bio_wait(bio);
	bio_put(bio);
	return err;
}

static u32 lakefs_page_sum(struct page *page)
{
	void *data = kmap_local_page(page);
	u32 sum = lakefs_crc32c_block(data);

	kunmap_local(data);
	return sum;
}

/* what of the block was asked for, to where it was asked for */
static void lakefs_copy_out(struct lakefs_lens_io *io, u64 block,
			    struct page *page)
{
	u64 at = io->start, first = block << LAKEFS_BLOCK_BITS, from, to;
	struct bvec_iter iter;
	struct bio_vec bv;
	char *data = kmap_local_page(page);

	bio_for_each_segment(bv, io->bio, iter) {
		from = max(at, first);
		to = min(at + bv.bv_len, first + LAKEFS_BLOCK_SIZE);
		if (from < to) {
			memcpy_to_page(bv.bv_page, bv.bv_offset + (from - at),
				       data + (from - first), to - from);
			flush_dcache_page(bv.bv_page);
		}
		at += bv.bv_len;
	}
	kunmap_local(data);
}

static void lakefs_damaged(struct lakefs_sb_info *sbi, u64 block, u32 sum,
			   u32 found)
{
	char reason[80];

	atomic64_inc(&sbi->damaged_reads);
	snprintf(reason, sizeof(reason),
		 "block %llu differs from its checksum (%08x, not %08x)",
		 block, found, sum);
	lakefs_err(sbi, "%s", reason);
	lakefs_event_block(sbi, LAKEFS_EV_DAMAGED, -EIO, reason, block);
}

static void lakefs_look_alone(struct lakefs_look *look, u64 block)
{
	struct lakefs_sb_info *sbi = look->io->sbi;
	u32 sum, found;
	int err;

	if (!look->page)
		look->page = alloc_page(GFP_NOIO);
	if (!look->page) {
		look->status = BLK_STS_RESOURCE;
		return;
	}
	err = lakefs_read_alone(sbi, block, look->page);
	if (!err)
		err = lakefs_sums_get(sbi, block, &look->sums, &sum);
	if (err) {
		look->status = errno_to_blk_status(err);
		return;
	}
	found = lakefs_page_sum(look->page);
	if (found != sum) {
		/* written anew, perhaps, since this page of it was read */
		lakefs_sums_put(&look->sums);
		lakefs_sums_forget(sbi, block, 1);
		err = lakefs_sums_get(sbi, block, &look->sums, &sum);
	}
	if (err) {
		look->status = errno_to_blk_status(err);
	} else if (found != sum) {
		lakefs_damaged(sbi, block, sum, found);
		look->status = BLK_STS_IOERR;
	} else {
		lakefs_copy_out(look->io, block, look->page);
	}
}

/* ---- all of a bio -------------------------------------------------------- */

static void lakefs_look_block(struct lakefs_look *look)
{
	u32 sum;
	int err;

	err = lakefs_sums_get(look->io->sbi, look->block, &look->sums, &sum);
	if (err) {
		lakefs_err(look->io->sbi,
			   "cannot read the checksum of block %llu: error %d",
			   look->block, err);
		look->status = errno_to_blk_status(err);
	} else if (look->crc != sum) {
		lakefs_look_alone(look, look->block);
	}
	look->block++;
	look->have = 0;
}

/* n bytes more of the block; data of whole ones is usually aligned */
static void lakefs_look_bytes(struct lakefs_look *look, const void *data,
			      u32 n)
{
	if (n == LAKEFS_BLOCK_SIZE && IS_ALIGNED((unsigned long)data, 8)) {
		look->crc = lakefs_crc32c_block(data);
		look->have = n;
		return;
	}
	look->crc = crc32c(look->have ? look->crc : ~0u, data, n);
	look->have += n;
	if (look->have == LAKEFS_BLOCK_SIZE)
		look->crc = ~look->crc;
}

static void lakefs_look_whole(struct lakefs_look *look)
{
	struct bvec_iter iter;
	struct bio_vec bv;
	u32 at, n;
	char *data;

	look->block = look->io->start >> LAKEFS_BLOCK_BITS;
	bio_for_each_segment(bv, look->io->bio, iter) {
		for (at = 0; at < bv.bv_len; at += n) {
			n = min(bv.bv_len - at, LAKEFS_BLOCK_SIZE - look->have);
			data = kmap_local_page(bv.bv_page);
			lakefs_look_bytes(look, data + bv.bv_offset + at, n);
			kunmap_local(data);
			if (look->have == LAKEFS_BLOCK_SIZE)
				lakefs_look_block(look);
		}
		cond_resched();
	}
}

static void lakefs_look_parts(struct lakefs_look *look)
{
	u64 end = look->io->start + look->io->bio->bi_iter.bi_size;
	u64 block = look->io->start >> LAKEFS_BLOCK_BITS;

	for (; block << LAKEFS_BLOCK_BITS < end; block++)
		lakefs_look_alone(look, block);
}

static bool lakefs_lens_parts(const struct lakefs_lens_io *io)
{
	return !IS_ALIGNED(io->start | io->bio->bi_iter.bi_size,
			   LAKEFS_BLOCK_SIZE);
}

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
	struct lakefs_look look = { .io = io };
	unsigned int noio = memalloc_noio_save();

	atomic64_add(DIV_ROUND_UP(io->bio->bi_iter.bi_size,
				  LAKEFS_BLOCK_SIZE), &io->sbi->checked_reads);
	if (lakefs_lens_parts(io))
		lakefs_look_parts(&look);
	else
		lakefs_look_whole(&look);
	lakefs_sums_put(&look.sums);
	if (look.page)
		__free_page(look.page);
	memalloc_noio_restore(noio);
	lakefs_lens_end(io, look.status);
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
	    lakefs_lens_parts(io) || !lakefs_lens_all_right(io))
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

static void lakefs_lens_submit(struct bio *bio)
{
	struct lakefs_sb_info *sbi = bio->bi_bdev->bd_disk->private_data;
	struct lakefs_lens_io *io;
	struct bio *clone;

	clone = bio_alloc_clone(sbi->bdev, bio, GFP_NOIO, &lakefs_lens_bios);
	io = container_of(clone, struct lakefs_lens_io, clone);
	io->sbi = sbi;
	io->bio = bio;
	io->start = (bio->bi_iter.bi_sector << SECTOR_SHIFT) &
		    ~LAKEFS_LENS_CHECKED;
	if (WARN_ON_ONCE(!lakefs_lens_range_ok(sbi, io))) {
		lakefs_lens_end(io, BLK_STS_IOERR);
		return;
	}
	if (lakefs_lens_parts(io)) {
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

void lakefs_lens_map(struct lakefs_sb_info *sbi, struct iomap *iomap)
{
	iomap->bdev = sbi->lens->part0;
	iomap->addr |= LAKEFS_LENS_CHECKED;
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

	if (sbi->disk.device_blocks >
	    LAKEFS_LENS_CHECKED >> LAKEFS_BLOCK_BITS)
		return -EFBIG;
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
