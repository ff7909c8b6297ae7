// SPDX-License-Identifier: MPL-2.0
/* The tree of the fake daemon: inodes, names, and applying intents to them. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "fake.h"

#define BUCKETS 65536
static struct node *nodes[BUCKETS];
static struct name *names[BUCKETS];
static u64 node_count;
u64 tree_next_ino = LAKEFS_FIRST_INO;

static size_t name_bucket(u64 dir, const char *text, size_t bytes)
{
	u64 h = dir * 0x9e3779b97f4a7c15ull;

	while (bytes--)
		h = (h ^ (u8)*text++) * 0x100000001b3ull;
	return (h ^ h >> 29) % BUCKETS;
}

struct node *node_find(u64 ino)
{
	struct node *n = nodes[ino % BUCKETS];

	while (n && n->rec.ino != ino)
		n = n->next;
	return n;
}

static struct node *node_add(u64 ino)
{
	struct node *n = calloc(1, sizeof(*n));

	n->rec.ino = ino;
	n->next = nodes[ino % BUCKETS];
	nodes[ino % BUCKETS] = n;
	node_count++;
	if (ino >= tree_next_ino)
		tree_next_ino = ino + 1;
	return n;
}

static void node_drop(struct node *n, u64 seq)
{
	struct node **at = &nodes[n->rec.ino % BUCKETS];

	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	extents_cut(n, 0, ~0ull, seq);
	xattr_drop_all(n);
	free(n->extents);
	free(n->names);
	free(n);
	node_count--;
}

u64 tree_inode_count(void)
{
	return node_count;
}

void tree_init(void)
{
	struct node *root = node_add(LAKEFS_ROOT_INO);

	root->rec.mode = S_IFDIR | 0755;
	root->rec.nlink = 2;
	root->rec.generation = 1;
	root->parent = LAKEFS_ROOT_INO;
}

void tree_reap_orphans(void)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct node *n = nodes[i], *next;

		for (; n; n = next) {
			next = n->next;
			if (!n->rec.nlink)
				node_drop(n, 0);
		}
	}
}

struct name *name_find(u64 dir, const char *text, size_t bytes)
{
	struct name *e = names[name_bucket(dir, text, bytes)];

	while (e && (e->dir != dir || e->bytes != bytes ||
		     memcmp(e->text, text, bytes)))
		e = e->next;
	return e;
}

static size_t name_place(struct node *dir, u64 cookie)
{
	size_t lo = 0, hi = dir->name_count;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (dir->names[mid]->cookie < cookie)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void name_add(struct node *dir, const char *text, size_t bytes,
		     struct node *n, u64 cookie)
{
	struct name *e = calloc(1, sizeof(*e));
	size_t bucket = name_bucket(dir->rec.ino, text, bytes);
	size_t at = name_place(dir, cookie);

	e->dir = dir->rec.ino;
	e->ino = n->rec.ino;
	e->cookie = cookie;
	e->type = (n->rec.mode & S_IFMT) >> 12;
	e->bytes = bytes;
	memcpy(e->text, text, bytes);
	e->next = names[bucket];
	names[bucket] = e;
	if (dir->name_count == dir->name_room) {
		dir->name_room = dir->name_room * 2 + 8;
		dir->names = realloc(dir->names,
				     dir->name_room * sizeof(*dir->names));
	}
	memmove(dir->names + at + 1, dir->names + at,
		(dir->name_count - at) * sizeof(*dir->names));
	dir->names[at] = e;
	dir->rec.size = ++dir->name_count;
	if (S_ISDIR(n->rec.mode)) {
		n->parent = dir->rec.ino;
		dir->rec.nlink++;
	}
}

static void name_drop(struct node *dir, struct name *e)
{
	struct name **at = &names[name_bucket(e->dir, e->text, e->bytes)];
	size_t i = name_place(dir, e->cookie);

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	memmove(dir->names + i, dir->names + i + 1,
		(dir->name_count - i - 1) * sizeof(*dir->names));
	dir->rec.size = --dir->name_count;
	if (e->type == S_IFDIR >> 12)
		dir->rec.nlink--;
	free(e);
}

static void dir_times(struct node *dir, struct lakefs_time t, u64 seq)
{
	dir->rec.mtime = t;
	dir->rec.ctime = t;
	dir->rec.last_seq = seq;
}

static u32 pad8(u32 n)
{
	return (n + 7) & ~7u;
}

static const char *apply_create(const struct lakefs_i_create *e)
{
	const char *text = (const char *)(e + 1);
	const u8 *x = (const u8 *)text + pad8(e->name_bytes) +
		      pad8(e->link_bytes);
	const u8 *end = x + e->xattr_bytes;
	struct node *dir = e->dir ? node_find(e->dir) : NULL, *n;

	if (sizeof(*e) + pad8(e->name_bytes) + pad8(e->link_bytes) +
	    e->xattr_bytes > e->hdr.len)
		return "create: lengths";
	if (e->dir && (!dir || !S_ISDIR(dir->rec.mode)))
		return "create: no such directory";
	if (node_find(e->ino))
		return "create: inode number in use";
	if (e->dir && name_find(e->dir, text, e->name_bytes))
		return "create: name exists";
	n = node_add(e->ino);
	n->rec.mode = e->mode;
	n->rec.uid = e->uid;
	n->rec.gid = e->gid;
	n->rec.rdev = e->rdev;
	n->rec.generation = e->generation;
	n->rec.flags = e->inode_flags;
	n->rec.atime = n->rec.mtime = n->rec.ctime = n->rec.btime = e->time;
	n->rec.last_seq = e->hdr.seq;
	n->rec.nlink = !dir ? 0 : S_ISDIR(e->mode) ? 2 : 1;
	n->rec.link_bytes = e->link_bytes;
	memcpy(n->link, text + pad8(e->name_bytes), e->link_bytes);
	if (S_ISLNK(e->mode))
		n->rec.size = e->link_bytes;
	while (x < end) {
		const struct lakefs_xattr_rec *r = (const void *)x;
		const char *wrong = xattr_set(n, (const char *)(r + 1),
				r->name_bytes,
				(const char *)(r + 1) + r->name_bytes,
				r->value_bytes);

		if (wrong)
			return wrong;
		x += pad8(sizeof(*r) + r->name_bytes + r->value_bytes);
	}
	if (dir) {
		name_add(dir, text, e->name_bytes, n, e->hdr.seq);
		dir_times(dir, e->time, e->hdr.seq);
	}
	return NULL;
}

static const char *apply_link(const struct lakefs_i_link *e)
{
	struct node *dir = node_find(e->dir), *n = node_find(e->ino);
	const char *text = (const char *)(e + 1);

	if (!dir || !n || S_ISDIR(n->rec.mode))
		return "link: no such inode";
	if (name_find(e->dir, text, e->name_bytes))
		return "link: name exists";
	name_add(dir, text, e->name_bytes, n, e->hdr.seq);
	n->rec.nlink++;
	n->rec.ctime = e->time;
	n->rec.last_seq = e->hdr.seq;
	dir_times(dir, e->time, e->hdr.seq);
	return NULL;
}

/* n lost a name */
static void node_unlinked(struct node *n, struct lakefs_time t, u64 seq)
{
	n->rec.nlink = S_ISDIR(n->rec.mode) ? 0 : n->rec.nlink - 1;
	n->rec.ctime = t;
	n->rec.last_seq = seq;
}

