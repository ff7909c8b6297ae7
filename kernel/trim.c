// SPDX-License-Identifier: GPL-2.0
/*
 * FITRIM: the device forgets what is in free blocks. Only the daemon knows
 * which are free for good; it leases them to us, so that nobody writes there
 * while the device discards them. They are declared to a successor meanwhile.
 */
#include <linux/blkdev.h>
#include <linux/freezer.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "data.h"

#define LAKEFS_TRIM_RANGES	128
#define LAKEFS_TRIM_BLOCKS	65536	/* out of others' reach at a time */

struct lakefs_trim {
	struct {
		struct lakefs_r_return head;
		struct lakefs_range ranges[LAKEFS_TRIM_RANGES];
	} held;				/* as they are given back */
	u64 at, end;
	u64 min_blocks;
	u64 done;			/* blocks */
};

/* The next free ranges, into held, where DECLARE finds them. */
static int lakefs_trim_lease(struct lakefs_sb_info *sbi,
			     struct lakefs_trim *trim)
{
	struct lakefs_r_trim ask = {
		.start = trim->at,
		.end = trim->end,
		.min_blocks = trim->min_blocks,
		.max_blocks = max_t(u64, trim->min_blocks, LAKEFS_TRIM_BLOCKS),
	};
	struct lakefs_answer answer = {
		.reply = trim->held.ranges,
		.reply_max = sizeof(trim->held.ranges),
	};
	u32 count, i;
	int ret;

	/* if it were killed nobody would know of what the daemon gives */
	ret = lakefs_request_unkillable(sbi, &ask, sizeof(ask), LAKEFS_R_TRIM,
					0, &answer);
	if (ret < 0)
		return ret;
	count = ret / sizeof(trim->held.ranges[0]);
	for (i = 0; i < count; i++) {
		struct lakefs_range *range = &trim->held.ranges[i];

		if (range->start < trim->at || range->start >= trim->end ||
		    range->count > trim->end - range->start ||
		    !lakefs_data_range_ok(sbi, range->start, range->count))
			break;
		trim->at = range->start + range->count;
	}
	if (i == count) {
		spin_lock(&sbi->pool_lock);
		sbi->trim_ranges = trim->held.ranges;
		sbi->trim_count = count;
		spin_unlock(&sbi->pool_lock);
	}
	lakefs_lease_settled(sbi);
	if (i < count) {
		lakefs_err(sbi, "bad lease for trimming");
		return -EUCLEAN;
	}
	trim->held.head.count = count;
	return 0;
}

/* Whatever became of them: they go back, or stay leased until unmount. */
static int lakefs_trim_return(struct lakefs_sb_info *sbi,
			      struct lakefs_trim *trim)
{
	u32 count = trim->held.head.count;
	int ret;

	ret = lakefs_request_unkillable(sbi, &trim->held,
			sizeof(trim->held.head) +
			count * sizeof(trim->held.ranges[0]),
			LAKEFS_R_RETURN_BLOCKS, 0, NULL);
	spin_lock(&sbi->pool_lock);
	sbi->trim_ranges = NULL;
	sbi->trim_count = 0;
	spin_unlock(&sbi->pool_lock);
	return ret < 0 ? ret : 0;
}

static int lakefs_trim_discard(struct lakefs_sb_info *sbi,
			       struct lakefs_trim *trim)
{
	const unsigned int shift = LAKEFS_BLOCK_BITS - SECTOR_SHIFT;
	u32 i;
	int err = 0;

	for (i = 0; i < trim->held.head.count && !err; i++) {
		struct lakefs_range *range = &trim->held.ranges[i];

		if (fatal_signal_pending(current) || freezing(current))
			return -EINTR;
		err = blkdev_issue_discard(sbi->bdev, range->start << shift,
					   range->count << shift, GFP_KERNEL);
		if (!err)
			trim->done += range->count;
	}
	return err;
}

static int lakefs_trim_all(struct lakefs_sb_info *sbi,
			   struct lakefs_trim *trim)
{
	int err, end;

	for (;;) {
		if (lakefs_is_shutdown(sbi))
			return -EIO;
		err = lakefs_trim_lease(sbi, trim);
		if (err || !trim->held.head.count)
			return err;
		err = lakefs_trim_discard(sbi, trim);
		end = lakefs_trim_return(sbi, trim);
		if (err || end)
			return err ? err : end;
	}
}

int lakefs_fitrim(struct super_block *sb, struct fstrim_range __user *arg)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(sb);
	u64 device = sbi->disk.device_blocks, start, blocks;
	struct fstrim_range range;
	struct lakefs_trim *trim;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (!bdev_max_discard_sectors(sbi->bdev))
		return -EOPNOTSUPP;
	if (sb_rdonly(sb))
		return -EROFS;
	if (copy_from_user(&range, arg, sizeof(range)))
		return -EFAULT;
	blocks = range.len >> LAKEFS_BLOCK_BITS;
	range.minlen = max_t(u64, range.minlen,
			     bdev_discard_granularity(sbi->bdev));
	/* before start is rounded, which could wrap */
	if (range.start > (device - 1) << LAKEFS_BLOCK_BITS || !blocks ||
	    range.minlen > device << LAKEFS_BLOCK_BITS)
		return -EINVAL;
	start = DIV_ROUND_UP_ULL(range.start, LAKEFS_BLOCK_SIZE);
	trim = kzalloc(sizeof(*trim), GFP_KERNEL);
	if (!trim)
		return -ENOMEM;
	trim->at = start;
	trim->end = blocks > device - start ? device : start + blocks;
	trim->min_blocks = max_t(u64, 1, DIV_ROUND_UP_ULL(range.minlen,
						LAKEFS_BLOCK_SIZE));
	err = mutex_lock_killable(&sbi->trim_lock);
	if (!err) {
		err = lakefs_trim_all(sbi, trim);
		mutex_unlock(&sbi->trim_lock);
	}
	range.len = trim->done << LAKEFS_BLOCK_BITS;
	kfree(trim);
	if (!err && copy_to_user(arg, &range, sizeof(range)))
		err = -EFAULT;
	return err;
}
