// SPDX-License-Identifier: GPL-2.0
/*
 * Direct I/O. Writes are of whole blocks (others go through the page cache, and
 * so does what would go onto shared blocks). A write over written blocks goes
 * in place, many at a time. One that needs blocks or makes the file longer has
 * i_rwsem exclusively and waits for its I/O. Blocks it takes are marked direct
 * until the I/O is done; a fault of the same page meanwhile takes the mark
 * away, and the page's writeback then decides. No checksums: the program may
 * change its memory meanwhile.
 */
#include <linux/iomap.h>
#include <linux/iversion.h>
#include <linux/pagemap.h>
#include "data.h"

static int lakefs_direct_begin(struct inode *inode, loff_t pos, loff_t length,
			       unsigned int flags, struct iomap *iomap,
			       struct iomap *srcmap)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(inode->i_sb);
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	u64 block = lakefs_block_of(pos);
	u64 blocks = lakefs_blocks_for(pos + length) - block;
	struct lakefs_extent *e;
	bool fresh;
	int err;

	if (!(flags & IOMAP_WRITE))
		return lakefs_read_begin(inode, pos, length, flags, iomap,
					 srcmap);
	if (lakefs_is_shutdown(sbi))
		return -EIO;
	err = lakefs_prepare_size(inode, pos + length);
	if (!err)
		err = lakefs_reserve(inode, block, &blocks,
				     LAKEFS_RESERVE_DIRECT, &e, &fresh);
	if (err)
		return err;
	lakefs_fill_iomap(inode, iomap, block, blocks, IOMAP_MAPPED, e);
	/* NEW: a write cut short in a block zeroes the rest of it */
	if (lakefs_ext_pending(e))
		iomap->flags |= IOMAP_F_NEW;
	/*
	 * DIRTY: FUA alone does not make an O_DSYNC write safe, nor what lies
	 * behind a size that waits for dirty pages before it.
	 */
	if (lakefs_ext_pending(e) || pos + length > li->disk_size ||
	    READ_ONCE(li->last_seq) > READ_ONCE(sbi->durable_seq))
		iomap->flags |= IOMAP_F_DIRTY;
	mutex_unlock(&li->ext_lock);
	return 0;
}

/* What was not submitted is not in use. */
static int lakefs_direct_end(struct inode *inode, loff_t pos, loff_t length,
			     ssize_t written, unsigned int flags,
			     struct iomap *iomap)
{
	if ((flags & IOMAP_WRITE) && written < length)
		lakefs_unreserve_direct(inode,
					written ?
					lakefs_blocks_for(pos + written) :
					lakefs_block_of(pos),
					lakefs_blocks_for(pos + length));
	return 0;
}

static const struct iomap_ops lakefs_direct_ops = {
	.iomap_begin	= lakefs_direct_begin,
	.iomap_end	= lakefs_direct_end,
};

/* blocks [start, end) of the direct extent e hold data: a map without crcs */
static void lakefs_direct_map(struct inode *inode, struct lakefs_extent *e,
			      u64 start, u64 end, loff_t size)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	struct lakefs_rec *rec = lakefs_map_rec_take();
	struct lakefs_i_map *map = (struct lakefs_i_map *)rec->entry.bytes;

	e = lakefs_ext_isolate(li, start, end);
	map->hdr.len = sizeof(*map);
	map->ino = li->ino;
	map->file_block = start;
	map->phys_block = e->phys;
	map->blocks = e->blocks;
	map->flags = 0;
	map->size = lakefs_size_advance(inode, size, start, end);
	lakefs_emit_map(inode, rec);
	lakefs_ext_set_state(li, e, LAKEFS_X_WRITTEN);
	lakefs_ext_merge(li, e);
	lakefs_map_moved(li);
}