static const char *apply_unlink(const struct lakefs_i_unlink *e)
{
	struct node *dir = node_find(e->dir), *n = node_find(e->ino);
	struct name *name = name_find(e->dir, (const char *)(e + 1),
				      e->name_bytes);

	if (!dir || !n || !name || name->ino != e->ino)
		return "unlink: the name is not that inode's";
	if (S_ISDIR(n->rec.mode) && n->name_count)
		return "unlink: directory not empty";
	name_drop(dir, name);
	node_unlinked(n, e->time, e->hdr.seq);
	dir_times(dir, e->time, e->hdr.seq);
	return NULL;
}

static const char *rename_exchange(struct node *sd, struct node *dd,
				   struct name *src, struct name *dst,
				   struct node *n, struct node *t)
{
	u8 type = src->type;

	if (!t || !dst)
		return "rename: nothing to exchange with";
	src->ino = t->rec.ino;
	src->type = dst->type;
	dst->ino = n->rec.ino;
	dst->type = type;
	if (S_ISDIR(n->rec.mode)) {
		n->parent = dd->rec.ino;
		sd->rec.nlink--;
		dd->rec.nlink++;
	}
	if (S_ISDIR(t->rec.mode)) {
		t->parent = sd->rec.ino;
		dd->rec.nlink--;
		sd->rec.nlink++;
	}
	return NULL;
}

