// SPDX-License-Identifier: GPL-2.0
/*
 * Reflink and dedupe: a range of one file maps the blocks of another.
 *
 * Why no shared block is ever written in place:
 *
 * - Under both inodes' i_rwsem and invalidate_lock no write, fault, fallocate
 *   or truncate of either is under way; direct I/O was waited for and both
 *   ranges were written back, which also makes their mappings read-only. So
 *   nothing is on its way into the blocks that become shared.
 * - The mark is set on both sides, under both ext_locks, in one section with
 *   the record. It moves cut_gen, so that writeback which goes on elsewhere
 *   in the source forgets a translation that it had cached. Whoever makes a
 *   page of the range dirty afterwards has to reserve first, and finds the
 *   mark (reserve.c). A device that writes into such a page reserves nothing:
 *   writeback does (writeback.c).
 * - A mark goes only with its extent: when the map is evicted, or when other
 *   blocks take its place. An evicted map is loaded again with the inode's
 *   last_seq as barrier, which is not before the clone; the daemon says what
 *   is shared, and goes on saying so until the loss of the other owners is
 *   durable (docs/ring-protocol.md).
 * - The record names ranges of files, not blocks. Every record that changes a
 *   map is emitted under that map's ext_lock: so at the clone's seq the
 *   daemon's map of the source is what lakefs_ext_has_data() says here, and
 *   it gives the same blocks to the destination.
 */
#include <linux/iversion.h>
#include <linux/pagemap.h>
#include "data.h"

/* metadata pages that one step may need, and the inodes that STATFS counts */
#define LAKEFS_CLONE_PAGES	512
#define LAKEFS_INODES_OF_PAGE	8

static void lakefs_lock_maps(struct lakefs_inode_info *a,
			     struct lakefs_inode_info *b)
{
	if (a > b)
		swap(a, b);
	mutex_lock(&a->ext_lock);
	if (a != b)
		mutex_lock_nested(&b->ext_lock, SINGLE_DEPTH_NESTING);
}

void lakefs_clone_unlock(const struct lakefs_clone *c)
{
	struct lakefs_inode_info *src = LAKEFS_I(c->src);
	struct lakefs_inode_info *dst = LAKEFS_I(c->dst);

	mutex_unlock(&src->ext_lock);
	if (src != dst)
		mutex_unlock(&dst->ext_lock);
}

/* Nodes that the step takes: two cuts of each map, and the copies. */
static u64 lakefs_clone_nodes(const struct lakefs_clone *c)
{
	struct lakefs_inode_info *src = LAKEFS_I(c->src);
	struct lakefs_extent *e = lakefs_ext_find(src, c->from);
	u64 n = 4;

	for (; e && e->block < c->from + c->blocks; e = lakefs_ext_next(e))
		n++;
	return n;
}

int lakefs_clone_lock(const struct lakefs_clone *c, u64 *deposit)
{
	struct lakefs_inode_info *src = LAKEFS_I(c->src);
	struct lakefs_inode_info *dst = LAKEFS_I(c->dst);
	u64 need;
	int err;

	for (;;) {
		lakefs_lock_maps(src, dst);
		need = lakefs_clone_nodes(c);
		if (need <= *deposit)
			return 0;
		lakefs_clone_unlock(c);
		err = lakefs_bank_deposit(need - *deposit, GFP_KERNEL);
		if (err)
			return err;
		*deposit = need;
	}
}

static void lakefs_merge_range(struct lakefs_inode_info *li, u64 start,
			       u64 end)
{
	struct lakefs_extent *e = lakefs_ext_find(li, start);

	for (; e && e->block <= end; e = lakefs_ext_next(e))
		e = lakefs_ext_merge(li, e);
}

/* Data of src in the range, in blocks. */
static u64 lakefs_clone_count(const struct lakefs_clone *c)
{
	u64 end = c->from + c->blocks, n = 0;
	struct lakefs_extent *e = lakefs_ext_find(LAKEFS_I(c->src), c->from);

	for (; e && e->block < end; e = lakefs_ext_next(e))
		if (lakefs_ext_has_data(e))
			n += min(lakefs_ext_end(e), end) -
			     max(e->block, c->from);
	return n;
}

