// SPDX-License-Identifier: GPL-2.0
/*
 * POSIX ACLs, and the xattrs an inode is born with: ACLs from its directory's
 * default ACL and labels of security modules. Those travel inside the create
 * intent.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/posix_acl_xattr.h>
#include <linux/security.h>
#include <linux/slab.h>
#include "xattr.h"

static const char *lakefs_acl_name(int type)
{
	return type == ACL_TYPE_ACCESS ? XATTR_NAME_POSIX_ACL_ACCESS :
					 XATTR_NAME_POSIX_ACL_DEFAULT;
}

/* Only asked when the VFS has not cached it; what we return it caches. */
struct posix_acl *lakefs_get_acl(struct inode *inode, int type, bool rcu)
{
	struct posix_acl *acl;
	void *value;
	int ret;

	if (rcu)
		return ERR_PTR(-ECHILD);
	if (!READ_ONCE(LAKEFS_I(inode)->xattr_count))
		return NULL;
	value = lakefs_xattr_buf();
	if (!value)
		return ERR_PTR(-ENOMEM);
	ret = lakefs_xattr_ask(inode, lakefs_acl_name(type), value);
	if (ret == -ENODATA)
		acl = NULL;
	else if (ret < 0)
		acl = ERR_PTR(ret);
	else
		acl = posix_acl_from_xattr(&init_user_ns, value, ret);
	kvfree(value);
	return acl;
}