static void rename_whiteout(const struct lakefs_i_rename *e, struct node *sd,
			    const char *text, u64 cookie)
{
	struct node *w = node_add(e->whiteout_ino);

	w->rec.mode = e->whiteout_mode;
	w->rec.uid = e->whiteout_uid;
	w->rec.gid = e->whiteout_gid;
	w->rec.generation = e->whiteout_generation;
	w->rec.nlink = 1;
	w->rec.last_seq = e->hdr.seq;
	w->rec.atime = w->rec.mtime = w->rec.ctime = w->rec.btime = e->time;
	name_add(sd, text, e->src_bytes, w, cookie);
}

static const char *apply_rename(const struct lakefs_i_rename *e)
{
	const char *text = (const char *)(e + 1);
	const char *to = text + pad8(e->src_bytes);
	struct node *sd = node_find(e->src_dir), *dd = node_find(e->dst_dir);
	struct node *n = node_find(e->ino);
	struct node *t = e->target_ino ? node_find(e->target_ino) : NULL;
	struct name *src = name_find(e->src_dir, text, e->src_bytes);
	struct name *dst = name_find(e->dst_dir, to, e->dst_bytes);
	const char *wrong = NULL;

	if (!sd || !dd || !n || !src || src->ino != e->ino)
		return "rename: the name is not that inode's";
	if (dst ? dst->ino != e->target_ino || !t : e->target_ino != 0)
		return "rename: another target";
	if (e->flags & LAKEFS_RENAME_EXCHANGE) {
		wrong = rename_exchange(sd, dd, src, dst, n, t);
	} else {
		u64 cookie = src->cookie;
		u64 dst_cookie = dst ? dst->cookie : e->hdr.seq;

		if (t && S_ISDIR(t->rec.mode) && t->name_count)
			return "rename: target not empty";
		if (dst) {
			name_drop(dd, dst);
			node_unlinked(t, e->time, e->hdr.seq);
		}
		name_drop(sd, src);
		name_add(dd, to, e->dst_bytes, n, dst_cookie);
		if (e->flags & LAKEFS_RENAME_WHITEOUT)
			rename_whiteout(e, sd, text, cookie);
	}
	if (t) {
		t->rec.ctime = e->time;
		t->rec.last_seq = e->hdr.seq;
	}
	n->rec.ctime = e->time;
	n->rec.last_seq = e->hdr.seq;
	dir_times(sd, e->time, e->hdr.seq);
	dir_times(dd, e->time, e->hdr.seq);
	return wrong;
}

static const char *apply_setattr(const struct lakefs_i_setattr *e)
{
	struct node *n = node_find(e->ino);

	if (!n)
		return "setattr: no such inode";
	if (e->valid & LAKEFS_ATTR_MODE)
		n->rec.mode = (n->rec.mode & S_IFMT) | (e->mode & 07777);
	if (e->valid & LAKEFS_ATTR_UID)
		n->rec.uid = e->uid;
	if (e->valid & LAKEFS_ATTR_GID)
		n->rec.gid = e->gid;
	if (e->valid & LAKEFS_ATTR_SIZE) {
		if (e->size < n->rec.size)
			extents_cut(n, (e->size + 4095) / 4096, ~0ull,
				    e->hdr.seq);
		n->rec.size = e->size;
	}
	if (e->valid & LAKEFS_ATTR_ATIME)
		n->rec.atime = e->atime;
	if (e->valid & LAKEFS_ATTR_MTIME)
		n->rec.mtime = e->mtime;
	if (e->valid & LAKEFS_ATTR_CTIME)
		n->rec.ctime = e->ctime;
	if (e->valid & LAKEFS_ATTR_FLAGS)
		n->rec.flags = e->inode_flags;
	n->rec.last_seq = e->hdr.seq;
	return NULL;
}

