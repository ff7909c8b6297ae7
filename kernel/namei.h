/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the changes of the tree (namei.c, rename.c) share. i_size of a
 * directory is its number of entries.
 */
#ifndef LAKEFS_NAMEI_H
#define LAKEFS_NAMEI_H

#include "lakefs.h"

int lakefs_rename(LAKEFS_IDMAP *idmap, struct inode *old_dir,
		  struct dentry *old_dentry, struct inode *new_dir,
		  struct dentry *new_dentry, unsigned int flags);
/* before inode loses a name: nothing may fail afterwards */
int lakefs_prepare_drop(struct inode *inode);
/* inode loses a name; after lakefs_prepare_drop() */
void lakefs_drop_name(struct inode *inode);

static inline size_t lakefs_pad(size_t bytes)
{
	return ALIGN(bytes, LAKEFS_ENTRY_ALIGN);
}

static inline void lakefs_dir_count(struct inode *dir, int change)
{
	loff_t entries = i_size_read(dir) + change;

	/* the count came from the daemon: it may have been wrong */
	i_size_write(dir, max_t(loff_t, entries, 0));
}

/* a directory in dir went away; the daemon may have told a wrong nlink */
static inline void lakefs_drop_subdir(struct inode *dir)
{
	if (dir->i_nlink > 2)
		drop_nlink(dir);
}

/* with O_DIRSYNC and the like a change is durable when the call returns */
static inline void lakefs_dirsync(struct inode *dir, u64 seq)
{
	/* the change is done: there is no error to give for an interruption */
	if (IS_DIRSYNC(dir))
		lakefs_wait_durable(LAKEFS_SB(dir->i_sb), seq);
}

#endif /* LAKEFS_NAMEI_H */
