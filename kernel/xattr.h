/* SPDX-License-Identifier: GPL-2.0 */
/* What xattr.c and acl.c share. */
#ifndef LAKEFS_XATTR_H
#define LAKEFS_XATTR_H

#include "lakefs.h"

struct lakefs_xattr_change {
	const char *name;
	const void *value;		/* NULL: remove */
	size_t bytes;
	int flags;			/* XATTR_CREATE, XATTR_REPLACE */
	bool set_mode;
	umode_t mode;			/* new i_mode with set_mode */
};

/* i_rwsem held. -ENODATA when the name to be removed is not there. */
int lakefs_xattr_change(struct inode *inode,
			const struct lakefs_xattr_change *c);
/* the record of a change, for lakefs_xattr_emit(); NULL: no memory */
struct lakefs_rec *lakefs_xattr_rec(struct inode *inode,
				    const struct lakefs_xattr_change *c);
void lakefs_xattr_emit(struct inode *inode, struct lakefs_rec *rec);
int lakefs_xattr_ask(struct inode *inode, const char *name, void *value);
/* room for one value; kvfree */
void *lakefs_xattr_buf(void);

#endif /* LAKEFS_XATTR_H */