static const char *apply_xattr(const struct lakefs_i_xattr *e)
{
	const char *name = (const char *)(e + 1), *wrong;
	struct node *n = node_find(e->ino);

	if (!n)
		return "xattr: no such inode";
	if (e->action == LAKEFS_XATTR_SET)
		wrong = xattr_set(n, name, e->name_bytes,
				  name + e->name_bytes, e->value_bytes);
	else
		wrong = xattr_remove(n, name, e->name_bytes);
	if (e->set_mode)
		n->rec.mode = (n->rec.mode & S_IFMT) | (e->mode & 07777);
	n->rec.ctime = e->ctime;
	n->rec.last_seq = e->hdr.seq;
	return wrong;
}

static const char *apply_unmap(const struct lakefs_i_unmap *e)
{
	struct node *n = node_find(e->ino);

	if (!n)
		return "unmap: no such inode";
	extents_cut(n, e->file_block, e->file_block + e->blocks, e->hdr.seq);
	n->rec.mtime = e->mtime;
	n->rec.ctime = e->ctime;
	n->rec.last_seq = e->hdr.seq;
	return NULL;
}

/*
 * said before blocks are written in place: never those of several files, or
 * sealed ones
 */
static const char *apply_overwrite(const struct lakefs_i_overwrite *e)
{
	const struct lakefs_range *range = (const struct lakefs_range *)(e + 1);
	struct node *n = node_find(e->ino);

	if (!n)
		return "overwrite: no such inode";
	if (!e->count || e->count > LAKEFS_OVERWRITE_MAX ||
	    e->hdr.len != sizeof(*e) + e->count * sizeof(*range))
		return "overwrite: of how many ranges?";
	for (__u32 i = 0; i < e->count; i++)
		if (extents_any_shared(n, range[i].start,
				       range[i].start + range[i].count))
			return "overwrite: of shared blocks";
	for (__u32 i = 0; i < e->count; i++)
		if (extents_any_sealed(n, range[i].start,
				       range[i].start + range[i].count))
			return "overwrite: of sealed blocks";
	return NULL;
}

static const char *apply_clone(const struct lakefs_i_clone *e)
{
	struct node *src = node_find(e->src_ino), *dst = node_find(e->dst_ino);

	return src && dst ? extents_clone(src, dst, e) :
			    "clone: no such inode";
}

static const char *apply_share(const struct lakefs_i_share *e)
{
	struct node *src = node_find(e->src_ino), *dst = node_find(e->dst_ino);

	return src && dst ? extents_share(src, dst, e) :
			    "share: no such inode";
}

static const char *apply_release(const struct lakefs_i_release *e)
{
	struct node *n = node_find(e->ino);

	if (!n || n->rec.nlink)
		return "release: not an orphan";
	node_drop(n, e->hdr.seq);
	return NULL;
}

const char *tree_apply(const struct lakefs_intent_hdr *hdr)
{
	const void *e = hdr;
	struct node *n;

	switch (hdr->op) {
	case LAKEFS_I_CREATE:
		return apply_create(e);
	case LAKEFS_I_LINK:
		return apply_link(e);
	case LAKEFS_I_UNLINK:
		return apply_unlink(e);
	case LAKEFS_I_RENAME:
		return apply_rename(e);
	case LAKEFS_I_SETATTR:
		return apply_setattr(e);
	case LAKEFS_I_XATTR:
		return apply_xattr(e);
	case LAKEFS_I_MAP:
		n = node_find(((const struct lakefs_i_map *)e)->ino);
		return n ? extents_map(n, e) : "map: no such inode";
	case LAKEFS_I_UNMAP:
		return apply_unmap(e);
	case LAKEFS_I_OVERWRITE:
		return apply_overwrite(e);
	case LAKEFS_I_RELEASE:
		return apply_release(e);
	case LAKEFS_I_CLONE:
		return apply_clone(e);
	case LAKEFS_I_SHARE:
		return apply_share(e);
	case LAKEFS_I_SHIFT:
		n = node_find(((const struct lakefs_i_shift *)e)->ino);
		return n ? extents_shift(n, e) : "shift: no such inode";
	case LAKEFS_I_REMAP:
		n = node_find(((const struct lakefs_i_remap *)e)->ino);
		return n ? extents_remap(n, e) : "remap: no such inode";
	case LAKEFS_I_SEAL:
	case LAKEFS_I_CHECKED:
	case LAKEFS_I_UNSEAL:
		n = node_find(((const struct lakefs_i_seal *)e)->ino);
		return n ? extents_seal(n, e) : "seal: no such inode";
	default:
		return "unknown intent";
	}
}
