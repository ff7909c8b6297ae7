// SPDX-License-Identifier: GPL-2.0
/*
 * fallocate's COLLAPSE_RANGE and INSERT_RANGE: what a file has behind a place
 * moves towards its beginning, or away from it. Extents get other file blocks,
 * here and in the daemon (SHIFT); no data is touched and no block changes
 * hands.
 *
 * - i_rwsem and invalidate_lock are held exclusively, and direct I/O was
 *   waited for. Everything behind the place is written back, its pages are
 *   gone and what was reserved for pages that never came to be is given back:
 *   what is left there is UNWRITTEN or WRITTEN and known to the daemon.
 * - A record moves a bounded number of blocks, so a long file takes several:
 *   from the place on when they go down, from the end on when they go up, so
 *   that each finds a hole where it goes to. Each is recorded in one section
 *   with the change of the map. Who is killed in between, or a crash, leaves
 *   the rest unmoved, with a hole before or behind it.
 * - All of it is durable before anything may be written there again. Written
 *   in place earlier, a moved block would show the new bytes where the map
 *   that a crash brings back has it.
 * - A block clipped by truncate is known by its place in the file
 *   (tail_block): that truncate is made durable first, and forgotten.
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/pagemap.h>
#include "data.h"

/* What of the file is mapped in [from, end) moves; end comes down with up. */
struct lakefs_shift {
	struct inode *inode;
	u64 from;
	u64 end;
	u64 distance;
	bool up;
	loff_t size;			/* with the last record; 0: none */
};

/* one record's part of it */
struct lakefs_shift_part {
	u64 start;
	u64 end;
	u64 mapped;
	bool last;
};

/* ---- one step; ext_lock held --------------------------------------------- */

/* The extents from s->from on, in order, as many as one record takes. */
static void lakefs_shift_pick_down(const struct lakefs_shift *s,
				   struct lakefs_shift_part *part)
{
	struct lakefs_inode_info *li = LAKEFS_I(s->inode);
	struct lakefs_extent *e = lakefs_ext_find(li, s->from);
	u64 n;

	part->start = e ? max(e->block, s->from) : s->from;
	part->end = part->start;
	while (e && part->mapped < LAKEFS_CLONE_BLOCKS_MAX) {
		part->end = max(part->end, e->block);
		n = min(lakefs_ext_end(e) - part->end,
			LAKEFS_CLONE_BLOCKS_MAX - part->mapped);
		part->mapped += n;
		part->end += n;
		if (part->end == lakefs_ext_end(e))
			e = lakefs_ext_next(e);
	}
	part->last = !e;
}

/* The same from s->end on, backwards. */
static void lakefs_shift_pick_up(const struct lakefs_shift *s,
				 struct lakefs_shift_part *part)
{
	struct lakefs_inode_info *li = LAKEFS_I(s->inode);
	struct lakefs_extent *e = lakefs_ext_last_before(li, s->end);
	u64 n;

	part->end = e ? min(lakefs_ext_end(e), s->end) : s->end;
	part->start = part->end;
	while (e && lakefs_ext_end(e) > s->from && part->start > s->from &&
	       part->mapped < LAKEFS_CLONE_BLOCKS_MAX) {
		part->start = min(part->start, lakefs_ext_end(e));
		n = min(part->start - max(e->block, s->from),
			LAKEFS_CLONE_BLOCKS_MAX - part->mapped);
		part->mapped += n;
		part->start -= n;
		if (part->start == e->block)
			e = lakefs_ext_prev(e);
	}
	part->last = !e || part->start == s->from ||
		     lakefs_ext_end(e) <= s->from;
}

/* Nothing is on its way there: see above; else it is our bug. */
static bool lakefs_shift_settled(const struct lakefs_shift *s,
				 const struct lakefs_shift_part *part)
{
	struct lakefs_inode_info *li = LAKEFS_I(s->inode);
	struct lakefs_extent *e = lakefs_ext_find(li, part->start);

	for (; e && e->block < part->end; e = lakefs_ext_next(e))
		if (WARN_ON_ONCE(lakefs_ext_pending(e)))
			return false;
	return true;
}

