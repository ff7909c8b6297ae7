// SPDX-License-Identifier: GPL-2.0
/*
 * fallocate that moves what lies behind an offset: COLLAPSE_RANGE takes a
 * range out of a file, INSERT_RANGE makes room for a hole.
 *
 * The blocks go piece by piece to their new place by clones within the file
 * (clone.c), in the order in which no piece is overwritten before it has
 * moved. A piece is no longer than the distance, as source and destination
 * of a clone must not overlap. So a crash between two records keeps a file
 * that is partly moved, with a piece twice, and nothing that was not in it.
 * Preallocated blocks are no data, which is all that a clone takes: they are
 * preallocated again at their new place.
 *
 * i_rwsem and invalidate_lock are held and direct I/O was waited for: nobody
 * makes pages or changes the map meanwhile.
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/pagemap.h>
#include "data.h"

/* more pieces than these are not worth it: a program can copy as well */
#define LAKEFS_SHIFT_PIECES_MAX	(1u << 16)
/* a look at the daemon's room is good for so many of them */
#define LAKEFS_SHIFT_PIECES_ROOM	32

/* What the system call asks for, seen from the file. i_rwsem held. */
int lakefs_shift_checks(struct inode *inode, int mode, loff_t offset,
			loff_t len)
{
	loff_t size = i_size_read(inode);
	u64 pieces;

	if (lakefs_in_block(offset) || lakefs_in_block(len))
		return -EINVAL;
	pieces = div64_u64(max(size - offset, 0LL),
			   min_t(u64, len, (u64)LAKEFS_CLONE_BLOCKS_MAX <<
					   LAKEFS_BLOCK_BITS));
	if (pieces > LAKEFS_SHIFT_PIECES_MAX)
		return -EOPNOTSUPP;
	if (mode & FALLOC_FL_COLLAPSE_RANGE)
		return offset + len >= size ? -EINVAL : 0;
	if (offset >= size)
		return -EINVAL;
	if (len > inode->i_sb->s_maxbytes - size)
		return -EFBIG;
	return inode_newsize_ok(inode, size + len);
}

/* Everything from offset on is on the device, and no page of it is left. */
static int lakefs_shift_settle(struct inode *inode, loff_t offset)
{
	loff_t disk_size = READ_ONCE(LAKEFS_I(inode)->disk_size);
	loff_t from = round_down(min(offset, disk_size), LAKEFS_BLOCK_SIZE);
	int err;

	err = filemap_write_and_wait_range(inode->i_mapping, from, LLONG_MAX);
	if (!err)
		truncate_pagecache(inode, offset);
	return err;
}

/* Is there anything mapped in either range? */
static bool lakefs_shift_empty(struct lakefs_inode_info *li, u64 a, u64 b,
			       u64 blocks)
{
	struct lakefs_extent *e;
	bool empty;

	mutex_lock(&li->ext_lock);
	e = lakefs_ext_find(li, a);
	empty = !e || e->block >= a + blocks;
	e = lakefs_ext_find(li, b);
	empty = empty && (!e || e->block >= b + blocks);
	mutex_unlock(&li->ext_lock);
	return empty;
}

/* The first preallocated run in [*from, end): its length, or 0. */
static u64 lakefs_next_unwritten(struct lakefs_inode_info *li, u64 *from,
				 u64 end)
{
	struct lakefs_extent *e;
	u64 blocks = 0;

	mutex_lock(&li->ext_lock);
	for (e = lakefs_ext_find(li, *from); e && e->block < end;
	     e = lakefs_ext_next(e)) {
		if (e->state != LAKEFS_X_UNWRITTEN)
			continue;
		*from = max(*from, e->block);
		blocks = min(end, lakefs_ext_end(e)) - *from;
		break;
	}
	mutex_unlock(&li->ext_lock);
	return blocks;
}

/*
 * One piece. What cannot be preallocated again stays a hole: half way it is
 * too late to refuse, and it reads the same.
 */
static int lakefs_shift_piece(const struct lakefs_clone *c)
{
	struct lakefs_inode_info *li = LAKEFS_I(c->src);
	u64 at = c->from, end = c->from + c->blocks, blocks;
	int err;

	err = lakefs_op_begin(LAKEFS_SB(c->src->i_sb));
	if (!err)
		err = lakefs_clone_step(c);
	if (err)
		return err;
	while ((blocks = lakefs_next_unwritten(li, &at, end)) > 0) {
		if (lakefs_prealloc_range(c->src, at - c->from + c->to,
					  at - c->from + c->to + blocks))
			break;
		at += blocks;
	}
	return 0;
}

/*
 * [from, end) goes to a place before or behind, up to the file size limit.
 * The piece that makes the file larger is not left out when it is empty.
 */
static int lakefs_shift_blocks(struct inode *inode, u64 from, u64 end, u64 to,
			       loff_t limit)
{
	u64 distance = from > to ? from - to : to - from, piece, n = 0;
	struct lakefs_clone c = { .src = inode, .dst = inode, .limit = limit };
	bool up = to > from, grows;
	int err = 0;

	for (; from < end && !err; n++) {
		piece = min3(distance, end - from,
			     (u64)LAKEFS_CLONE_BLOCKS_MAX);
		c.blocks = piece;
		c.from = up ? end - piece : from;
		c.to = up ? c.from + distance : c.from - distance;
		grows = i_size_read(inode) < limit;
		if (!(n % LAKEFS_SHIFT_PIECES_ROOM))
			err = lakefs_clone_room(LAKEFS_SB(inode->i_sb));
		if (!err && (grows || !lakefs_shift_empty(LAKEFS_I(inode),
							  c.from, c.to, piece)))
			err = lakefs_shift_piece(&c);
		if (up)
			end -= piece;
		else
			from += piece;
	}
	return err;
}

/* The caller cuts off what is twice behind the new end. */
int lakefs_collapse(struct inode *inode, loff_t offset, loff_t len)
{
	int err = lakefs_shift_settle(inode, offset);

	if (err)
		return err;
	return lakefs_shift_blocks(inode, lakefs_block_of(offset + len),
				   lakefs_blocks_for(i_size_read(inode)),
				   lakefs_block_of(offset), 0);
}

/* The caller punches the hole. */
int lakefs_insert(struct inode *inode, loff_t offset, loff_t len)
{
	loff_t size = i_size_read(inode);
	int err;

	/* what lies behind the old end will be before the new one */
	err = lakefs_zero_eof(inode, size + len);
	if (!err)
		err = lakefs_shift_settle(inode, offset);
	if (err)
		return err;
	return lakefs_shift_blocks(inode, lakefs_block_of(offset),
				   lakefs_blocks_for(size),
				   lakefs_block_of(offset + len), size + len);
}
