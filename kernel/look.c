// SPDX-License-Identifier: GPL-2.0
/*
 * The look at what came through the lens (lens.c): each block is compared with
 * the checksum table.
 *
 * A block that differs is read again, alone, into a page of our own, and its
 * checksum too: the memory may be a program's, which may have changed it, and
 * the daemon may have written the table anew. Only what differs then is
 * damaged; what does not is copied to where it was wanted.
 *
 * Direct I/O may also ask for parts of blocks, and what is skewed begins and
 * ends within some. That is read as whole blocks into pages of our own, a run
 * of them at a time, and copied from there.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include "data.h"

#define LAKEFS_SECTORS_BITS	(LAKEFS_BLOCK_BITS - SECTOR_SHIFT)
/* blocks of a run; its pages are allocated where memory may be short */
#define LAKEFS_LOOK_RUN		32

/* the look at one bio's data, on the way through it */
struct lakefs_look {
	struct lakefs_sb_info *sbi;
	struct bio *bio;		/* the reader's; its iterator stays */
	u64 start;			/* of it on the device, bytes */
	struct lakefs_sums sums;
	struct page *page;		/* for blocks that are read again */
	struct page *run[LAKEFS_LOOK_RUN];
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

/* what of the blocks was asked for, to where it was asked for */
static void lakefs_copy_out(struct lakefs_look *look, u64 block,
			    struct page **pages, u32 count)
{
	u64 at = look->start, first = block << LAKEFS_BLOCK_BITS;
	u64 last = first + ((u64)count << LAKEFS_BLOCK_BITS), from, to;
	struct bvec_iter iter;
	struct bio_vec bv;
	u32 within, n;
	char *data;

	bio_for_each_segment(bv, look->bio, iter) {
		from = max(at, first);
		to = min(at + bv.bv_len, last);
		for (; from < to; from += n) {
			within = from & (LAKEFS_BLOCK_SIZE - 1);
			n = min_t(u64, to - from, LAKEFS_BLOCK_SIZE - within);
			data = kmap_local_page(pages[(from - first) >>
						     LAKEFS_BLOCK_BITS]);
			memcpy_to_page(bv.bv_page, bv.bv_offset + (from - at),
				       data + within, n);
			kunmap_local(data);
			flush_dcache_page(bv.bv_page);
		}
		at += bv.bv_len;
	}
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
	struct lakefs_sb_info *sbi = look->sbi;
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
		lakefs_copy_out(look, block, &look->page, 1);
	}
}

/* ---- all of a bio -------------------------------------------------------- */

static void lakefs_look_block(struct lakefs_look *look)
{
	u32 sum;
	int err;

	err = lakefs_sums_get(look->sbi, look->block, &look->sums, &sum);
	if (err) {
		lakefs_err(look->sbi,
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

	look->block = look->start >> LAKEFS_BLOCK_BITS;
	bio_for_each_segment(bv, look->bio, iter) {
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

/* ---- parts of blocks ------------------------------------------------------ */

/* Reads a run as far as there are pages; how many blocks, 0: see each alone. */
static u32 lakefs_read_run(struct lakefs_look *look, u64 block, u32 count)
{
	struct bio *bio;
	u32 n;
	int err;

	for (n = 0; n < count; n++) {
		if (!look->run[n])
			look->run[n] = alloc_page(GFP_NOIO | __GFP_NOWARN |
						  __GFP_NORETRY);
		if (!look->run[n])
			break;
	}
	if (n < 2)
		return 0;
	bio = bio_alloc(look->sbi->bdev, n, REQ_OP_READ, GFP_NOIO);
	bio->bi_iter.bi_sector = block << LAKEFS_SECTORS_BITS;
	for (count = 0; count < n; count++)
		__bio_add_page(bio, look->run[count], LAKEFS_BLOCK_SIZE, 0);
	err = submit_bio_wait(bio);
	bio_put(bio);
	return err ? 0 : n;
}

/* What of a run is right is given out; what is not, looked at alone. */
static void lakefs_look_run(struct lakefs_look *look, u64 block, u32 count)
{
	u32 i, from = 0, sum;
	bool right;

	for (i = 0; i < count; i++) {
		right = !lakefs_sums_get(look->sbi, block + i, &look->sums,
					 &sum) &&
			lakefs_page_sum(look->run[i]) == sum;
		if (right)
			continue;
		lakefs_copy_out(look, block + from, look->run + from,
				i - from);
		lakefs_look_alone(look, block + i);
		from = i + 1;
	}
	lakefs_copy_out(look, block + from, look->run + from, count - from);
}

static void lakefs_look_parts(struct lakefs_look *look)
{
	u64 end = DIV_ROUND_UP_ULL(look->start +
				   look->bio->bi_iter.bi_size,
				   LAKEFS_BLOCK_SIZE);
	u64 block = look->start >> LAKEFS_BLOCK_BITS;
	u32 i, n;

	for (; block < end; block += n) {
		n = lakefs_read_run(look, block, min_t(u64, end - block,
						       LAKEFS_LOOK_RUN));
		if (n) {
			lakefs_look_run(look, block, n);
		} else {
			lakefs_look_alone(look, block);
			n = 1;
		}
		cond_resched();
	}
	for (i = 0; i < LAKEFS_LOOK_RUN && look->run[i]; i++)
		__free_page(look->run[i]);
}

/* ---- the whole of it ------------------------------------------------------ */

bool lakefs_look_is_of_parts(const struct bio *bio, u64 start)
{
	return !IS_ALIGNED(start | bio->bi_iter.bi_size, LAKEFS_BLOCK_SIZE);
}

blk_status_t lakefs_look(struct lakefs_sb_info *sbi, struct bio *bio, u64 start)
{
	struct lakefs_look look = { .sbi = sbi, .bio = bio, .start = start };
	unsigned int noio = memalloc_noio_save();

	atomic64_add(DIV_ROUND_UP(bio->bi_iter.bi_size, LAKEFS_BLOCK_SIZE),
		     &sbi->checked_reads);
	if (lakefs_look_is_of_parts(bio, start))
		lakefs_look_parts(&look);
	else
		lakefs_look_whole(&look);
	lakefs_sums_put(&look.sums);
	if (look.page)
		__free_page(look.page);
	memalloc_noio_restore(noio);
	return look.status;
}
