// SPDX-License-Identifier: GPL-2.0
/*
 * FIEMAP: where a file's blocks are. Our own way around the extents, as the one
 * of iomap cannot say that what is there is not the file's bytes as they are.
 */
#include <linux/fiemap.h>
#include <linux/iomap.h>
#include "data.h"

/* 1: no room for more. -EFAULT */
static int lakefs_fiemap_one(struct fiemap_extent_info *fi,
			     const struct iomap *iomap, u32 flags)
{
	u64 addr = iomap->addr;

	if (iomap->type == IOMAP_HOLE)
		return 0;
	if (addr == IOMAP_NULL_ADDR) {
		addr = 0;
		flags |= FIEMAP_EXTENT_UNKNOWN;
	}
	if (iomap->type == IOMAP_DELALLOC)
		flags |= FIEMAP_EXTENT_DELALLOC;
	if (iomap->type == IOMAP_UNWRITTEN)
		flags |= FIEMAP_EXTENT_UNWRITTEN;
	if (iomap->flags & IOMAP_F_SHARED)
		flags |= FIEMAP_EXTENT_SHARED;
	if (iomap->flags & LAKEFS_IOMAP_PACKED)
		flags |= FIEMAP_EXTENT_ENCODED;
	return fiemap_fill_next_extent(fi, iomap->offset, addr, iomap->length,
				       flags);
}

/* Each is told of when the next one was found: the last one is marked. */
static int lakefs_fiemap_range(struct inode *inode,
			       struct fiemap_extent_info *fi, u64 pos, u64 end)
{
	struct iomap last = { .type = IOMAP_HOLE }, iomap = { };
	int err = 0;

	for (; pos < end && !err; pos = iomap.offset + iomap.length) {
		err = lakefs_read_begin(inode, pos, end - pos, IOMAP_REPORT,
					&iomap, NULL);
		if (err)
			return err;
		if (iomap.type != IOMAP_HOLE) {
			err = lakefs_fiemap_one(fi, &last, 0);
			last = iomap;
		}
		cond_resched();
	}
	if (!err)
		err = lakefs_fiemap_one(fi, &last, FIEMAP_EXTENT_LAST);
	return min(err, 0);
}

int lakefs_fiemap(struct inode *inode, struct fiemap_extent_info *fi,
		  u64 start, u64 len)
{
	int err = lakefs_extents_load(inode);

	if (err)
		return err;
	inode_lock_shared(inode);
	err = fiemap_prep(inode, fi, start, &len, 0);
	if (!err)
		err = lakefs_fiemap_range(inode, fi, start, start + len);
	inode_unlock_shared(inode);
	return err;
}
