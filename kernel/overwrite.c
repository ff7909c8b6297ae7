// SPDX-License-Identifier: GPL-2.0
/*
 * Overwriting in place: the daemon is told that its checksums of the blocks
 * do not hold any more.
 *
 * A write notes its blocks in the inode's OVERWRITE record when it makes them
 * ready, before any page is dirty; the record is emitted when writeback maps
 * the first block, so many blocks share one. What was noted before a folio
 * became dirty is emitted before that folio is written, because writeback
 * looks with the folio locked; a later MAP of the same blocks follows it,
 * because it follows the end of that writeback.
 *
 * A file may have several such records, up to LAKEFS_OVER_RECS; then all are
 * emitted. Who writes at random has noted the blocks in that order, and the
 * daemon would look for each of them in another place of its map. So they are
 * put in order first, and each record is of a part of the file. What they say
 * does not depend on their order.
 *
 * The map goes on saying crc = true of the blocks: cutting extents for each
 * block that is written once would make it long. A record of few ranges is of
 * a program that syncs what it writes, over and over to the same place: there
 * the map remembers, so that the next fdatasync has nothing to commit. That is
 * a hint only; said twice of a block is no matter.
 */
#include <linux/bitops.h>
#include <linux/mutex.h>
#include "data.h"

#define LAKEFS_OVER_FEW		4	/* ranges */
#define LAKEFS_OVER_RECS	32	/* 32 KiB for 7 MiB of dirty pages */
#define LAKEFS_OVER_MAX		(LAKEFS_OVER_RECS * LAKEFS_OVERWRITE_MAX)
#define LAKEFS_OVER_BUCKETS	2048	/* a power of two above OVER_MAX */

/* What putting ranges in order needs; inside ext_lock. */
static struct {
	struct mutex lock;
	struct lakefs_range ranges[LAKEFS_OVER_MAX];
	u16 next[LAKEFS_OVER_BUCKETS + 1];
} lakefs_over_sort = {
	.lock = __MUTEX_INITIALIZER(lakefs_over_sort.lock),
};

static struct lakefs_i_overwrite *lakefs_over_entry(struct lakefs_rec *rec)
{
	return (struct lakefs_i_overwrite *)rec->entry.bytes;
}

static struct lakefs_range *lakefs_over_ranges(struct lakefs_rec *rec)
{
	return (struct lakefs_range *)(lakefs_over_entry(rec) + 1);
}

struct lakefs_rec *lakefs_over_alloc(void)
{
	return lakefs_rec_alloc(LAKEFS_I_OVERWRITE,
				sizeof(struct lakefs_i_overwrite) +
				LAKEFS_OVERWRITE_MAX *
				sizeof(struct lakefs_range), GFP_NOFS);
}

/* ranges in the newest record */
static u32 lakefs_over_newest(const struct lakefs_inode_info *li)
{
	return li->over_count - li->over_fulls * LAKEFS_OVERWRITE_MAX;
}

bool lakefs_over_note(struct lakefs_inode_info *li, struct lakefs_extent *e,
		      u64 block, u64 blocks, struct lakefs_rec **spare)
{
	struct lakefs_range *at = NULL;
	u64 end = block + blocks;

	lockdep_assert_held(&li->ext_lock);
	if (li->over)
		at = lakefs_over_ranges(li->over) + lakefs_over_newest(li) - 1;
	if (at && block >= at->start && block <= at->start + at->count) {
		at->count = max(at->count, end - at->start);
	} else {
		if (!li->over ||
		    lakefs_over_newest(li) == LAKEFS_OVERWRITE_MAX) {
			if (!*spare)
				return false;
			if (li->over_fulls == LAKEFS_OVER_RECS - 1) {
				lakefs_over_emit(li, false);
			} else if (li->over) {
				list_add_tail(&li->over->link, &li->over_full);
				li->over_fulls++;
			}
			li->over = *spare;
			*spare = NULL;
		}
		at = lakefs_over_ranges(li->over) + lakefs_over_newest(li);
		*at = (struct lakefs_range){ .start = block, .count = blocks };
		WRITE_ONCE(li->over_count, li->over_count + 1);
	}
	if (block <= e->block && end >= lakefs_ext_end(e)) {
		e->crc = false;
		lakefs_ext_merge(li, e);
	}
	return true;
}

/* how many of count ranges are in the i-th record: all are full but the last */
static u32 lakefs_over_in(u32 count, u32 i)
{
	return min_t(u32, count - i * LAKEFS_OVERWRITE_MAX,
		     LAKEFS_OVERWRITE_MAX);
}

