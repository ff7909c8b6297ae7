// SPDX-License-Identifier: GPL-2.0
/*
 * ioctls on files and directories of a mount: inode flags (through
 * fileattr), generation, and the person's shutdown.
 */
#include <linux/compat.h>
#include <linux/mount.h>
#include <linux/uaccess.h>
#include "lakefs.h"

static const struct {
	u32 fs;				/* FS_*_FL */
	u32 lake;			/* LAKEFS_INODE_* */
} lakefs_flag_map[] = {
	{ FS_IMMUTABLE_FL,	LAKEFS_INODE_IMMUTABLE },
	{ FS_APPEND_FL,		LAKEFS_INODE_APPEND },
	{ FS_NODUMP_FL,		LAKEFS_INODE_NODUMP },
	{ FS_NOATIME_FL,	LAKEFS_INODE_NOATIME },
	{ FS_SYNC_FL,		LAKEFS_INODE_SYNC },
	{ FS_DIRSYNC_FL,	LAKEFS_INODE_DIRSYNC },
};

int lakefs_fileattr_get(struct dentry *dentry, LAKEFS_FILEATTR *fa)
{
	u32 flags = LAKEFS_I(d_inode(dentry))->flags, fs = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(lakefs_flag_map); i++)
		if (flags & lakefs_flag_map[i].lake)
			fs |= lakefs_flag_map[i].fs;
	fileattr_fill_flags(fa, fs);
	return 0;
}

/*
 * Who has a file open or mapped stops writing to it when it becomes immutable.
 * Faults look at the flag under the lock (fault.c), and what was writable before
 * is not after it was written back. i_rwsem
 */
static int lakefs_change_flags(struct inode *inode, u32 flags)
{
	struct address_space *mapping = inode->i_mapping;
	u32 old = LAKEFS_I(inode)->flags;
	int err;

	if (!S_ISREG(inode->i_mode) || IS_IMMUTABLE(inode) ||
	    !(flags & LAKEFS_INODE_IMMUTABLE)) {
		lakefs_set_flags(inode, flags);
		return 0;
	}
	filemap_invalidate_lock(mapping);
	lakefs_set_flags(inode, flags);
	filemap_invalidate_unlock(mapping);
	inode_dio_wait(inode);
	err = filemap_write_and_wait(mapping);
	if (err)
		lakefs_set_flags(inode, old);
	return err;
}

/* The VFS holds i_rwsem and has checked who may do this. */
int lakefs_fileattr_set(LAKEFS_IDMAP *idmap, struct dentry *dentry,
			LAKEFS_FILEATTR *fa)
{
	struct inode *inode = d_inode(dentry);
	struct lakefs_sb_info *sbi = LAKEFS_SB(inode->i_sb);
	u32 left = fa->flags, flags = 0;
	struct lakefs_rec *rec;
	int i, err;

	if (fileattr_has_fsx(fa))
		return -EOPNOTSUPP;
	for (i = 0; i < ARRAY_SIZE(lakefs_flag_map); i++) {
		if (fa->flags & lakefs_flag_map[i].fs)
			flags |= lakefs_flag_map[i].lake;
		left &= ~lakefs_flag_map[i].fs;
	}
	if (left)
		return -EOPNOTSUPP;
	if ((flags & LAKEFS_INODE_DIRSYNC) && !S_ISDIR(inode->i_mode))
		return -EINVAL;

	err = lakefs_op_begin(sbi);
	if (err)
		return err;
	rec = lakefs_rec_alloc(LAKEFS_I_SETATTR,
			       sizeof(struct lakefs_i_setattr), GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	err = lakefs_change_flags(inode, flags);
	if (err) {
		lakefs_rec_free(rec);
		return err;
	}
	lakefs_stamp(inode, current_time(inode), S_CTIME);
	lakefs_emit_attr(inode, rec, LAKEFS_ATTR_FLAGS | LAKEFS_ATTR_CTIME);
	return lakefs_sync_attr(inode);
}

#define LAKEFS_GOING_SYNC	0	/* everything durable first */
#define LAKEFS_GOING_LOGFLUSH	1	/* what is recorded durable first */
#define LAKEFS_GOING_NOLOGFLUSH	2

static int lakefs_ioc_shutdown(struct super_block *sb, u32 __user *arg)
{
	u32 how;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (get_user(how, arg))
		return -EFAULT;
	switch (how) {
	case LAKEFS_GOING_SYNC:
		err = lakefs_freeze_super(sb);
		if (err)
			return err;
		lakefs_shutdown(LAKEFS_SB(sb), -EIO, "shut down by ioctl");
		lakefs_thaw_super(sb);
		return 0;
	case LAKEFS_GOING_LOGFLUSH:
		err = lakefs_wait_durable(LAKEFS_SB(sb),
					  lakefs_last_seq(LAKEFS_SB(sb)));
		if (err)
			return err;
		fallthrough;
	case LAKEFS_GOING_NOLOGFLUSH:
		lakefs_shutdown(LAKEFS_SB(sb), -EIO, "shut down by ioctl");
		return 0;
	default:
		return -EINVAL;
	}
}

long lakefs_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct inode *inode = file_inode(file);

	switch (cmd) {
	case FS_IOC_GETVERSION:
		return put_user(inode->i_generation, (u32 __user *)arg);
	case LAKEFS_FS_IOC_SHUTDOWN:
		return lakefs_ioc_shutdown(inode->i_sb, (u32 __user *)arg);
	case FITRIM:
		return lakefs_fitrim(inode->i_sb,
				     (struct fstrim_range __user *)arg);
	default:
		return -ENOTTY;
	}
}

#ifdef CONFIG_COMPAT
long lakefs_compat_ioctl(struct file *file, unsigned int cmd,
			 unsigned long arg)
{
	if (cmd == FS_IOC32_GETVERSION)
		cmd = FS_IOC_GETVERSION;
	return lakefs_ioctl(file, cmd, (unsigned long)compat_ptr(arg));
}
#endif
