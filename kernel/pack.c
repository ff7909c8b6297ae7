// SPDX-License-Identifier: GPL-2.0
/*
 * Reading packs: blocks of files that are compressed together
 * (docs/on-disk-format.md, "Packed extents"). A read of one comes here through
 * the lens (lens.c), on its workqueue. The pack is read whole and looked at as
 * all checked blocks are (look.c), then decompressed, and what is wanted is
 * copied from there.
 *
 * What that takes of memory is an unpacker: made when all others are in use, up
 * to a few; then who wants one waits. None goes before the mount does, so with
 * the first one there is always a way on. Whoever has one waits for the device
 * only, never for another unpacker.
 *
 * An unpacker keeps the last pack, so that files that lie in it, or parts of
 * one, cost one decompression as long as they are read together. Who wants a
 * pack that another one is just reading waits for that.
 *
 * Why what is kept is still on the device: a pack is written once, and there is
 * no way to its blocks but an extent. They can be given to another pack only
 * when no extent refers to them any more; then a REMAP does, which forgets what
 * is kept of them (remap.c) under the ext_lock under which the first reader
 * finds the new extent. An unpacker in use then is of somebody who reads the
 * old pack, or the same one by another extent: it is forgotten when he is done.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/highmem.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/zstd.h>
#include "data.h"

#if !IS_ENABLED(CONFIG_ZSTD_DECOMPRESS)
#error "lakefs needs a kernel with CONFIG_ZSTD_DECOMPRESS"
#endif

#define LAKEFS_SECTORS_BITS	(LAKEFS_BLOCK_BITS - SECTOR_SHIFT)
#define LAKEFS_PACK_BYTES	(1u << LAKEFS_PACK_BYTES_BITS)
#define LAKEFS_UNPACKERS_MAX	4

struct lakefs_unpacker {
	/* unpack_lock */
	struct list_head link;		/* sbi->unpackers */
	u64 first;			/* the pack's first block; NO_BLOCK */
	u8 span;
	bool busy;
	bool stale;			/* busy, and then to be forgotten */
	/* whoever has it busy; the buffers are of LAKEFS_PACK_BYTES */
	u32 blocks;			/* of content; 0: it is not there */
	zstd_dctx *dctx;		/* in workspace */
	void *workspace;
	void *input;			/* as on the device */
	void *content;
};

/* ---- unpackers ----------------------------------------------------------- */

static void lakefs_unpacker_free(struct lakefs_unpacker *u)
{
	kvfree(u->workspace);
	kvfree(u->input);
	kvfree(u->content);
	kfree(u);
}

static struct lakefs_unpacker *lakefs_unpacker_alloc(void)
{
	const gfp_t gfp = GFP_NOIO | __GFP_NOWARN;
	struct lakefs_unpacker *u = kzalloc(sizeof(*u), gfp);
	size_t bytes = zstd_dctx_workspace_bound();

	if (!u)
		return NULL;
	u->workspace = kvmalloc(bytes, gfp);
	u->input = kvmalloc(LAKEFS_PACK_BYTES, gfp);
	u->content = kvmalloc(LAKEFS_PACK_BYTES, gfp);
	if (u->workspace && u->input && u->content)
		u->dctx = zstd_init_dctx(u->workspace, bytes);
	if (u->dctx)
		return u;
	lakefs_unpacker_free(u);
	return NULL;
}

/* unpack_lock held. The one that has this pack, even if busy; or an idle one */
static struct lakefs_unpacker *
lakefs_unpacker_find(struct lakefs_sb_info *sbi, u64 first, u8 span)
{
	struct lakefs_unpacker *u, *idle = NULL;

	list_for_each_entry(u, &sbi->unpackers, link) {
		if (u->first == first && u->span == span && !u->stale)
			return u;
		if (!u->busy && !idle)
			idle = u;
	}
	return idle;
}

/* unpack_lock held */
static void lakefs_unpacker_use(struct lakefs_unpacker *u, u64 first, u8 span)
{
	u->busy = true;
	if (u->first == first && u->span == span)
		return;
	u->first = first;
	u->span = span;
	u->blocks = 0;
}

/* True: *found is ours, or NULL, and we may make one. */
static bool lakefs_unpacker_try(struct lakefs_sb_info *sbi, u64 first, u8 span,
				bool may_make, struct lakefs_unpacker **found)
{
	u32 max = min_t(u32, num_online_cpus(), LAKEFS_UNPACKERS_MAX);
	struct lakefs_unpacker *u;
	bool done = true;

	spin_lock(&sbi->unpack_lock);
	u = lakefs_unpacker_find(sbi, first, span);
	if (u && !u->busy)
		lakefs_unpacker_use(u, first, span);
	else if (!u && may_make && sbi->unpacker_count < max)
		sbi->unpacker_count++;
	else
		done = false;
	spin_unlock(&sbi->unpack_lock);
	*found = u;
	return done;
}

