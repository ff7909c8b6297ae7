// SPDX-License-Identifier: GPL-2.0
/*
 * What a successor daemon must be told of the running epoch: leases that its
 * recovered state cannot know, and unlinked inodes that are still alive.
 *
 * I/O completes meanwhile. Blocks move only forward, pool -> taken -> record,
 * and each step enters the next place before it leaves the last one (the
 * first step is one critical section), so looking in that order misses none.
 */
#include "data.h"

struct lakefs_fill {
	struct lakefs_declared *out;	/* may be NULL */
	u64 max;
	u64 count;
};

static void lakefs_fill_one(struct lakefs_fill *fill, u32 kind, u64 start,
			    u64 count)
{
	if (!count)
		return;
	if (fill->out && fill->count < fill->max)
		fill->out[fill->count] = (struct lakefs_declared){
			.start = start,
			.count = count,
			.kind = kind,
		};
	fill->count++;
}

static void lakefs_fill_leases(struct lakefs_sb_info *sbi,
			       struct lakefs_fill *fill)
{
	struct lakefs_extent *e;
	struct rb_node *node;
	u32 i;

	spin_lock(&sbi->pool_lock);
	for (node = rb_first(&sbi->runs); node; node = rb_next(node)) {
		struct lakefs_run *run =
			rb_entry(node, struct lakefs_run, node);

		lakefs_fill_one(fill, LAKEFS_DECLARE_BLOCKS, run->start,
				run->count);
	}
	list_for_each_entry(e, &sbi->taken, taken)
		lakefs_fill_one(fill, LAKEFS_DECLARE_BLOCKS, e->phys,
				e->blocks);
	for (i = 0; i < sbi->trim_count; i++)
		lakefs_fill_one(fill, LAKEFS_DECLARE_BLOCKS,
				sbi->trim_ranges[i].start,
				sbi->trim_ranges[i].count);
	/* whole leases: a create under way has a number but no record yet */
	lakefs_fill_one(fill, LAKEFS_DECLARE_INOS, sbi->ino_old,
			sbi->ino_old_end - sbi->ino_old);
	lakefs_fill_one(fill, LAKEFS_DECLARE_INOS, sbi->ino_start,
			sbi->ino_end - sbi->ino_start);
	spin_unlock(&sbi->pool_lock);
}

static void lakefs_fill_record(struct lakefs_fill *fill,
			       const struct lakefs_rec *rec)
{
	const void *entry = rec->entry.bytes;

	switch (rec->entry.hdr.op) {
	case LAKEFS_I_MAP: {
		const struct lakefs_i_map *map = entry;

		lakefs_fill_one(fill, LAKEFS_DECLARE_BLOCKS, map->phys_block,
				map->blocks);
		break;
	}
	case LAKEFS_I_REMAP: {
		const struct lakefs_i_remap *remap = entry;
		struct lakefs_place place = lakefs_place_of(remap->phys_block,
				remap->blocks, remap->flags);

		lakefs_fill_one(fill, LAKEFS_DECLARE_BLOCKS, place.start,
				place.count);
		break;
	}
	case LAKEFS_I_CREATE: {
		const struct lakefs_i_create *create = entry;

		lakefs_fill_one(fill, LAKEFS_DECLARE_INOS, create->ino, 1);
		break;
	}
	case LAKEFS_I_RENAME: {
		const struct lakefs_i_rename *rename = entry;

		if (rename->flags & LAKEFS_RENAME_WHITEOUT)
			lakefs_fill_one(fill, LAKEFS_DECLARE_INOS,
					rename->whiteout_ino, 1);
		break;
	}
	case LAKEFS_I_RELEASE: {
		const struct lakefs_i_release *release = entry;

		lakefs_fill_one(fill, LAKEFS_DECLARE_ORPHAN, release->ino, 1);
		break;
	}
	}
}

u64 lakefs_declare_fill(struct lakefs_sb_info *sbi, u64 durable_seq,
			struct lakefs_declared *out, u64 max)
{
	struct lakefs_fill fill = { .out = out, .max = max };
	struct lakefs_inode_info *li;
	struct lakefs_rec *rec;

	lakefs_fill_leases(sbi, &fill);

	/* before the records: a release enters them, then leaves this list */
	spin_lock(&sbi->orphan_lock);
	list_for_each_entry(li, &sbi->orphans, orphan_link)
		lakefs_fill_one(&fill, LAKEFS_DECLARE_ORPHAN, li->ino, 1);
	spin_unlock(&sbi->orphan_lock);

	spin_lock(&sbi->rec_lock);
	list_for_each_entry(rec, &sbi->recs, link)
		if (rec->seq > durable_seq)
			lakefs_fill_record(&fill, rec);
	spin_unlock(&sbi->rec_lock);
	return fill.count;
}
