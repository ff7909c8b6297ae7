// SPDX-License-Identifier: GPL-2.0
/*
 * Attributes: stat, chmod and friends, and the times.
 *
 * Times that the kernel sets by itself (atime, mtime of writes) wait in
 * memory as attr_dirty with a record already allocated (attr_rec); the next
 * record of the inode carries them, or write_inode emits them alone. Every
 * emission that reads times happens under attr_lock together with the
 * reading; whoever sets times takes the lock once between setting them and
 * emitting his record. So a record that carries older times never follows one
 * with newer times.
 */
#include <linux/blkdev.h>
#include <linux/iversion.h>
#include "lakefs.h"

/* ---- times --------------------------------------------------------------- */

int lakefs_prepare_dirty(struct inode *inode, gfp_t gfp)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	struct lakefs_rec *rec;

	if (READ_ONCE(li->attr_rec))
		return 0;
	rec = lakefs_rec_alloc(LAKEFS_I_SETATTR,
			       sizeof(struct lakefs_i_setattr), gfp);
	if (!rec)
		return -ENOMEM;
	spin_lock(&li->attr_lock);
	if (!li->attr_rec) {
		WRITE_ONCE(li->attr_rec, rec);
		rec = NULL;
	}
	spin_unlock(&li->attr_lock);
	lakefs_rec_free(rec);
	return 0;
}

static void lakefs_set_times(struct inode *inode, struct timespec64 now,
			     int which)
{
	if (which & S_ATIME)
		inode_set_atime_to_ts(inode, now);
	if (which & S_MTIME)
		inode_set_mtime_to_ts(inode, now);
	if (which & S_CTIME)
		inode_set_ctime_to_ts(inode, now);
	/*
	 * Tells changes within a tick of the clock apart. Of what is changed
	 * after its times (data, size) whoever changes it does this once more
	 * (linux/iversion.h): between the two somebody may have asked.
	 */
	if (which & ~S_ATIME)
		inode_maybe_inc_iversion(inode, false);
}

static u32 lakefs_time_bits(int which)
{
	return (which & S_ATIME ? LAKEFS_ATTR_ATIME : 0) |
	       (which & S_MTIME ? LAKEFS_ATTR_MTIME : 0) |
	       (which & S_CTIME ? LAKEFS_ATTR_CTIME : 0);
}

static int lakefs_dirty_times(struct inode *inode, struct timespec64 now,
			      int which)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	bool lazy = inode->i_sb->s_flags & SB_LAZYTIME;
	int err;

again:
	err = lakefs_prepare_dirty(inode, GFP_NOFS);
	if (err)
		return err;
	spin_lock(&li->attr_lock);
	if (!li->attr_rec) {		/* taken by a flush meanwhile */
		spin_unlock(&li->attr_lock);
		goto again;
	}
	lakefs_set_times(inode, now, which);
	li->attr_dirty |= lakefs_time_bits(which);
	spin_unlock(&li->attr_lock);
	__mark_inode_dirty(inode, lazy ? I_DIRTY_TIME : I_DIRTY_SYNC);
	return 0;
}

LAKEFS_UPDATE_TIME_PROTO(lakefs_update_time)
{
	struct timespec64 now;
	int which;

	lakefs_update_time_args(inode, now, which);
	if (!(which & (S_ATIME | S_MTIME | S_CTIME))) {
		/* the times are those of this tick already */
		inode_maybe_inc_iversion(inode, false);
		return 0;
	}
	return lakefs_dirty_times(inode, now, which);
}

void lakefs_stamp(struct inode *inode, struct timespec64 now, int which)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);

	spin_lock(&li->attr_lock);
	lakefs_set_times(inode, now, which);
	li->attr_dirty &= ~lakefs_time_bits(which);
	spin_unlock(&li->attr_lock);
}

void lakefs_carry_times(struct inode *inode, struct lakefs_time *mtime,
			struct lakefs_time *ctime)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);

	lockdep_assert_held(&li->attr_lock);
	lakefs_put_time(mtime, inode_get_mtime(inode));
	lakefs_put_time(ctime, inode_get_ctime(inode));
	li->attr_dirty &= ~(LAKEFS_ATTR_MTIME | LAKEFS_ATTR_CTIME);
}