static u64 lakefs_shifted(const struct lakefs_shift *s, u64 block)
{
	return s->up ? block + s->distance : block - s->distance;
}

/* Their order stays what it is: the tree need not be told. Takes two nodes. */
static void lakefs_shift_extents(const struct lakefs_shift *s,
				 const struct lakefs_shift_part *part)
{
	struct lakefs_inode_info *li = LAKEFS_I(s->inode);
	struct lakefs_extent *e;

	e = lakefs_ext_isolate(li, part->start, part->end);
	for (; e && e->block < part->end; e = lakefs_ext_next(e))
		e->block = lakefs_shifted(s, e->block);
	/* with what they have come to lie beside */
	e = lakefs_ext_find(li, lakefs_shifted(s, part->start));
	if (e)
		lakefs_ext_merge(li, e);
	e = lakefs_ext_find(li, lakefs_shifted(s, part->end));
	if (e)
		lakefs_ext_merge(li, e);
	lakefs_map_cut(li);
}

static void lakefs_shift_emit(const struct lakefs_shift *s,
			      const struct lakefs_shift_part *part,
			      struct lakefs_rec *rec)
{
	struct lakefs_i_shift *entry = (struct lakefs_i_shift *)rec->entry.bytes;
	struct lakefs_inode_info *li = LAKEFS_I(s->inode);

	entry->ino = li->ino;
	entry->file_block = part->start;
	/* with nothing mapped it is there for the size */
	entry->blocks = max_t(u64, part->end - part->start, 1);
	entry->distance = s->distance;
	entry->flags = s->up ? LAKEFS_SHIFT_UP : 0;
	if (part->last && s->size) {
		entry->size = s->size;
		i_size_write(s->inode, s->size);
		WRITE_ONCE(li->disk_size, s->size);
		li->done_size = s->size;
		li->size_wanted = min(li->size_wanted, s->size);
	}
	spin_lock(&li->attr_lock);
	lakefs_carry_times(s->inode, &entry->mtime, &entry->ctime);
	lakefs_map_touch(li, lakefs_rec_emit(LAKEFS_SB(s->inode->i_sb), rec));
	spin_unlock(&li->attr_lock);
}

/* ---- all steps ----------------------------------------------------------- */

/* Returns 1 when there is more, 0 when this was the last one. */
static int lakefs_shift_step(struct lakefs_shift *s)
{
	struct lakefs_inode_info *li = LAKEFS_I(s->inode);
	struct lakefs_shift_part part = { };
	struct lakefs_rec *rec;
	int ret;

	rec = lakefs_rec_alloc(LAKEFS_I_SHIFT, sizeof(struct lakefs_i_shift),
			       GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	ret = lakefs_bank_deposit(2, GFP_KERNEL);
	if (ret) {
		lakefs_rec_free(rec);
		return ret;
	}
	mutex_lock(&li->ext_lock);
	/* what a failed write left: not to be said of what comes there */
	lakefs_over_emit(li, false);
	if (s->up)
		lakefs_shift_pick_up(s, &part);
	else
		lakefs_shift_pick_down(s, &part);
	ret = lakefs_shift_settled(s, &part) ? !part.last : -EIO;
	if (ret >= 0 && (part.mapped || s->size)) {
		lakefs_shift_extents(s, &part);
		lakefs_shift_emit(s, &part, rec);
		rec = NULL;
	}
	mutex_unlock(&li->ext_lock);
	lakefs_bank_withdraw(2);
	lakefs_rec_free(rec);
	if (s->up)
		s->end = part.start;
	else
		s->from = part.end;
	return ret;
}

static int lakefs_shift_all(struct lakefs_shift *s)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(s->inode->i_sb);
	int ret = lakefs_shift_step(s), err;

	while (ret > 0) {
		ret = fatal_signal_pending(current) ? -EINTR :
		      lakefs_op_begin(sbi);
		if (!ret)
			ret = lakefs_shift_step(s);
	}
	/* whatever was done; not given up, as the locks go afterwards */
	err = lakefs_wait_durable_unkillable(sbi,
			READ_ONCE(LAKEFS_I(s->inode)->last_seq));
	return ret ? ret : err;
}

