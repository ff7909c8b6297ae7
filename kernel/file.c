// SPDX-License-Identifier: GPL-2.0
/*
 * Regular files: the system calls. Extent maps are loaded here, before folio
 * locks are taken; only readahead of a file nobody used yet loads them later.
 */
#include <linux/blkdev.h>
#include <linux/fadvise.h>
#include <linux/iversion.h>
#include <linux/pagemap.h>
#include <linux/splice.h>
#include <linux/uio.h>
#include "data.h"

/* ---- reading ------------------------------------------------------------- */

static ssize_t lakefs_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t whole = 0, ret;
	int err, tries;

	if (lakefs_is_shutdown(LAKEFS_SB(inode->i_sb)))
		return -EIO;
	err = lakefs_extents_load(inode);
	if (err)
		return err;
	if (iocb->ki_flags & IOCB_DIRECT) {
		whole = lakefs_direct_read(iocb, to);
		/* goes on only in the block that the end lies in */
		if (whole < 0 || !iov_iter_count(to) || iocb->ki_pos <
		    round_down(i_size_read(inode), LAKEFS_BLOCK_SIZE))
			return whole;
	}
	ret = filemap_read(iocb, to, 0);
	for (tries = LAKEFS_READ_TRIES; ret == -EIO && tries &&
	     lakefs_read_again(inode, iocb->ki_pos); tries--)
		ret = filemap_read(iocb, to, 0);
	return whole ? whole + max_t(ssize_t, ret, 0) : ret;
}

static ssize_t lakefs_splice_read(struct file *in, loff_t *pos,
				  struct pipe_inode_info *pipe, size_t len,
				  unsigned int flags)
{
	struct inode *inode = file_inode(in);
	int tries, err = lakefs_extents_load(inode);
	ssize_t ret;

	if (err)
		return err;
	ret = filemap_splice_read(in, pos, pipe, len, flags);
	for (tries = LAKEFS_READ_TRIES; ret == -EIO && tries &&
	     lakefs_read_again(inode, *pos); tries--)
		ret = filemap_splice_read(in, pos, pipe, len, flags);
	return ret;
}

static int lakefs_fadvise(struct file *file, loff_t offset, loff_t len,
			  int advice)
{
	int err = 0;

	if (advice == POSIX_FADV_WILLNEED)
		err = lakefs_extents_load(file_inode(file));
	return err ? err : generic_fadvise(file, offset, len, advice);
}

/* ---- writing ------------------------------------------------------------- */

/* i_rwsem held; exclusively when the result may need it */
static ssize_t lakefs_write_checks(struct kiocb *iocb, struct iov_iter *from)
{
	ssize_t ret;
	int err;

	/* made so since it was opened */
	if (IS_IMMUTABLE(file_inode(iocb->ki_filp)))
		return -EPERM;
	ret = generic_write_checks(iocb, from);
	if (ret <= 0)
		return ret;
	err = file_remove_privs(iocb->ki_filp);
	if (!err)
		err = file_update_time(iocb->ki_filp);
	return err ? err : ret;
}

static ssize_t lakefs_write_cached(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	int err = lakefs_zero_eof(inode, iocb->ki_pos);

	return err ? err : lakefs_buffered_write(iocb, from);
}

/* The rest of a direct write through the page cache, and out of it again. */
static ssize_t lakefs_write_through(struct kiocb *iocb, struct iov_iter *from)
{
	struct address_space *mapping = iocb->ki_filp->f_mapping;
	loff_t pos = iocb->ki_pos;
	ssize_t ret = lakefs_write_cached(iocb, from);
	int err;

	if (ret <= 0)
		return ret;
	err = filemap_write_and_wait_range(mapping, pos, pos + ret - 1);
	if (err)
		return err;
	invalidate_mapping_pages(mapping, pos >> PAGE_SHIFT,
				 (pos + ret - 1) >> PAGE_SHIFT);
	return ret;
}

static bool lakefs_whole_blocks(struct kiocb *iocb, struct iov_iter *from)
{
	return !lakefs_in_block(iocb->ki_pos | iov_iter_count(from));
}

/* In place and within the file: many writers at once, asynchronous too. */
static bool lakefs_pure_overwrite(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	u64 count = iov_iter_count(from);

	return !(iocb->ki_flags & IOCB_APPEND) && count &&
	       lakefs_whole_blocks(iocb, from) && iocb->ki_pos >= 0 &&
	       iocb->ki_pos + count <= i_size_read(inode) &&
	       lakefs_range_written(inode, iocb->ki_pos, count);
}

static ssize_t lakefs_write_direct(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret, more;

	inode_lock_shared(inode);
	if (IS_NOSEC(inode) && lakefs_pure_overwrite(iocb, from)) {
		ret = lakefs_write_checks(iocb, from);
		if (ret > 0)
			ret = lakefs_direct_overwrite(iocb, from);
		inode_unlock_shared(inode);
		if (ret != -ENOTBLK)
			return ret;
	} else {
		inode_unlock_shared(inode);
	}

	inode_lock(inode);
	ret = lakefs_write_checks(iocb, from);
	if (ret <= 0)
		goto out;
	ret = -ENOTBLK;
	if (lakefs_whole_blocks(iocb, from)) {
		ret = lakefs_zero_eof(inode, iocb->ki_pos);
		if (!ret)
			ret = lakefs_direct_write(iocb, from);
	}
	if (ret == -ENOTBLK || (ret >= 0 && iov_iter_count(from))) {
		more = lakefs_write_through(iocb, from);
		if (ret < 0)
			ret = more;
		else if (more > 0)
			ret += more;
		else if (!ret)
			ret = more;
		if (more > 0 && ret > 0) {
			inode_unlock(inode);
			return generic_write_sync(iocb, ret);
		}
	}
out:
	inode_unlock(inode);
	return ret;
}