/* We may. *alone: there is no memory, and no other one to wait for. */
static struct lakefs_unpacker *
lakefs_unpacker_make(struct lakefs_sb_info *sbi, u64 first, u8 span,
		     bool *alone)
{
	struct lakefs_unpacker *u = lakefs_unpacker_alloc();

	spin_lock(&sbi->unpack_lock);
	if (u) {
		u->first = LAKEFS_NO_BLOCK;
		lakefs_unpacker_use(u, first, span);
		list_add_tail(&u->link, &sbi->unpackers);
	} else {
		sbi->unpacker_count--;
		*alone = list_empty(&sbi->unpackers);
	}
	spin_unlock(&sbi->unpack_lock);
	if (!u)
		wake_up_all(&sbi->unpack_wq);
	return u;
}

/* NULL: no memory */
static struct lakefs_unpacker *lakefs_unpacker_get(struct lakefs_sb_info *sbi,
						   u64 first, u8 span)
{
	bool may_make = true, alone = false;
	struct lakefs_unpacker *u;

	do {
		wait_event(sbi->unpack_wq,
			   lakefs_unpacker_try(sbi, first, span, may_make, &u));
		if (!u)
			u = lakefs_unpacker_make(sbi, first, span, &alone);
		may_make = false;
	} while (!u && !alone);
	return u;
}

static void lakefs_unpacker_put(struct lakefs_sb_info *sbi,
				struct lakefs_unpacker *u)
{
	spin_lock(&sbi->unpack_lock);
	if (!u->blocks || u->stale)
		u->first = LAKEFS_NO_BLOCK;
	u->busy = false;
	u->stale = false;
	list_move_tail(&u->link, &sbi->unpackers);
	spin_unlock(&sbi->unpack_lock);
	wake_up_all(&sbi->unpack_wq);
}

/* ---- one pack ------------------------------------------------------------ */

static void lakefs_pack_damaged(struct lakefs_sb_info *sbi, u64 first,
				const char *fault)
{
	char reason[80];

	atomic64_inc(&sbi->damaged_reads);
	snprintf(reason, sizeof(reason), "the pack at block %llu %s", first,
		 fault);
	lakefs_err(sbi, "%s", reason);
	lakefs_event_block(sbi, LAKEFS_EV_DAMAGED, -EIO, reason, first);
}

static struct page *lakefs_buffer_page(void *at)
{
	return is_vmalloc_addr(at) ? vmalloc_to_page(at) : virt_to_page(at);
}

/* All of its blocks, as they are on the device; their checksums are right. */
static blk_status_t lakefs_pack_fetch(struct lakefs_sb_info *sbi,
				      struct lakefs_unpacker *u)
{
	u32 i, n = u->span + 1;
	struct bvec_iter whole;
	blk_status_t status;
	struct bio *bio;

	bio = bio_alloc(sbi->bdev, n, REQ_OP_READ, GFP_NOIO);
	bio->bi_iter.bi_sector = u->first << LAKEFS_SECTORS_BITS;
	for (i = 0; i < n; i++)
		__bio_add_page(bio, lakefs_buffer_page(u->input +
						       i * LAKEFS_BLOCK_SIZE),
			       LAKEFS_BLOCK_SIZE, 0);
	whole = bio->bi_iter;
	status = errno_to_blk_status(submit_bio_wait(bio));
	bio->bi_iter = whole;
	if (!status)
		status = lakefs_look(sbi, bio, u->first << LAKEFS_BLOCK_BITS);
	bio_put(bio);
	return status;
}

/* What is wrong with it; NULL: it is decompressed. */
static const char *lakefs_pack_open(struct lakefs_unpacker *u)
{
	u32 room = (u->span + 1) * LAKEFS_BLOCK_SIZE;
	const struct lakefs_pack *head = u->input;
	const void *frame = head + 1;
	zstd_frame_header params;
	size_t bytes;

	if (head->magic != LAKEFS_PACK_MAGIC)
		return "has no header";
	if (head->algorithm != LAKEFS_PACK_ZSTD)
		return "is of an unknown kind";
	if (!head->blocks || head->blocks > LAKEFS_PACK_BLOCKS ||
	    head->bytes > room - sizeof(*head))
		return "has an impossible header";
	bytes = (size_t)head->blocks << LAKEFS_BLOCK_BITS;
	if (zstd_find_frame_compressed_size(frame, head->bytes) !=
	    head->bytes)
		return "is not one whole frame";
	if (zstd_get_frame_header(&params, frame, head->bytes) ||
	    params.frameContentSize != bytes)
		return "does not have the size it says";
	if (zstd_decompress_dctx(u->dctx, u->content, bytes, frame,
				 head->bytes) != bytes)
		return "cannot be decompressed";
	u->blocks = head->blocks;
	return NULL;
}