/* Nothing is joined before all is copied. */
void lakefs_clone_maps(const struct lakefs_clone *c)
{
	struct lakefs_inode_info *src = LAKEFS_I(c->src);
	struct lakefs_inode_info *dst = LAKEFS_I(c->dst);
	u64 end = c->from + c->blocks;
	struct lakefs_extent *e, *copy;

	/* stat takes no lock: rather twice than not at all */
	WRITE_ONCE(dst->mapped_blocks,
		   dst->mapped_blocks + lakefs_clone_count(c));
	lakefs_ext_drop_range(dst, c->to, c->to + c->blocks);
	for (e = lakefs_ext_isolate(src, c->from, end); e && e->block < end;
	     e = lakefs_ext_next(e)) {
		if (!lakefs_ext_has_data(e))
			continue;
		/* the same blocks: sealed and checked for both */
		e->shared = true;
		copy = lakefs_node_take();
		copy->block = e->block - c->from + c->to;
		copy->blocks = e->blocks;
		copy->phys = lakefs_ext_where(e);
		copy->state = LAKEFS_X_WRITTEN;
		lakefs_ext_copy_marks(copy, e);
		lakefs_ext_insert(dst, copy);
	}
	lakefs_merge_range(src, c->from, end);
	lakefs_merge_range(dst, c->to, c->to + c->blocks);
	lakefs_map_cut(src);
	lakefs_map_cut(dst);
}

/* All that dst has below its new size is on the device: it can be recorded. */
static u64 lakefs_clone_size(const struct lakefs_clone *c)
{
	struct lakefs_inode_info *dst = LAKEFS_I(c->dst);
	loff_t end = min_t(loff_t, c->limit,
			   (c->to + c->blocks) << LAKEFS_BLOCK_BITS);

	if (end > i_size_read(c->dst))
		i_size_write(c->dst, end);
	if (end <= dst->disk_size)
		return 0;
	WRITE_ONCE(dst->disk_size, end);
	dst->done_size = max(dst->done_size, end);
	return end;
}

static int lakefs_clone_step(const struct lakefs_clone *c)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(c->dst->i_sb);
	struct lakefs_inode_info *src = LAKEFS_I(c->src);
	struct lakefs_inode_info *dst = LAKEFS_I(c->dst);
	struct lakefs_i_clone *entry;
	struct lakefs_rec *rec;
	u64 deposit = 0, seq;
	int err;

	rec = lakefs_rec_alloc(LAKEFS_I_CLONE, sizeof(*entry), GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	err = lakefs_clone_lock(c, &deposit);
	if (err) {
		lakefs_rec_free(rec);
		goto out;
	}
	/* what a failed write left: not to be said of shared blocks later */
	lakefs_over_emit(src, false);
	lakefs_over_emit(dst, false);
	lakefs_clone_maps(c);
	entry = (struct lakefs_i_clone *)rec->entry.bytes;
	entry->src_ino = src->ino;
	entry->src_block = c->from;
	entry->dst_ino = dst->ino;
	entry->dst_block = c->to;
	entry->blocks = c->blocks;
	entry->size = lakefs_clone_size(c);
	spin_lock(&dst->attr_lock);
	lakefs_carry_times(c->dst, &entry->mtime, &entry->ctime);
	seq = lakefs_rec_emit(sbi, rec);
	spin_unlock(&dst->attr_lock);
	lakefs_touch(c->src, seq);
	lakefs_map_touch(dst, seq);
	lakefs_clone_unlock(c);
out:
	lakefs_bank_withdraw(deposit);
	return err;
}

/*
 * A record cannot fail in the daemon: there is room for what it adds to the
 * metadata, or no record.
 */
int lakefs_clone_room(struct lakefs_sb_info *sbi)
{
	struct lakefs_request_hdr ask = { };
	struct lakefs_p_statfs reply;
	struct lakefs_answer answer = {
		.reply = &reply,
		.reply_max = sizeof(reply),
	};
	int ret;

	ret = lakefs_request(sbi, &ask, sizeof(ask), LAKEFS_R_STATFS,
			     lakefs_last_seq(sbi), &answer);
	if (ret < 0)
		return ret;
	if (ret != sizeof(reply))
		return -EPROTO;
	return reply.free_inodes / LAKEFS_INODES_OF_PAGE < LAKEFS_CLONE_PAGES ?
	       -ENOSPC : 0;
}

/*
 * Returns how many blocks were cloned, or an error: when none were, and when
 * the caller did not say that less than all will do (to FICLONE any number is
 * success).
 */
static s64 lakefs_clone_blocks(struct lakefs_clone *c, u64 blocks,
			       unsigned int flags)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(c->dst->i_sb);
	u64 done = 0;
	int err = 0;

	while (done < blocks) {
		err = fatal_signal_pending(current) ? -EINTR :
		      lakefs_op_begin_growing(sbi);
		if (!err)
			err = lakefs_clone_room(sbi);
		c->blocks = min_t(u64, blocks - done, LAKEFS_CLONE_BLOCKS_MAX);
		if (!err)
			err = lakefs_clone_step(c);
		if (err)
			break;
		done += c->blocks;
		c->from += c->blocks;
		c->to += c->blocks;
	}
	if (err && !(flags & REMAP_FILE_CAN_SHORTEN))
		return err;
	return done ? done : err;
}