void lakefs_fill_setattr(struct inode *inode, struct lakefs_i_setattr *e,
			 u32 valid)
{
	e->ino = LAKEFS_I(inode)->ino;
	e->valid = valid;
	e->mode = inode->i_mode & S_IALLUGO;
	e->uid = i_uid_read(inode);
	e->gid = i_gid_read(inode);
	e->size = S_ISREG(inode->i_mode) ? i_size_read(inode) : 0;
	lakefs_put_time(&e->atime, inode_get_atime(inode));
	lakefs_put_time(&e->mtime, inode_get_mtime(inode));
	lakefs_put_time(&e->ctime, inode_get_ctime(inode));
	e->inode_flags = LAKEFS_I(inode)->flags;
	e->pad = 0;
}

void lakefs_emit_attr(struct inode *inode, struct lakefs_rec *rec, u32 valid)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);

	spin_lock(&li->attr_lock);
	valid |= li->attr_dirty;
	li->attr_dirty = 0;
	lakefs_fill_setattr(inode, (void *)rec->entry.bytes, valid);
	lakefs_touch(inode, lakefs_rec_emit(LAKEFS_SB(inode->i_sb), rec));
	spin_unlock(&li->attr_lock);
}

void lakefs_flush_attr(struct inode *inode)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	struct lakefs_rec *rec;

	/* no look without the lock: who finds nothing to do waits for last_seq */
	spin_lock(&li->attr_lock);
	rec = li->attr_rec;
	WRITE_ONCE(li->attr_rec, NULL);
	if (rec && li->attr_dirty) {
		lakefs_fill_setattr(inode, (void *)rec->entry.bytes,
				    li->attr_dirty);
		li->attr_dirty = 0;
		lakefs_touch(inode, lakefs_rec_emit(LAKEFS_SB(inode->i_sb),
						    rec));
		rec = NULL;
	}
	spin_unlock(&li->attr_lock);
	lakefs_rec_free(rec);	/* other records carried the times */
}

/* Only emits; whoever wants durability waits for last_seq afterwards. */
int lakefs_write_inode(struct inode *inode, struct writeback_control *wbc)
{
	lakefs_flush_attr(inode);
	return 0;
}

/* ---- setattr ------------------------------------------------------------- */

static u32 lakefs_attr_bits(unsigned int ia_valid)
{
	return (ia_valid & ATTR_MODE ? LAKEFS_ATTR_MODE : 0) |
	       (ia_valid & ATTR_UID ? LAKEFS_ATTR_UID : 0) |
	       (ia_valid & ATTR_GID ? LAKEFS_ATTR_GID : 0) |
	       (ia_valid & ATTR_ATIME ? LAKEFS_ATTR_ATIME : 0) |
	       (ia_valid & ATTR_MTIME ? LAKEFS_ATTR_MTIME : 0) |
	       (ia_valid & ATTR_CTIME ? LAKEFS_ATTR_CTIME : 0);
}

/* Emit what inode now holds. A size goes out with the rest in one record. */
static int lakefs_record_attr(struct inode *inode, struct lakefs_rec *rec,
			      u32 valid, const struct iattr *attr)
{
	int err = 0;

	if ((attr->ia_valid & ATTR_SIZE) && S_ISREG(inode->i_mode)) {
		err = lakefs_set_size(inode, attr->ia_size, valid);
		if (!err) {
			lakefs_rec_free(rec);
			return 0;
		}
	}
	lakefs_emit_attr(inode, rec, valid);
	return err;
}

/* -o sync, chattr +S: what was recorded of the inode is durable afterwards */
int lakefs_sync_attr(struct inode *inode)
{
	if (!IS_SYNC(inode))
		return 0;
	return lakefs_wait_durable(LAKEFS_SB(inode->i_sb),
				   LAKEFS_I(inode)->last_seq);
}

int lakefs_setattr(LAKEFS_IDMAP *idmap, struct dentry *dentry,
		   struct iattr *attr)
{
	struct lakefs_acl_chmod chmod = { };
	struct inode *inode = d_inode(dentry);
	struct lakefs_sb_info *sbi = LAKEFS_SB(inode->i_sb);
	struct lakefs_rec *rec;
	int err;

