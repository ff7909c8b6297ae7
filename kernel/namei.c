// SPDX-License-Identifier: GPL-2.0
/*
 * Names: lookup, and every change of the tree.
 *
 * A change is made in memory and told to the daemon as one intent. Whatever
 * can fail or wait (back-pressure, inode number, records, ACLs, security
 * labels) comes first; then state and record change together under the VFS
 * locks. Only a lookup of a name that neither the dcache nor the directory's
 * table (dircache.c) has an answer for waits for the daemon. There is no d_revalidate: nobody else changes the tree, so what the
 * dcache holds, negative entries included, stays true.
 */
#include <linux/fs.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include "namei.h"
#include "table.h"

/* ---- lookup -------------------------------------------------------------- */

static struct inode *lakefs_ask_name(struct inode *dir, const struct qstr *name)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(dir->i_sb);
	struct {
		struct lakefs_r_name ask;
		char name[LAKEFS_NAME_MAX + 1];
	} body = { .ask.ino = dir->i_ino, .ask.name_bytes = name->len };
	struct lakefs_answer answer = { .reply_max = LAKEFS_INODE_ANSWER_MAX };
	struct inode *inode;
	u64 barrier;
	int ret;

	answer.reply = kmalloc(answer.reply_max, GFP_KERNEL);
	if (!answer.reply)
		return ERR_PTR(-ENOMEM);
	memcpy(body.name, name->name, name->len);
	/* the inode behind the name may have been changed and evicted */
	barrier = max(READ_ONCE(LAKEFS_I(dir)->last_seq),
		      lakefs_unknown_barrier(sbi));
	ret = lakefs_request(sbi, &body, sizeof(body.ask) + name->len,
			     LAKEFS_R_LOOKUP, barrier, &answer);
	if (ret == -ENOENT)
		inode = NULL;
	else if (ret < 0)
		inode = ERR_PTR(ret);
	else
		inode = lakefs_iget(dir->i_sb, answer.reply, ret, barrier);
	kfree(answer.reply);
	return inode;
}

/* NULL: no such name. Only an incomplete directory has it asked for. */
static struct inode *lakefs_find_name(struct inode *dir,
				      const struct qstr *name, bool to_open)
{
	struct lakefs_table *t = lakefs_cache_get(dir);
	struct lakefs_entry *e;
	int err;

	if (!t) {
		err = lakefs_cache_missed(dir);
		if (err)
			return ERR_PTR(err);
		t = lakefs_cache_get(dir);
	}
	if (!t)
		return lakefs_ask_name(dir, name);
	e = lakefs_table_find(t, name);
	if (e)
		return lakefs_fetch(dir, t, e, to_open);
	lakefs_cache_put(dir);
	return NULL;
}