/*
 * The ranges are written back. What else the record needs of the
 * destination: the old end zeroed, all data below the new size on the device,
 * no page of what is replaced. Of folios that the range covers in part nothing
 * is dirty, so that they are split or dropped; a dirty one would stay, with
 * zeroes in the range.
 */
static int lakefs_clone_settle(struct inode *dst, loff_t pos, loff_t len)
{
	struct lakefs_inode_info *li = LAKEFS_I(dst);
	loff_t disk_size = READ_ONCE(li->disk_size);
	int err;

	err = lakefs_zero_eof(dst, pos);
	if (!err)
		err = filemap_write_and_wait_range(dst->i_mapping,
				min_t(loff_t, pos, round_down(disk_size,
						LAKEFS_BLOCK_SIZE)),
				pos + len > disk_size ? LLONG_MAX :
							pos + len - 1);
	if (!err)
		truncate_pagecache_range(dst, pos, round_up(pos + len,
						LAKEFS_BLOCK_SIZE) - 1);
	return err;
}

/*
 * Pages of the destination go, and with them what a device still writes there
 * for somebody's direct read into a mapping. Who clones wants them replaced;
 * who asks for dedupe, does not. The look is between two times of writing back
 * (the second is generic_remap_file_range_prep's): what was dirty when the
 * device was done is compared.
 */
static int lakefs_dedupe_unpinned(struct inode *dst, loff_t pos, loff_t len)
{
	loff_t end = i_size_read(dst);
	int err;

	/* what cannot be is refused later */
	if (pos < 0 || len <= 0 || pos >= end)
		return 0;
	end = len < end - pos ? pos + len : end;
	err = filemap_write_and_wait_range(dst->i_mapping, pos, end - 1);
	if (!err && lakefs_range_pinned(dst, lakefs_block_of(pos),
					lakefs_blocks_for(end)))
		err = -EBUSY;
	return err;
}

static loff_t lakefs_remap_locked(struct file *in, loff_t pos_in,
				  struct file *out, loff_t pos_out, loff_t len,
				  unsigned int flags)
{
	struct lakefs_clone c = {
		.src = file_inode(in),
		.dst = file_inode(out),
		.from = lakefs_block_of(pos_in),
		.to = lakefs_block_of(pos_out),
	};
	s64 blocks;
	int err;

	err = flags & REMAP_FILE_DEDUP ?
	      lakefs_dedupe_unpinned(c.dst, pos_out, len) : 0;
	if (err)
		return err;
	err = generic_remap_file_range_prep(in, pos_in, out, pos_out, &len,
					    flags);
	if (err < 0 || !len)
		return err;
	err = lakefs_clone_settle(c.dst, pos_out, len);
	if (err)
		return err;
	c.limit = pos_out + len;
	blocks = lakefs_clone_blocks(&c, lakefs_blocks_for(len), flags);
	return blocks < 0 ? blocks : min_t(loff_t, len,
					   blocks << LAKEFS_BLOCK_BITS);
}

loff_t lakefs_remap_file_range(struct file *in, loff_t pos_in,
			       struct file *out, loff_t pos_out, loff_t len,
			       unsigned int flags)
{
	struct inode *src = file_inode(in), *dst = file_inode(out);
	loff_t ret;
	int err;

	if (flags & ~(REMAP_FILE_DEDUP | REMAP_FILE_ADVISORY))
		return -EINVAL;
	err = lakefs_op_begin_growing(LAKEFS_SB(dst->i_sb));
	if (!err)
		err = lakefs_extents_load(src);
	if (!err)
		err = lakefs_extents_load(dst);
	if (err)
		return err;
	lock_two_nondirectories(src, dst);
	filemap_invalidate_lock_two(src->i_mapping, dst->i_mapping);
	ret = lakefs_remap_locked(in, pos_in, out, pos_out, len, flags);
	if (!(flags & REMAP_FILE_DEDUP))
		inode_maybe_inc_iversion(dst, false);
	filemap_invalidate_unlock_two(src->i_mapping, dst->i_mapping);
	unlock_two_nondirectories(src, dst);
	if (ret > 0 && (out->f_flags & O_SYNC || IS_SYNC(dst))) {
		err = vfs_fsync(out, 0);
		if (err)
			ret = err;
	}
	return ret;
}