static void lakefs_record_direct(struct inode *inode, loff_t pos, loff_t end)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	u64 block = lakefs_block_of(pos), last = lakefs_blocks_for(end), next;
	struct lakefs_extent *e;

	mutex_lock(&li->ext_lock);
	/* only the exclusive holder of i_rwsem gets here with a longer file */
	if (end > i_size_read(inode))
		i_size_write(inode, end);
	WRITE_ONCE(li->in_place_seq, lakefs_last_seq(LAKEFS_SB(inode->i_sb)));
	atomic64_inc(&li->in_place_gen);
	for (; block < last; block = next) {
		e = lakefs_ext_find(li, block);
		if (!e || e->block >= last)
			break;
		block = max(block, e->block);
		next = min(lakefs_ext_end(e), last);
		if (lakefs_ext_pending(e) && e->direct)
			lakefs_direct_map(inode, e, block, next,
					  min_t(loff_t, end, next <<
						LAKEFS_BLOCK_BITS));
	}
	lakefs_size_done(inode, end, lakefs_block_of(pos), last);
	mutex_unlock(&li->ext_lock);
}

/* All I/O of the write is over; size bytes of it were submitted. */
static int lakefs_direct_done(struct kiocb *iocb, ssize_t size, int error,
			      unsigned int flags)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	loff_t pos = iocb->ki_pos;

	if (size <= 0)
		return error;
	if (error) {
		lakefs_unreserve_direct(inode, lakefs_block_of(pos),
					lakefs_blocks_for(pos + size));
		return error;
	}
	/*
	 * Who read the last block meanwhile has what the device had behind the
	 * end in it: no bytes of the file, and none of it when it grows.
	 */
	if (pos + size > i_size_read(inode))
		invalidate_inode_pages2_range(inode->i_mapping,
					      pos >> PAGE_SHIFT,
					      (pos + size - 1) >> PAGE_SHIFT);
	lakefs_record_direct(inode, pos, pos + size);
	return 0;
}

static const struct iomap_dio_ops lakefs_dio_ops = {
	.end_io		= lakefs_direct_done,
};

/*
 * In an interrupt, perhaps (6.19 and later). Nothing was reserved, so nothing is
 * to be recorded. Counted only now: fsync does not wait for direct I/O, and one
 * that began before must not count this write as flushed. The change counter
 * likewise, of a write that lakefs_write_iter() has not waited for.
 */
static int lakefs_overwrite_done(struct kiocb *iocb, ssize_t size, int error,
				 unsigned int flags)
{
	struct inode *inode = file_inode(iocb->ki_filp);

	if (size > 0 && !error) {
		atomic64_inc(&LAKEFS_I(inode)->plain_gen);
		inode_maybe_inc_iversion(inode, false);
	}
	return error;
}

static const struct iomap_dio_ops lakefs_overwrite_ops = {
	.end_io		= lakefs_overwrite_done,
};

ssize_t lakefs_direct_write(struct kiocb *iocb, struct iov_iter *from)
{
	return iomap_dio_rw(iocb, from, &lakefs_direct_ops, &lakefs_dio_ops,
			    IOMAP_DIO_FORCE_WAIT, NULL, 0);
}

ssize_t lakefs_direct_overwrite(struct kiocb *iocb, struct iov_iter *from)
{
	return iomap_dio_rw(iocb, from, &lakefs_direct_ops,
			    &lakefs_overwrite_ops, 0, NULL, 0);
}

/*
 * Up to the last whole block: what the device has behind the end of the file is
 * none of its bytes (docs/decisions/0003), and would be read along. Short when
 * the rest is to be read through the page cache.
 */
ssize_t lakefs_direct_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	size_t count = iov_iter_count(to), some;
	loff_t pos = iocb->ki_pos, size, whole;
	ssize_t ret = 0;

	if (!count)
		return 0;
	/* who has read the last bytes asks from there, to be told of the end */
	if (pos < i_size_read(inode) && ((pos | count) &
	    (bdev_logical_block_size(inode->i_sb->s_bdev) - 1)))
		return -EINVAL;
	file_accessed(iocb->ki_filp);
	inode_lock_shared(inode);
	size = i_size_read(inode);
	whole = round_down(size, LAKEFS_BLOCK_SIZE);
	if (pos < whole) {
		some = min_t(u64, count, whole - pos);
		iov_iter_truncate(to, some);
		/* a short answer, later, would be taken for the end */
		ret = iomap_dio_rw(iocb, to, &lakefs_direct_ops, NULL,
				   some < count && size > whole ?
				   IOMAP_DIO_FORCE_WAIT : 0, NULL, 0);
		iov_iter_reexpand(to, iov_iter_count(to) + count - some);
	}
	inode_unlock_shared(inode);
	return ret;
}