static struct dentry *lakefs_lookup(struct inode *dir, struct dentry *dentry,
				    unsigned int flags)
{
	if (dentry->d_name.len > LAKEFS_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	return d_splice_alias(lakefs_find_name(dir, &dentry->d_name,
					       flags & LOOKUP_OPEN), dentry);
}

/* ---- create -------------------------------------------------------------- */

struct lakefs_create {
	LAKEFS_IDMAP *idmap;
	struct inode *dir;
	const struct qstr *name;	/* NULL: O_TMPFILE */
	umode_t mode;
	dev_t rdev;
	const char *link;		/* of a symlink */
	size_t link_bytes;
};

static int lakefs_fill_create(const struct lakefs_create *c,
			      struct inode *inode,
			      const struct lakefs_init_xattrs *ix,
			      struct lakefs_rec **result)
{
	size_t name_bytes = c->name ? c->name->len : 0;
	size_t bytes = sizeof(struct lakefs_i_create) +
		lakefs_pad(name_bytes) + lakefs_pad(c->link_bytes) + ix->bytes;
	struct lakefs_i_create *e;
	struct lakefs_rec *rec;
	u8 *at;

	if (bytes > LAKEFS_INTENT_MAX)
		return -ENOSPC;		/* ACLs and labels of absurd size */
	rec = lakefs_rec_alloc(LAKEFS_I_CREATE, bytes, GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	e = (struct lakefs_i_create *)rec->entry.bytes;
	e->dir = c->name ? c->dir->i_ino : 0;
	e->ino = inode->i_ino;
	e->mode = inode->i_mode;
	e->uid = i_uid_read(inode);
	e->gid = i_gid_read(inode);
	e->rdev = new_encode_dev(c->rdev);
	e->generation = inode->i_generation;
	e->inode_flags = LAKEFS_I(inode)->flags;
	lakefs_put_time(&e->time, LAKEFS_I(inode)->btime);
	e->name_bytes = name_bytes;
	e->link_bytes = c->link_bytes;
	e->xattr_bytes = ix->bytes;
	at = (u8 *)(e + 1);
	if (name_bytes)
		memcpy(at, c->name->name, name_bytes);
	at += lakefs_pad(name_bytes);
	if (c->link_bytes)
		memcpy(at, c->link, c->link_bytes);
	at += lakefs_pad(c->link_bytes);
	if (ix->bytes)
		memcpy(at, ix->buf, ix->bytes);
	*result = rec;
	return 0;
}

/* Everything of a create that can fail. Gives a locked inode, a full record. */
static struct inode *lakefs_prepare_create(const struct lakefs_create *c,
					   struct lakefs_rec **rec)
{
	struct lakefs_init_xattrs ix = { };
	struct inode *inode;
	umode_t mode;
	int err;

	err = lakefs_op_begin_growing(LAKEFS_SB(c->dir->i_sb));
	if (err)
		return ERR_PTR(err);
	inode = lakefs_new_inode(c->idmap, c->dir, c->mode, c->rdev);
	if (IS_ERR(inode))
		return inode;
	if (c->link) {
		LAKEFS_I(inode)->link = kmemdup_nul(c->link, c->link_bytes,
						    GFP_KERNEL);
		err = -ENOMEM;
		if (!LAKEFS_I(inode)->link)
			goto discard;
		inode->i_link = LAKEFS_I(inode)->link;
		i_size_write(inode, c->link_bytes);
	}
	mode = inode->i_mode;
	err = lakefs_init_xattrs(inode, c->dir, c->name, &mode, &ix);
	if (err)
		goto xattrs;	/* some of them may be there */
	inode->i_mode = mode;
	if (!c->name) {
		err = lakefs_prepare_orphan(inode);
		if (err)
			goto xattrs;
	}
	err = lakefs_fill_create(c, inode, &ix, rec);
	if (err)
		goto xattrs;
	lakefs_init_xattrs_done(inode, &ix, true);
	return inode;

xattrs:
	lakefs_init_xattrs_done(inode, &ix, false);
discard:
	clear_nlink(inode);
	discard_new_inode(inode);
	return ERR_PTR(err);
}

static int lakefs_create_entry(const struct lakefs_create *c,
			       struct dentry *dentry)
{
	struct inode *inode, *dir = c->dir;
	struct lakefs_table *t;
	struct lakefs_rec *rec;
	u64 seq;

	if (S_ISDIR(c->mode) && dir->i_nlink >= LAKEFS_LINK_MAX)
		return -EMLINK;
	inode = lakefs_prepare_create(c, &rec);
	if (IS_ERR(inode))
		return PTR_ERR(inode);

	t = lakefs_cache_begin(dir, c->name->len);
	lakefs_stamp(dir, LAKEFS_I(inode)->btime, S_MTIME | S_CTIME);
	lakefs_dir_count(dir, 1);
	if (S_ISDIR(inode->i_mode))
		inc_nlink(dir);
	seq = lakefs_rec_emit(LAKEFS_SB(dir->i_sb), rec);
	lakefs_touch(inode, seq);
	lakefs_touch(dir, seq);
	lakefs_cache_add(t, c->name, inode->i_ino, inode->i_mode, seq);
	lakefs_cache_end(dir, t);
	d_instantiate_new(dentry, inode);
	lakefs_dirsync(dir, seq);
	return 0;
}

static int lakefs_mknod(LAKEFS_IDMAP *idmap, struct inode *dir,
			struct dentry *dentry, umode_t mode, dev_t rdev)
{
	struct lakefs_create c = {
		.idmap = idmap, .dir = dir, .name = &dentry->d_name,
		.mode = mode,
		.rdev = S_ISCHR(mode) || S_ISBLK(mode) ? rdev : 0,
	};

	return lakefs_create_entry(&c, dentry);
}

static int lakefs_create(LAKEFS_IDMAP *idmap, struct inode *dir,
			 struct dentry *dentry, umode_t mode, bool excl)
{
	return lakefs_mknod(idmap, dir, dentry, mode | S_IFREG, 0);
}

static LAKEFS_MKDIR_TYPE lakefs_mkdir(LAKEFS_IDMAP *idmap, struct inode *dir,
				      struct dentry *dentry, umode_t mode)
{
	return LAKEFS_MKDIR_RESULT(lakefs_mknod(idmap, dir, dentry,
						mode | S_IFDIR, 0));
}

static int lakefs_symlink(LAKEFS_IDMAP *idmap, struct inode *dir,
			  struct dentry *dentry, const char *target)
{
	struct lakefs_create c = {
		.idmap = idmap, .dir = dir, .name = &dentry->d_name,
		.mode = S_IFLNK | 0777,
		.link = target, .link_bytes = strlen(target),
	};

	if (c.link_bytes > LAKEFS_SYMLINK_MAX)
		return -ENAMETOOLONG;
	return lakefs_create_entry(&c, dentry);
}

static int lakefs_tmpfile(LAKEFS_IDMAP *idmap, struct inode *dir,
			  struct file *file, umode_t mode)
{
	struct lakefs_create c = { .idmap = idmap, .dir = dir, .mode = mode };
	struct lakefs_rec *rec;
	struct inode *inode;

	inode = lakefs_prepare_create(&c, &rec);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	lakefs_orphan_add(inode);
	lakefs_touch(inode, lakefs_rec_emit(LAKEFS_SB(dir->i_sb), rec));
	d_tmpfile(file, inode);		/* nlink 1 becomes 0 here */
	unlock_new_inode(inode);
	return finish_open_simple(file, 0);
}

/* ---- link, unlink -------------------------------------------------------- */

static int lakefs_link(struct dentry *old_dentry, struct inode *dir,
		       struct dentry *dentry)
{
	struct inode *inode = d_inode(old_dentry);
	struct lakefs_sb_info *sbi = LAKEFS_SB(dir->i_sb);
	const struct qstr *name = &dentry->d_name;
	struct timespec64 now;
	struct lakefs_i_link *e;
	struct lakefs_table *t;
	struct lakefs_rec *rec;
	u64 seq;
	int err;

	if (inode->i_nlink >= LAKEFS_LINK_MAX)
		return -EMLINK;
	err = lakefs_op_begin_growing(sbi);
	if (err)
		return err;
	rec = lakefs_rec_alloc(LAKEFS_I_LINK, sizeof(*e) + name->len,
			       GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	e = (struct lakefs_i_link *)rec->entry.bytes;
	e->dir = dir->i_ino;
	e->ino = inode->i_ino;
	now = current_time(inode);	/* after what waits */
	lakefs_put_time(&e->time, now);
	e->name_bytes = name->len;
	memcpy(e + 1, name->name, name->len);

	t = lakefs_cache_begin(dir, name->len);
	lakefs_stamp(inode, now, S_CTIME);
	lakefs_stamp(dir, now, S_MTIME | S_CTIME);
	lakefs_dir_count(dir, 1);
	inc_nlink(inode);
	ihold(inode);
	seq = lakefs_rec_emit(sbi, rec);
	lakefs_touch(inode, seq);
	lakefs_touch(dir, seq);
	lakefs_cache_add(t, name, inode->i_ino, inode->i_mode, seq);
	lakefs_cache_end(dir, t);
	lakefs_orphan_del(inode);	/* it was one if O_TMPFILE made it */
	d_instantiate(dentry, inode);
	lakefs_dirsync(dir, seq);
	return 0;
}

void lakefs_drop_name(struct inode *inode)
{
	if (S_ISDIR(inode->i_mode))
		clear_nlink(inode);
	else
		drop_nlink(inode);
	if (!inode->i_nlink)
		lakefs_orphan_add(inode);
}

int lakefs_prepare_drop(struct inode *inode)
{
	/* two names of an inode whose nlink the daemon gave as 1 */
	if (!inode->i_nlink) {
		lakefs_err(LAKEFS_SB(inode->i_sb),
			   "inode %llu has more names than links",
			   (u64)inode->i_ino);
		return -EUCLEAN;
	}
	if (inode->i_nlink == 1 || S_ISDIR(inode->i_mode))
		return lakefs_prepare_orphan(inode);
	return 0;
}

static int lakefs_unlink(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	struct lakefs_sb_info *sbi = LAKEFS_SB(dir->i_sb);
	const struct qstr *name = &dentry->d_name;
	struct timespec64 now;
	struct lakefs_i_unlink *e;
	struct lakefs_table *t;
	struct lakefs_rec *rec;
	u64 seq;
	int err;

	err = lakefs_op_begin(sbi);
	if (err)
		return err;
	err = lakefs_prepare_drop(inode);
	if (err)
		return err;
	rec = lakefs_rec_alloc(LAKEFS_I_UNLINK, sizeof(*e) + name->len,
			       GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	e = (struct lakefs_i_unlink *)rec->entry.bytes;
	e->dir = dir->i_ino;
	e->ino = inode->i_ino;
	now = current_time(inode);
	lakefs_put_time(&e->time, now);
	e->name_bytes = name->len;
	memcpy(e + 1, name->name, name->len);

	t = lakefs_cache_begin(dir, 0);
	lakefs_stamp(inode, now, S_CTIME);
	lakefs_stamp(dir, now, S_MTIME | S_CTIME);
	lakefs_dir_count(dir, -1);
	if (S_ISDIR(inode->i_mode))
		lakefs_drop_subdir(dir);
	lakefs_drop_name(inode);
	seq = lakefs_rec_emit(sbi, rec);
	lakefs_touch(inode, seq);
	lakefs_touch(dir, seq);
	lakefs_cache_remove(t, name);
	lakefs_cache_end(dir, t);
	lakefs_dirsync(dir, seq);
	return 0;
}

static int lakefs_rmdir(struct inode *dir, struct dentry *dentry)
{
	if (i_size_read(d_inode(dentry)))
		return -ENOTEMPTY;
	return lakefs_unlink(dir, dentry);
}

const struct inode_operations lakefs_dir_iops = {
	.lookup		= lakefs_lookup,
	.create		= lakefs_create,
	.mknod		= lakefs_mknod,
	.mkdir		= lakefs_mkdir,
	.symlink	= lakefs_symlink,
	.tmpfile	= lakefs_tmpfile,
	.link		= lakefs_link,
	.unlink		= lakefs_unlink,
	.rmdir		= lakefs_rmdir,
	.rename		= lakefs_rename,
	.setattr	= lakefs_setattr,
	.getattr	= lakefs_getattr,
	.update_time	= lakefs_update_time,
	.listxattr	= lakefs_listxattr,
	.LAKEFS_GET_ACL_OP = lakefs_get_acl,
	.set_acl	= lakefs_set_acl,
	.fileattr_get	= lakefs_fileattr_get,
	.fileattr_set	= lakefs_fileattr_set,
};
