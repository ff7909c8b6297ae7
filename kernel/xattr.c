// SPDX-License-Identifier: GPL-2.0
/*
 * Extended attributes: the daemon keeps names and values, the kernel knows
 * how many an inode has. None (the usual case) needs no question at all.
 * Changes are intents; i_rwsem, which the VFS holds around them, makes the
 * look whether a name exists and the change one step.
 *
 * Names travel whole ("user.x"), ACLs in the VFS's own encoding under their
 * usual names: see acl.c.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/posix_acl_xattr.h>
#include <linux/slab.h>
#include <linux/xattr.h>
#include "xattr.h"

/*
 * Value of a name, in a buffer of LAKEFS_XATTR_VALUE_MAX bytes. Returns its
 * length, -ENODATA, or another error.
 */
int lakefs_xattr_ask(struct inode *inode, const char *name, void *value)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	size_t name_bytes = strlen(name);
	struct {
		struct lakefs_r_name ask;
		char name[XATTR_NAME_MAX + 1];
	} body = { .ask.ino = inode->i_ino, .ask.name_bytes = name_bytes };
	struct lakefs_answer answer = {
		.reply = value,
		.reply_max = LAKEFS_XATTR_VALUE_MAX,
	};

	if (!READ_ONCE(li->xattr_count))
		return -ENODATA;
	if (!name_bytes || name_bytes > XATTR_NAME_MAX)
		return -ERANGE;
	memcpy(body.name, name, name_bytes);
	return lakefs_request(LAKEFS_SB(inode->i_sb), &body,
			      sizeof(body.ask) + name_bytes,
			      LAKEFS_R_GETXATTR, READ_ONCE(li->last_seq),
			      &answer);
}

void *lakefs_xattr_buf(void)
{
	return kvmalloc(LAKEFS_XATTR_VALUE_MAX, GFP_KERNEL);
}

/* 1, 0 or an error */
static int lakefs_xattr_exists(struct inode *inode, const char *name)
{
	void *value;
	int ret;

	if (!LAKEFS_I(inode)->xattr_count)
		return 0;
	value = lakefs_xattr_buf();
	if (!value)
		return -ENOMEM;
	ret = lakefs_xattr_ask(inode, name, value);
	kvfree(value);
	if (ret == -ENODATA)
		return 0;
	return ret < 0 ? ret : 1;
}

/* All names of the inode, each with its NUL; bytes of them or an error */
static int lakefs_xattr_names(struct inode *inode, char *names)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	struct lakefs_r_ino ask = { .ino = inode->i_ino };
	struct lakefs_answer answer = {
		.reply = names,
		.reply_max = LAKEFS_XATTR_LIST_MAX,
	};
	int ret;

	if (!READ_ONCE(li->xattr_count))
		return 0;
	ret = lakefs_request(LAKEFS_SB(inode->i_sb), &ask, sizeof(ask),
			     LAKEFS_R_LISTXATTR, READ_ONCE(li->last_seq),
			     &answer);
	if (ret > 0 && names[ret - 1]) {
		lakefs_err(LAKEFS_SB(inode->i_sb),
			   "bad list of xattrs of inode %llu", (u64)inode->i_ino);
		return -EUCLEAN;
	}
	return ret;
}

/* Would one more name make the list longer than listxattr can give? */
static int lakefs_xattr_room(struct inode *inode, size_t name_bytes)
{
	size_t most = XATTR_NAME_MAX + 1;
	char *names;
	int ret;

	if ((LAKEFS_I(inode)->xattr_count + 1) * most <= LAKEFS_XATTR_LIST_MAX)
		return 0;
	names = kvmalloc(LAKEFS_XATTR_LIST_MAX, GFP_KERNEL);
	if (!names)
		return -ENOMEM;
	ret = lakefs_xattr_names(inode, names);
	kvfree(names);
	if (ret < 0)
		return ret;
	return ret + name_bytes + 1 > LAKEFS_XATTR_LIST_MAX ? -ENOSPC : 0;
}

/* The record is complete but for what the inode now has: cannot fail. */
void lakefs_xattr_emit(struct inode *inode, struct lakefs_rec *rec)
{
	struct lakefs_i_xattr *e = (struct lakefs_i_xattr *)rec->entry.bytes;
	struct timespec64 now = current_time(inode);

	lakefs_stamp(inode, now, S_CTIME);
	lakefs_put_time(&e->ctime, now);
	e->mode = inode->i_mode & S_IALLUGO;
	lakefs_touch(inode, lakefs_rec_emit(LAKEFS_SB(inode->i_sb), rec));
}

/* Everything is allowed. */
static void lakefs_xattr_commit(struct inode *inode, struct lakefs_rec *rec,
				const struct lakefs_xattr_change *c,
				int count_change)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);

	if (c->set_mode)
		inode->i_mode = c->mode;
	WRITE_ONCE(li->xattr_count, li->xattr_count + count_change);
	lakefs_xattr_emit(inode, rec);
}

struct lakefs_rec *
lakefs_xattr_rec(struct inode *inode, const struct lakefs_xattr_change *c)
{
	size_t name_bytes = strlen(c->name);
	struct lakefs_i_xattr *e;
	struct lakefs_rec *rec;

	rec = lakefs_rec_alloc(LAKEFS_I_XATTR, sizeof(*e) + name_bytes +
			       c->bytes, GFP_KERNEL);
	if (!rec)
		return NULL;
	e = (struct lakefs_i_xattr *)rec->entry.bytes;
	e->ino = inode->i_ino;
	e->set_mode = c->set_mode;
	e->action = c->value ? LAKEFS_XATTR_SET : LAKEFS_XATTR_REMOVE;
	e->value_bytes = c->bytes;
	e->name_bytes = name_bytes;
	memcpy(e + 1, c->name, name_bytes);
	if (c->bytes)
		memcpy((u8 *)(e + 1) + name_bytes, c->value, c->bytes);
	return rec;
}