/* An ACL that was no more than a mode: there is none, the mode changes */
static int lakefs_record_mode(struct inode *inode, umode_t mode)
{
	struct lakefs_rec *rec;

	rec = lakefs_rec_alloc(LAKEFS_I_SETATTR,
			       sizeof(struct lakefs_i_setattr), GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	inode->i_mode = mode;
	lakefs_stamp(inode, current_time(inode), S_CTIME);
	lakefs_emit_attr(inode, rec, LAKEFS_ATTR_MODE | LAKEFS_ATTR_CTIME);
	return 0;
}

LAKEFS_SET_ACL_PROTO(lakefs_set_acl)
{
	struct inode *inode = lakefs_acl_inode(acl_arg);
	struct lakefs_xattr_change c = {
		.name = lakefs_acl_name(type),
		.mode = inode->i_mode,
	};
	int err;

	if (type == ACL_TYPE_DEFAULT && !S_ISDIR(inode->i_mode))
		return acl ? -EACCES : 0;
	if (type == ACL_TYPE_ACCESS && acl) {
		err = posix_acl_update_mode(idmap, inode, &c.mode, &acl);
		if (err)
			return err;
		c.set_mode = c.mode != inode->i_mode;
	}
	c.value = lakefs_acl_to_xattr(acl, &c.bytes);
	if (IS_ERR(c.value))
		return PTR_ERR(c.value);
	err = lakefs_xattr_change(inode, &c);
	if (err == -ENODATA)	/* nothing to remove */
		err = c.set_mode ? lakefs_record_mode(inode, c.mode) : 0;
	kfree(c.value);
	if (err)
		return err;
	set_cached_acl(inode, type, acl);
	return lakefs_sync_attr(inode);
}

/*
 * What a chmod to this mode makes of the inode's ACL, before anything is changed:
 * afterwards nothing can fail. An ACL stays as long as it is, so a full lake does
 * not refuse it. setattr_copy() may still drop the set-group-ID bit, of which an
 * ACL knows nothing. The caller ends it with lakefs_acl_chmod().
 */
int lakefs_prepare_chmod(struct inode *inode, umode_t mode,
			 struct lakefs_acl_chmod *chmod)
{
	struct lakefs_xattr_change c = {
		.name = XATTR_NAME_POSIX_ACL_ACCESS, .set_mode = true,
	};
	struct posix_acl *acl;
	int err;

	if (!IS_POSIXACL(inode))
		return 0;
	if (S_ISLNK(inode->i_mode))
		return -EOPNOTSUPP;
	acl = lakefs_inode_acl(inode, ACL_TYPE_ACCESS);
	if (IS_ERR_OR_NULL(acl))
		return acl == ERR_PTR(-EOPNOTSUPP) ? 0 : PTR_ERR_OR_ZERO(acl);
	err = __posix_acl_chmod(&acl, GFP_KERNEL, mode);
	if (err)	/* the ACL is released */
		return err;
	c.value = lakefs_acl_to_xattr(acl, &c.bytes);
	if (IS_ERR(c.value)) {
		posix_acl_release(acl);
		return PTR_ERR(c.value);
	}
	chmod->rec = lakefs_xattr_rec(inode, &c);
	kfree(c.value);
	if (!chmod->rec) {
		posix_acl_release(acl);
		return -ENOMEM;
	}
	chmod->acl = acl;
	return 0;
}

/* The inode has the new mode. */
void lakefs_acl_chmod(struct inode *inode, struct lakefs_acl_chmod *chmod)
{
	if (!chmod->rec)
		return;
	lakefs_xattr_emit(inode, chmod->rec);
	set_cached_acl(inode, ACL_TYPE_ACCESS, chmod->acl);
	posix_acl_release(chmod->acl);
}

/* ---- initial xattrs ------------------------------------------------------ */

static int lakefs_init_add(struct lakefs_init_xattrs *ix, const char *prefix,
			   const char *name, const void *value, size_t bytes)
{
	size_t prefix_bytes = strlen(prefix), name_bytes = strlen(name);
	struct lakefs_xattr_rec *rec;
	size_t len;

	if (prefix_bytes + name_bytes > XATTR_NAME_MAX ||
	    bytes > LAKEFS_XATTR_VALUE_MAX)
		return -ENOSPC;
	len = ALIGN(sizeof(*rec) + prefix_bytes + name_bytes + bytes,
		    LAKEFS_ENTRY_ALIGN);
	if (len > LAKEFS_INTENT_MAX - ix->bytes)
		return -ENOSPC;
	if (ix->bytes + len > ix->room) {
		size_t room = roundup_pow_of_two(ix->bytes + len);
		u8 *buf = kvzalloc(room, GFP_KERNEL);

		if (!buf)
			return -ENOMEM;
		if (ix->bytes)
			memcpy(buf, ix->buf, ix->bytes);
		kvfree(ix->buf);
		ix->buf = buf;
		ix->room = room;
	}
	rec = (struct lakefs_xattr_rec *)(ix->buf + ix->bytes);
	rec->value_bytes = bytes;
	rec->name_bytes = prefix_bytes + name_bytes;
	memcpy(rec + 1, prefix, prefix_bytes);
	memcpy((u8 *)(rec + 1) + prefix_bytes, name, name_bytes);
	if (bytes)
		memcpy((u8 *)(rec + 1) + prefix_bytes + name_bytes, value,
		       bytes);
	ix->bytes += len;
	ix->count++;
	return 0;
}

static int lakefs_init_acl(struct lakefs_init_xattrs *ix,
			   struct posix_acl *acl, int type)
{
	size_t bytes;
	void *value;
	int err;

	if (!acl)
		return 0;
	value = lakefs_acl_to_xattr(acl, &bytes);
	if (IS_ERR(value))
		return PTR_ERR(value);
	err = lakefs_init_add(ix, "", lakefs_acl_name(type), value, bytes);
	kfree(value);
	return err;
}

/* called by security_inode_init_security() with what the modules want */
static int lakefs_init_labels(struct inode *inode, const struct xattr *labels,
			      void *data)
{
	const struct xattr *label;
	int err;

	for (label = labels; label->name; label++) {
		err = lakefs_init_add(data, XATTR_SECURITY_PREFIX, label->name,
				      label->value, label->value_len);
		if (err)
			return err;
	}
	return 0;
}

int lakefs_init_xattrs(struct inode *inode, struct inode *dir,
		       const struct qstr *name, umode_t *mode,
		       struct lakefs_init_xattrs *ix)
{
	int err;

	err = posix_acl_create(dir, mode, &ix->default_acl, &ix->acl);
	if (err)
		return err;
	err = lakefs_init_acl(ix, ix->default_acl, ACL_TYPE_DEFAULT);
	if (!err)
		err = lakefs_init_acl(ix, ix->acl, ACL_TYPE_ACCESS);
	if (!err)
		err = security_inode_init_security(inode, dir, name,
						   lakefs_init_labels, ix);
	return err == -EOPNOTSUPP ? 0 : err;
}

void lakefs_init_xattrs_done(struct inode *inode,
			     struct lakefs_init_xattrs *ix, bool success)
{
	if (success) {
		set_cached_acl(inode, ACL_TYPE_DEFAULT, ix->default_acl);
		set_cached_acl(inode, ACL_TYPE_ACCESS, ix->acl);
		LAKEFS_I(inode)->xattr_count = ix->count;
		if (!ix->count)
			inode_has_no_xattr(inode);
	}
	posix_acl_release(ix->default_acl);
	posix_acl_release(ix->acl);
	kvfree(ix->buf);
}
