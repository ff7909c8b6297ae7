// SPDX-License-Identifier: GPL-2.0
/*
 * COMMIT: the daemon's writes to superblock, tickets and WAL of a mounted
 * lake, fenced by its attachment and made durable with one request. Holding
 * commit_sem for reading keeps the attachment from being taken away, and the
 * device from being closed, while the write is in flight.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "ring.h"

#define LAKEFS_COMMIT_MAX	(1u << 20)

/* the control experiment of the power-failure tests: loses data by design */
bool lakefs_unsafe_no_flush;
module_param_named(unsafe_no_flush, lakefs_unsafe_no_flush, bool, 0644);
MODULE_PARM_DESC(unsafe_no_flush,
		 "TESTS ONLY: commit without flushes, losing data on power loss");

int lakefs_flush_device(struct lakefs_sb_info *sbi)
{
	if (READ_ONCE(lakefs_unsafe_no_flush))
		return 0;
	return blkdev_issue_flush(sbi->bdev);
}

static bool lakefs_inside(const struct lakefs_region *region, u64 block,
			  u64 blocks)
{
	return block >= region->start_block && blocks <= region->blocks &&
	       block - region->start_block <= region->blocks - blocks;
}

static bool lakefs_commit_target_ok(const struct lakefs_sb *disk, u64 block,
				    u64 blocks)
{
	const struct lakefs_region copies[] = {
		{ .start_block = LAKEFS_SB_A_BLOCK, .blocks = 1 },
		{ .start_block = disk->device_blocks - 1, .blocks = 1 },
	};

	return lakefs_inside(&disk->wal, block, blocks) ||
	       lakefs_inside(&disk->ticket[0], block, blocks) ||
	       lakefs_inside(&disk->ticket[1], block, blocks) ||
	       lakefs_inside(&copies[0], block, blocks) ||
	       lakefs_inside(&copies[1], block, blocks);
}

static int lakefs_commit_check(struct lakefs_attachment *att,
			       const struct lakefs_commit *arg)
{
	struct lakefs_sb_info *sbi = att->sbi;

	if (att->detached || !sbi->registered)
		return -ESTALE;
	if (lakefs_is_shutdown(sbi))
		return -EIO;
	if (READ_ONCE(att->broken))
		return -EPROTO;
	if (test_bit(LAKEFS_SB_RDONLY_DEV, &sbi->state))
		return -EROFS;
	if (arg->flags || !arg->len || arg->len > LAKEFS_COMMIT_MAX ||
	    !IS_ALIGNED(arg->len, LAKEFS_BLOCK_SIZE) ||
	    !IS_ALIGNED(arg->offset, LAKEFS_BLOCK_SIZE) ||
	    !IS_ALIGNED(arg->addr, PAGE_SIZE))
		return -EINVAL;
	if (!lakefs_commit_target_ok(&sbi->disk,
				     arg->offset >> LAKEFS_BLOCK_BITS,
				     arg->len >> LAKEFS_BLOCK_BITS))
		return -EINVAL;
	/* only what the daemon was sent through this attachment is durable */
	if (arg->durable_seq > (test_bit(LAKEFS_SB_RUNNING, &sbi->state) ?
				smp_load_acquire(&sbi->sent_seq) :
				READ_ONCE(sbi->durable_seq)))
		return -EINVAL;
	return 0;
}

/* one request: len <= 1 MiB is at most BIO_MAX_VECS pages */
static int lakefs_commit_write(struct lakefs_sb_info *sbi, struct page **pages,
			       int n, u64 offset)
{
	blk_opf_t opf = REQ_OP_WRITE | REQ_SYNC | REQ_META;
	struct bio *bio;
	int i, err;

	if (!READ_ONCE(lakefs_unsafe_no_flush))
		opf |= REQ_PREFLUSH | REQ_FUA;
	bio = bio_alloc(sbi->bdev, n, opf, GFP_NOIO);
	bio->bi_iter.bi_sector = offset >> SECTOR_SHIFT;
	for (i = 0; i < n; i++)
		__bio_add_page(bio, pages[i], PAGE_SIZE, 0);
	err = submit_bio_wait(bio);
	bio_put(bio);
	return err;
}

int lakefs_commit(struct lakefs_attachment *att,
		  const struct lakefs_commit *arg)
{
	struct lakefs_sb_info *sbi = att->sbi;
	int n, err, pinned = 0;
	struct page **pages;

	BUILD_BUG_ON(LAKEFS_COMMIT_MAX / PAGE_SIZE > BIO_MAX_VECS);
	down_read(&sbi->commit_sem);
	err = lakefs_commit_check(att, arg);
	if (err)
		goto unlock;
	n = arg->len >> PAGE_SHIFT;
	pages = kmalloc_array(n, sizeof(*pages), GFP_NOIO);
	if (!pages) {
		err = -ENOMEM;
		goto unlock;
	}
	pinned = pin_user_pages_fast(arg->addr, n, 0, pages);
	if (pinned != n)
		err = pinned < 0 ? pinned : -EFAULT;
	else
		err = lakefs_commit_write(sbi, pages, n, arg->offset);
	if (pinned > 0)
		unpin_user_pages(pages, pinned);
	kfree(pages);
	if (err)
		lakefs_err(sbi, "commit of %u bytes at %llu failed: %d",
			   arg->len, arg->offset, err);
	else if (arg->durable_seq > READ_ONCE(sbi->durable_seq))
		lakefs_rec_durable(sbi, arg->durable_seq);
unlock:
	up_read(&sbi->commit_sem);
	return err;
}