/* ---- before -------------------------------------------------------------- */

static int lakefs_forget_tail(struct inode *inode)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	u64 seq = 0;
	int err;

	mutex_lock(&li->ext_lock);
	if (li->tail_block != LAKEFS_NO_BLOCK)
		seq = li->tail_seq;
	mutex_unlock(&li->ext_lock);
	if (!seq)
		return 0;
	err = lakefs_wait_durable(LAKEFS_SB(inode->i_sb), seq);
	if (err)
		return err;
	mutex_lock(&li->ext_lock);
	li->tail_block = LAKEFS_NO_BLOCK;
	mutex_unlock(&li->ext_lock);
	return 0;
}

/*
 * Of a folio that reaches over offset nothing is dirty afterwards, so it is
 * cut or dropped. The size that is recorded is the one that programs see.
 */
static int lakefs_shift_settle(struct inode *inode, loff_t offset)
{
	loff_t disk_size = READ_ONCE(LAKEFS_I(inode)->disk_size);
	int err = lakefs_forget_tail(inode);

	if (!err)
		err = filemap_write_and_wait_range(inode->i_mapping,
				min_t(loff_t, offset, round_down(disk_size,
							LAKEFS_BLOCK_SIZE)),
				LLONG_MAX);
	if (err)
		return err;
	truncate_pagecache(inode, offset);
	/* a fault that failed gives back only after its invalidate_lock */
	lakefs_unreserve_blocks(inode, lakefs_block_of(offset), U64_MAX);
	return 0;
}

static int lakefs_collapse(struct inode *inode, loff_t offset, loff_t len)
{
	struct lakefs_shift s = {
		.inode = inode,
		.from = lakefs_block_of(offset + len),
		.distance = lakefs_block_of(len),
		.size = i_size_read(inode) - len,
	};
	int err = lakefs_shift_settle(inode, offset);

	if (!err)
		err = lakefs_punch(inode, offset, offset + len);
	return err ? err : lakefs_shift_all(&s);
}

/* Blocks behind the end of the file move too: is there room for them? */
static bool lakefs_insert_fits(struct inode *inode, u64 distance)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	u64 limit = lakefs_blocks_for(inode->i_sb->s_maxbytes);
	struct lakefs_extent *e;
	bool fits;

	mutex_lock(&li->ext_lock);
	e = lakefs_ext_last_before(li, U64_MAX);
	fits = !e || distance <= limit - lakefs_ext_end(e);
	mutex_unlock(&li->ext_lock);
	return fits;
}

static int lakefs_insert(struct inode *inode, loff_t offset, loff_t len)
{
	struct lakefs_shift s = {
		.inode = inode,
		.from = lakefs_block_of(offset),
		.end = U64_MAX,
		.distance = lakefs_block_of(len),
		.up = true,
	};
	int err;

	if (!lakefs_insert_fits(inode, s.distance))
		return -EFBIG;
	/*
	 * The end is zeroed although it moves along: until then it is in the
	 * middle of the longer file.
	 */
	err = lakefs_extend(inode, i_size_read(inode) + len, 0);
	if (!err)
		err = lakefs_shift_settle(inode, offset);
	return err ? err : lakefs_shift_all(&s);
}

int lakefs_shift_range(struct inode *inode, int mode, loff_t offset,
		       loff_t len)
{
	return mode & FALLOC_FL_COLLAPSE_RANGE ?
	       lakefs_collapse(inode, offset, len) :
	       lakefs_insert(inode, offset, len);
}

int lakefs_shift_check(struct inode *inode, int mode, loff_t offset,
		       loff_t len)
{
	loff_t size = i_size_read(inode);

	if (lakefs_in_block(offset) || lakefs_in_block(len))
		return -EINVAL;
	if (mode & FALLOC_FL_COLLAPSE_RANGE)
		return offset + len < size ? 0 : -EINVAL;
	if (len > inode->i_sb->s_maxbytes - size)
		return -EFBIG;
	if (offset >= size)
		return -EINVAL;
	return inode_newsize_ok(inode, size + len);
}
