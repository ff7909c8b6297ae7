// SPDX-License-Identifier: MPL-2.0
/* Extended attributes of the fake daemon: a list per inode. */
#include <stdlib.h>
#include <string.h>
#include "fake.h"

struct xattr *xattr_find(struct node *n, const char *name, u16 bytes)
{
	struct xattr *x = n->xattrs;

	while (x && (x->name_bytes != bytes || memcmp(x->name, name, bytes)))
		x = x->next;
	return x;
}

const char *xattr_set(struct node *n, const char *name, u16 name_bytes,
		      const void *value, u32 value_bytes)
{
	struct xattr *x = xattr_find(n, name, name_bytes);

	if (!name_bytes || name_bytes > 255 ||
	    value_bytes > LAKEFS_XATTR_VALUE_MAX)
		return "xattr: sizes";
	if (!x) {
		x = calloc(1, sizeof(*x));
		x->next = n->xattrs;
		n->xattrs = x;
		x->name_bytes = name_bytes;
		memcpy(x->name, name, name_bytes);
		n->rec.xattr_count++;
	}
	free(x->value);
	x->value = malloc(value_bytes + 1);
	x->value_bytes = value_bytes;
	memcpy(x->value, value, value_bytes);
	return NULL;
}

const char *xattr_remove(struct node *n, const char *name, u16 name_bytes)
{
	struct xattr *x = xattr_find(n, name, name_bytes), **at = &n->xattrs;

	if (!x)
		return "xattr: nothing to remove";
	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
	free(x->value);
	free(x);
	n->rec.xattr_count--;
	return NULL;
}

void xattr_drop_all(struct node *n)
{
	while (n->xattrs)
		xattr_remove(n, n->xattrs->name, n->xattrs->name_bytes);
}