/* How many of the sorted ranges come before each bucket: next[]. Its shift. */
static u32 lakefs_over_count(u32 count, u64 *low)
{
	struct lakefs_range *ranges = lakefs_over_sort.ranges;
	u16 *next = lakefs_over_sort.next;
	u32 i, shift, bits = fls(count);
	u64 high = 0;

	static_assert(LAKEFS_OVER_MAX < LAKEFS_OVER_BUCKETS);
	*low = U64_MAX;
	for (i = 0; i < count; i++) {
		*low = min(*low, ranges[i].start);
		high = max(high, ranges[i].start);
	}
	shift = max_t(u32, fls64(high - *low), bits) - bits;
	memset(next, 0, ((1 << bits) + 1) * sizeof(*next));
	for (i = 0; i < count; i++)
		next[((ranges[i].start - *low) >> shift) + 1]++;
	for (i = 1; i < 1 << bits; i++)
		next[i] += next[i - 1];
	return shift;
}

/*
 * By their first block, as far as that is of use: into as many buckets as
 * there are ranges, or more, within which they stay in the order they had.
 */
static void lakefs_over_order(struct lakefs_rec **recs, u32 count)
{
	struct lakefs_range *ranges = lakefs_over_sort.ranges;
	u32 i, to, shift;
	u64 low;

	mutex_lock(&lakefs_over_sort.lock);
	for (i = 0; i * LAKEFS_OVERWRITE_MAX < count; i++)
		memcpy(ranges + i * LAKEFS_OVERWRITE_MAX,
		       lakefs_over_ranges(recs[i]),
		       lakefs_over_in(count, i) * sizeof(*ranges));
	shift = lakefs_over_count(count, &low);
	for (i = 0; i < count; i++) {
		to = lakefs_over_sort.next[(ranges[i].start - low) >> shift]++;
		lakefs_over_ranges(recs[to / LAKEFS_OVERWRITE_MAX])
			[to % LAKEFS_OVERWRITE_MAX] = ranges[i];
	}
	mutex_unlock(&lakefs_over_sort.lock);
}

/* The daemon has no crcs of the range, and the map says so where it can. */
static void lakefs_over_remember(struct lakefs_inode_info *li,
				 const struct lakefs_range *range)
{
	u64 end = range->start + range->count;
	struct lakefs_extent *e;

	/* two nodes to cut with */
	if (lakefs_bank_deposit(2, GFP_NOWAIT | __GFP_NOWARN))
		return;
	e = lakefs_ext_isolate(li, range->start, end);
	for (; e && e->block < end; e = lakefs_ext_next(e)) {
		if (e->state == LAKEFS_X_WRITTEN)
			e->crc = false;
		e = lakefs_ext_merge(li, e);
	}
	lakefs_bank_withdraw(2);
}

static void lakefs_over_emit_one(struct lakefs_inode_info *li,
				 struct lakefs_rec *rec, u32 count)
{
	lakefs_over_entry(rec)->ino = li->ino;
	lakefs_over_entry(rec)->count = count;
	rec->entry.hdr.len = sizeof(struct lakefs_i_overwrite) +
			     count * sizeof(struct lakefs_range);
	lakefs_map_touch(li,
			 lakefs_rec_emit(LAKEFS_SB(li->vfs_inode.i_sb), rec));
}

void lakefs_over_emit(struct lakefs_inode_info *li, bool remember)
{
	struct lakefs_rec *recs[LAKEFS_OVER_RECS], *rec;
	u32 i, count = li->over_count, n = 0;

	lockdep_assert_held(&li->ext_lock);
	if (!li->over)
		return;
	list_for_each_entry(rec, &li->over_full, link)
		recs[n++] = rec;
	recs[n++] = li->over;
	INIT_LIST_HEAD(&li->over_full);
	if (count > LAKEFS_OVER_FEW)
		lakefs_over_order(recs, count);
	remember &= count <= LAKEFS_OVER_FEW;
	for (i = 0; i < count && remember; i++)
		lakefs_over_remember(li, lakefs_over_ranges(recs[0]) + i);
	for (i = 0; i < n; i++)
		lakefs_over_emit_one(li, recs[i], lakefs_over_in(count, i));
	li->over = NULL;
	li->over_fulls = 0;
	/* pairs with lakefs_over_noted(): who sees none finds all emitted */
	smp_store_release(&li->over_count, 0);
}

void lakefs_over_forget(struct lakefs_inode_info *li)
{
	struct lakefs_rec *rec, *next;

	list_for_each_entry_safe(rec, next, &li->over_full, link)
		lakefs_rec_free(rec);
	INIT_LIST_HEAD(&li->over_full);
	lakefs_rec_free(li->over);
	li->over = NULL;
	li->over_fulls = 0;
	li->over_count = 0;
}