static ssize_t lakefs_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;
	int err;

	err = lakefs_op_begin(LAKEFS_SB(inode->i_sb));
	if (!err)
		err = lakefs_extents_load(inode);
	if (err)
		return err;
	if (iocb->ki_flags & IOCB_DIRECT) {
		ret = lakefs_write_direct(iocb, from);
		inode_maybe_inc_iversion(inode, false);
		return ret;
	}
	inode_lock(inode);
	ret = lakefs_write_checks(iocb, from);
	if (ret > 0) {
		ret = lakefs_write_cached(iocb, from);
		inode_maybe_inc_iversion(inode, false);
	}
	inode_unlock(inode);
	return ret > 0 ? generic_write_sync(iocb, ret) : ret;
}

/* ---- durability ---------------------------------------------------------- */

static void lakefs_gen_advance(atomic64_t *gen, s64 to)
{
	s64 from = atomic64_read(gen);

	while (from < to && !atomic64_try_cmpxchg(gen, &from, to))
		;
}

/*
 * Afterwards data, map, size and name are durable: seq order is one order,
 * and what is durable is a prefix of it. A commit flushes the device before
 * its frame; so in-place data that was complete when some later record was
 * emitted is durable with that record. Else it is flushed here; so is what
 * completed by itself, of which nobody knows before which record that was.
 *
 * What completes by itself is counted when it begins. Only who waited for all
 * of the file, and after the count was read, knows that what is in it has
 * completed: else a later fsync would find its own data counted as flushed.
 */
int lakefs_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	struct inode *inode = file_inode(file);
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	struct lakefs_sb_info *sbi = LAKEFS_SB(inode->i_sb);
	loff_t disk_size = READ_ONCE(li->disk_size);
	bool whole = !start && end == LLONG_MAX, flush;
	s64 done, flushed, plain;
	u64 target;
	int err;

	/* the size is recorded only when all data before it is there */
	if (end >= disk_size)
		start = min(start, round_down(disk_size, LAKEFS_BLOCK_SIZE));
	lakefs_size_want(inode, end == LLONG_MAX ? end : end + 1);
	err = filemap_fdatawrite_range(inode->i_mapping, start, end);
	plain = atomic64_read(&li->plain_gen);
	if (!err)
		err = file_write_and_wait_range(file, start, end);
	if (err)
		return err;
	if (lakefs_is_shutdown(sbi))
		return -EIO;
	if (!datasync)
		lakefs_flush_attr(inode);

	mutex_lock(&li->ext_lock);
	target = READ_ONCE(li->last_seq);
	done = atomic64_read(&li->in_place_gen);
	flushed = atomic64_read(&li->flushed_gen);
	flush = done > flushed && target <= li->in_place_seq;
	flush |= atomic64_read(&li->plain_gen) >
		 atomic64_read(&li->plain_flushed);
	mutex_unlock(&li->ext_lock);

	if (target > READ_ONCE(sbi->durable_seq))
		err = lakefs_wait_durable(sbi, target);
	if (!err && flush)
		err = lakefs_flush_device(sbi);
	if (err)
		return err;
	lakefs_gen_advance(&li->flushed_gen, done);
	if (whole)
		lakefs_gen_advance(&li->plain_flushed, plain);
	return 0;
}

/* An error of an earlier write is fsync's to tell. */
int lakefs_flush_before_rename(struct inode *inode)
{
	struct address_space *mapping = inode->i_mapping;
	errseq_t since = filemap_sample_wb_err(mapping);
	int err = filemap_fdatawrite(mapping);

	filemap_fdatawait_keep_errors(mapping);
	return err ? err : filemap_check_wb_err(mapping, since);
}

/* ---- the rest ------------------------------------------------------------ */

static loff_t lakefs_llseek(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file_inode(file);
	int err;

	if (whence != SEEK_HOLE && whence != SEEK_DATA)
		return generic_file_llseek(file, offset, whence);
	err = lakefs_extents_load(inode);
	if (err)
		return err;
	inode_lock_shared(inode);
	offset = lakefs_seek(inode, offset, whence);
	inode_unlock_shared(inode);
	if (offset < 0)
		return offset;
	return vfs_setpos(file, offset, inode->i_sb->s_maxbytes);
}

static int lakefs_open(struct inode *inode, struct file *file)
{
	if (lakefs_is_shutdown(LAKEFS_SB(inode->i_sb)))
		return -EIO;
	file->f_mode |= FMODE_CAN_ODIRECT;
	return generic_file_open(inode, file);
}

/*
 * A file that was emptied and written anew: its data is on its way when the
 * program is done with it, and a crash soon after finds it.
 */
static int lakefs_release(struct inode *inode, struct file *file)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);

	if ((file->f_mode & FMODE_WRITE) && READ_ONCE(li->flush_on_close)) {
		WRITE_ONCE(li->flush_on_close, false);
		filemap_flush(inode->i_mapping);
	}
	return 0;
}

const struct file_operations lakefs_file_fops = {
	.open		= lakefs_open,
	.release	= lakefs_release,
	.llseek		= lakefs_llseek,
	.read_iter	= lakefs_read_iter,
	.write_iter	= lakefs_write_iter,
	.splice_read	= lakefs_splice_read,
	.splice_write	= iter_file_splice_write,
	.fadvise	= lakefs_fadvise,
	.mmap		= lakefs_mmap,
	.fsync		= lakefs_fsync,
	.fallocate	= lakefs_fallocate,
	.remap_file_range = lakefs_remap_file_range,
	.setlease	= generic_setlease,
	.unlocked_ioctl	= lakefs_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl	= lakefs_compat_ioctl,
#endif
};