	/* of a file that was open before: the VFS looks when one is opened */
	if (IS_IMMUTABLE(inode))
		return -EPERM;
	err = setattr_prepare(idmap, dentry, attr);
	if (err)
		return err;
	err = lakefs_op_begin(sbi);
	if (err)
		return err;
	rec = lakefs_rec_alloc(LAKEFS_I_SETATTR,
			       sizeof(struct lakefs_i_setattr), GFP_KERNEL);
	if (!rec)
		return -ENOMEM;

	if (attr->ia_valid & ATTR_MODE) {
		err = lakefs_prepare_chmod(inode, attr->ia_mode, &chmod);
		if (err) {
			lakefs_rec_free(rec);
			return err;
		}
	}

	setattr_copy(idmap, inode, attr);
	/* first of all: mode and ACL are one record, and become durable as one */
	lakefs_acl_chmod(inode, &chmod);
	err = lakefs_record_attr(inode, rec, lakefs_attr_bits(attr->ia_valid),
				 attr);
	inode_maybe_inc_iversion(inode, false);
	return err ? err : lakefs_sync_attr(inode);
}

/* ---- getattr ------------------------------------------------------------- */

/*
 * i_size of a directory is its number of entries. Programs are told bytes: 32
 * for each entry, in whole blocks, at least one.
 */
static loff_t lakefs_dir_bytes(struct inode *inode)
{
	loff_t entries = min_t(loff_t, i_size_read(inode), S32_MAX);

	return max_t(loff_t, round_up(entries * 32, LAKEFS_BLOCK_SIZE),
		     LAKEFS_BLOCK_SIZE);
}

/* Not under ext_lock, whose holders wait: a figure of some moment is enough. */
static u64 lakefs_stat_blocks(const struct lakefs_inode_info *li)
{
	u64 blocks = READ_ONCE(li->delayed_blocks);

	/* what becomes mapped meanwhile is counted there first (extent.c) */
	smp_rmb();
	return blocks + READ_ONCE(li->mapped_blocks);
}

/*
 * i_version begins anew when an inode is loaded. Of a file knfsd adds the ctime
 * to it, and not of a directory, where each change moves the ctime, too.
 */
static void lakefs_dir_cookie(struct kstat *stat)
{
#ifdef STATX_CHANGE_COOKIE
	if (stat->result_mask & STATX_CHANGE_COOKIE)
		stat->change_cookie += ((u64)stat->ctime.tv_sec << 30) +
				       stat->ctime.tv_nsec;
#endif
}

int lakefs_getattr(LAKEFS_IDMAP *idmap, const struct path *path,
		   struct kstat *stat, u32 mask, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct lakefs_inode_info *li = LAKEFS_I(inode);

	lakefs_fillattr(idmap, mask, inode, stat);
	stat->btime = li->btime;
	stat->result_mask |= STATX_BTIME;
	if (li->flags & LAKEFS_INODE_IMMUTABLE)
		stat->attributes |= STATX_ATTR_IMMUTABLE;
	if (li->flags & LAKEFS_INODE_APPEND)
		stat->attributes |= STATX_ATTR_APPEND;
	if (li->flags & LAKEFS_INODE_NODUMP)
		stat->attributes |= STATX_ATTR_NODUMP;
	stat->attributes_mask |= STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND |
				 STATX_ATTR_NODUMP;
	stat->blocks = lakefs_stat_blocks(li) << (LAKEFS_BLOCK_BITS - 9);
	if (S_ISDIR(inode->i_mode)) {
		stat->size = lakefs_dir_bytes(inode);
		lakefs_dir_cookie(stat);
	}
	if ((mask & STATX_DIOALIGN) && S_ISREG(inode->i_mode)) {
		/* smaller writes work, but go through the page cache */
		stat->result_mask |= STATX_DIOALIGN;
		stat->dio_mem_align = bdev_dma_alignment(inode->i_sb->s_bdev) +
				      1;
		stat->dio_offset_align = LAKEFS_BLOCK_SIZE;
	}
	return 0;
}