/* Blocks [0, count) of the content are there. */
static blk_status_t lakefs_pack_load(struct lakefs_sb_info *sbi,
				     struct lakefs_unpacker *u, u32 count)
{
	const char *fault = NULL;
	blk_status_t status;

	if (!u->blocks) {
		status = lakefs_pack_fetch(sbi, u);
		if (status)
			return status;
		fault = lakefs_pack_open(u);
		if (!fault)
			atomic64_inc(&sbi->packed_reads);
	}
	if (!fault && count > u->blocks)
		fault = "has less blocks than are said to be in it";
	if (!fault)
		return BLK_STS_OK;
	lakefs_pack_damaged(sbi, u->first, fault);
	return BLK_STS_IOERR;
}

/* ---- a bio --------------------------------------------------------------- */

/* The content, that has place base, to where [from, to) of it is wanted. */
static void lakefs_pack_copy(struct bio *bio, u64 start, const void *content,
			     u64 base, u64 from, u64 to)
{
	u64 at = start, lo, hi;
	struct bvec_iter iter;
	struct bio_vec bv;

	bio_for_each_segment(bv, bio, iter) {
		lo = max(at, from);
		hi = min(at + bv.bv_len, to);
		if (lo < hi) {
			memcpy_to_page(bv.bv_page, bv.bv_offset + (lo - at),
				       content + (lo - base), hi - lo);
			flush_dcache_page(bv.bv_page);
		}
		at += bv.bv_len;
	}
}

static blk_status_t lakefs_pack_read(struct lakefs_sb_info *sbi,
				     struct bio *bio, u64 start, u64 from,
				     u64 to, u8 span)
{
	u64 first = from >> LAKEFS_PACK_BYTES_BITS;
	u64 base = first << LAKEFS_PACK_BYTES_BITS;
	struct lakefs_unpacker *u = lakefs_unpacker_get(sbi, first, span);
	blk_status_t status;

	if (!u)
		return BLK_STS_RESOURCE;
	status = lakefs_pack_load(sbi, u, lakefs_blocks_for(to - base));
	if (!status)
		lakefs_pack_copy(bio, start, u->content, base, from, to);
	lakefs_unpacker_put(sbi, u);
	return status;
}

/* Places of full packs of one block each, side by side, follow each other. */
blk_status_t lakefs_packs_read(struct lakefs_sb_info *sbi, struct bio *bio,
			       u64 start, u8 span)
{
	u64 end = start + bio->bi_iter.bi_size, at, next;
	unsigned int noio = memalloc_noio_save();
	blk_status_t status = BLK_STS_OK;

	for (at = start; at < end && !status; at = next) {
		next = min_t(u64, end, round_down(at, LAKEFS_PACK_BYTES) +
				       LAKEFS_PACK_BYTES);
		status = lakefs_pack_read(sbi, bio, start, at, next, span);
		cond_resched();
	}
	memalloc_noio_restore(noio);
	return status;
}

/* ---- the mount ----------------------------------------------------------- */

void lakefs_packs_forget(struct lakefs_sb_info *sbi, u64 block, u64 blocks)
{
	struct lakefs_unpacker *u;

	spin_lock(&sbi->unpack_lock);
	list_for_each_entry(u, &sbi->unpackers, link) {
		if (u->first == LAKEFS_NO_BLOCK || u->first >= block + blocks ||
		    block > u->first + u->span)
			continue;
		if (u->busy)
			u->stale = true;
		else
			u->first = LAKEFS_NO_BLOCK;
	}
	spin_unlock(&sbi->unpack_lock);
	wake_up_all(&sbi->unpack_wq);
}

void lakefs_packs_init(struct lakefs_sb_info *sbi)
{
	spin_lock_init(&sbi->unpack_lock);
	INIT_LIST_HEAD(&sbi->unpackers);
	init_waitqueue_head(&sbi->unpack_wq);
}

/* nobody reads any more */
void lakefs_packs_exit(struct lakefs_sb_info *sbi)
{
	struct lakefs_unpacker *u, *next;

	list_for_each_entry_safe(u, next, &sbi->unpackers, link)
		lakefs_unpacker_free(u);
	INIT_LIST_HEAD(&sbi->unpackers);
	sbi->unpacker_count = 0;
}