int lakefs_xattr_change(struct inode *inode,
			const struct lakefs_xattr_change *c)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(inode->i_sb);
	size_t name_bytes = strlen(c->name);
	struct lakefs_rec *rec;
	int err, exists;

	if (!name_bytes || name_bytes > XATTR_NAME_MAX)
		return -ERANGE;
	if (c->bytes > LAKEFS_XATTR_VALUE_MAX)
		return -E2BIG;
	err = c->value ? lakefs_op_begin_growing(sbi) : lakefs_op_begin(sbi);
	if (err)
		return err;
	exists = lakefs_xattr_exists(inode, c->name);
	if (exists < 0)
		return exists;
	if (exists && (c->flags & XATTR_CREATE))
		return -EEXIST;
	if (!exists && (!c->value || (c->flags & XATTR_REPLACE)))
		return -ENODATA;
	if (!exists) {
		err = lakefs_xattr_room(inode, name_bytes);
		if (err)
			return err;
	}
	rec = lakefs_xattr_rec(inode, c);
	if (!rec)
		return -ENOMEM;
	lakefs_xattr_commit(inode, rec, c,
			    c->value ? !exists : -exists);
	return 0;
}

/* ---- the VFS's side ------------------------------------------------------ */

static int lakefs_xattr_get(const struct xattr_handler *handler,
			    struct dentry *dentry, struct inode *inode,
			    const char *name, void *buffer, size_t size)
{
	void *value;
	int ret;

	if (!READ_ONCE(LAKEFS_I(inode)->xattr_count))
		return -ENODATA;
	value = lakefs_xattr_buf();
	if (!value)
		return -ENOMEM;
	ret = lakefs_xattr_ask(inode, xattr_full_name(handler, name), value);
	if (ret >= 0 && size) {
		if (ret > size)
			ret = -ERANGE;
		else
			memcpy(buffer, value, ret);
	}
	kvfree(value);
	return ret;
}

static int lakefs_xattr_set(const struct xattr_handler *handler,
			    LAKEFS_IDMAP *idmap, struct dentry *dentry,
			    struct inode *inode, const char *name,
			    const void *value, size_t size, int flags)
{
	struct lakefs_xattr_change c = {
		.name = xattr_full_name(handler, name),
		.value = value, .bytes = size, .flags = flags,
	};
	int err = lakefs_xattr_change(inode, &c);

	return err ? err : lakefs_sync_attr(inode);
}

static const struct xattr_handler lakefs_user_handler = {
	.prefix = XATTR_USER_PREFIX,
	.get = lakefs_xattr_get,
	.set = lakefs_xattr_set,
};

static const struct xattr_handler lakefs_trusted_handler = {
	.prefix = XATTR_TRUSTED_PREFIX,
	.get = lakefs_xattr_get,
	.set = lakefs_xattr_set,
};

static const struct xattr_handler lakefs_security_handler = {
	.prefix = XATTR_SECURITY_PREFIX,
	.get = lakefs_xattr_get,
	.set = lakefs_xattr_set,
};

const lakefs_xattr_table_t lakefs_xattr_handlers[] = {
	&lakefs_user_handler,
	&lakefs_trusted_handler,
	&lakefs_security_handler,
#if !LAKEFS_KERNEL(6, 4)
	&posix_acl_access_xattr_handler,
	&posix_acl_default_xattr_handler,
#endif
	NULL
};

/* trusted.* is shown to those who may read it; unknown names to nobody */
static bool lakefs_xattr_shown(struct inode *inode, const char *name)
{
	if (!strncmp(name, XATTR_USER_PREFIX, XATTR_USER_PREFIX_LEN) ||
	    !strncmp(name, XATTR_SECURITY_PREFIX, XATTR_SECURITY_PREFIX_LEN))
		return true;
	if (!strncmp(name, XATTR_TRUSTED_PREFIX, XATTR_TRUSTED_PREFIX_LEN))
		return capable(CAP_SYS_ADMIN);
	if (!strcmp(name, XATTR_NAME_POSIX_ACL_ACCESS) ||
	    !strcmp(name, XATTR_NAME_POSIX_ACL_DEFAULT))
		return IS_POSIXACL(inode);
	return false;
}

ssize_t lakefs_listxattr(struct dentry *dentry, char *buf, size_t size)
{
	struct inode *inode = d_inode(dentry);
	ssize_t ret, used = 0;
	const char *name;
	char *names;

	if (!READ_ONCE(LAKEFS_I(inode)->xattr_count))
		return 0;
	names = kvmalloc(LAKEFS_XATTR_LIST_MAX, GFP_KERNEL);
	if (!names)
		return -ENOMEM;
	ret = lakefs_xattr_names(inode, names);
	for (name = names; ret > 0 && name < names + ret;) {
		size_t bytes = strlen(name) + 1;

		if (lakefs_xattr_shown(inode, name)) {
			if (size && used + bytes > size) {
				ret = -ERANGE;
				break;
			}
			if (size)
				memcpy(buf + used, name, bytes);
			used += bytes;
		}
		name += bytes;
	}
	kvfree(names);
	return ret < 0 ? ret : used;
}
