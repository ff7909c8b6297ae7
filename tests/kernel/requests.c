// SPDX-License-Identifier: MPL-2.0
/* The fake daemon's answers. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "fake.h"

static void put_inode(struct answer *a, struct node *n)
{
	if (!n) {
		a->status = -ENOENT;
		return;
	}
	memcpy(a->payload, &n->rec, sizeof(n->rec));
	memcpy(a->payload + sizeof(n->rec), n->link, n->rec.link_bytes);
	a->bytes = sizeof(n->rec) + n->rec.link_bytes;
}

static void do_lookup(const struct lakefs_r_name *r, struct answer *a)
{
	struct name *e = name_find(r->ino, (const char *)(r + 1),
				   r->name_bytes);

	put_inode(a, e ? node_find(e->ino) : NULL);
}

static void do_readdir(const struct lakefs_r_readdir *r, struct answer *a)
{
	struct node *n = node_find(r->ino);
	u32 max = r->max_bytes < LAKEFS_REPLY_MAX - 64 ? r->max_bytes :
		  LAKEFS_REPLY_MAX - 64;

	if (!n) {
		a->status = -ENOENT;
		return;
	}
	for (size_t i = 0; i < n->name_count; i++) {
		struct name *e = n->names[i];
		struct lakefs_p_dirent d = {
			.cookie = e->cookie, .ino = e->ino, .type = e->type,
			.name_bytes = e->bytes,
			.len = (sizeof(d) + e->bytes + 7) & ~7u,
		};

		if (e->cookie <= r->cookie)
			continue;
		if (a->bytes + d.len > max) {
			a->flags = LAKEFS_REPLY_MORE;
			return;
		}
		memset(a->payload + a->bytes, 0, d.len);
		memcpy(a->payload + a->bytes, &d, sizeof(d));
		memcpy(a->payload + a->bytes + sizeof(d), e->text, e->bytes);
		a->bytes += d.len;
	}
}

/* of x from block at on, as long as all or none of it is shared */
static struct lakefs_p_extent piece(const struct extent *x, u64 at)
{
	u64 phys = x->phys + (at - x->file);
	bool packed = x->flags & LAKEFS_EXTENT_PACKED;
	bool skewed = !packed && x->flags & LAKEFS_EXTENT_SKEW_MASK;
	bool shared = skewed || space_shared(packed ? extent_base(x) : phys);
	struct lakefs_p_extent p = {
		.file_block = at, .phys_block = phys, .blocks = 1,
		.flags = x->flags | (shared ? LAKEFS_EXTENT_SHARED : 0),
	};

	while (at + p.blocks < x->file + x->blocks &&
	       (skewed || packed || space_shared(phys + p.blocks) == shared))
		p.blocks++;
	return p;
}

static void do_extents(const struct lakefs_r_extents *r, struct answer *a)
{
	struct node *n = node_find(r->ino);
	u32 count = 0;

	if (!n) {
		a->status = -ENOENT;
		return;
	}
	for (size_t i = 0; i < n->extent_count; i++) {
		struct extent *x = n->extents + i;
		u64 at = x->file > r->file_block ? x->file : r->file_block;

		while (at < x->file + x->blocks) {
			struct lakefs_p_extent p = piece(x, at);

			if (count++ == r->max_extents) {
				a->flags = LAKEFS_REPLY_MORE;
				return;
			}
			memcpy(a->payload + a->bytes, &p, sizeof(p));
			a->bytes += sizeof(p);
			at += p.blocks;
		}
	}
}

/* as much of the map as is wanted; true when that is all of it */
static bool put_extents(struct node *n, struct lakefs_p_inode *p, u32 max)
{
	struct lakefs_p_extent *out = (void *)((u8 *)p + p->len);

	for (size_t i = 0; i < n->extent_count; i++) {
		struct extent *x = n->extents + i;
		u64 at = x->file;

		while (at < x->file + x->blocks) {
			if (p->extents == max)
				return false;
			*out = piece(x, at);
			at += out++->blocks;
			p->extents++;
			p->len += sizeof(*out);
		}
	}
	return true;
}

static void do_inodes(const struct lakefs_r_inodes *r, struct answer *a)
{
	const u64 *ino = (const u64 *)(r + 1);
	u32 max = r->max_extents < LAKEFS_INODES_EXTENTS_MAX ?
		  r->max_extents : LAKEFS_INODES_EXTENTS_MAX;

	for (u32 i = 0; i < r->count; i++) {
		struct node *n = node_find(ino[i]);
		struct lakefs_p_inode *p = (void *)(a->payload + a->bytes);

		if (!n)
			continue;
		if (a->bytes + sizeof(*p) + n->rec.link_bytes + 8 +
		    LAKEFS_INODES_EXTENTS_MAX * sizeof(struct lakefs_p_extent) >
		    LAKEFS_REPLY_MAX - sizeof(struct lakefs_reply_hdr))
			return;
		memset(p, 0, sizeof(*p));
		p->inode = n->rec;
		memcpy(p + 1, n->link, n->rec.link_bytes);
		p->len = sizeof(*p) + ((n->rec.link_bytes + 7) & ~7u);
		if (S_ISREG(n->rec.mode) && put_extents(n, p, max))
			p->flags = LAKEFS_P_INODE_WHOLE;
		a->bytes += p->len;
	}
}

static void do_getxattr(const struct lakefs_r_name *r, struct answer *a)
{
	struct node *n = node_find(r->ino);
	struct xattr *x = n ? xattr_find(n, (const char *)(r + 1),
					 r->name_bytes) : NULL;

	if (!x) {
		a->status = n ? -ENODATA : -ENOENT;
		return;
	}
	memcpy(a->payload, x->value, x->value_bytes);
	a->bytes = x->value_bytes;
}

static void do_listxattr(const struct lakefs_r_ino *r, struct answer *a)
{
	struct node *n = node_find(r->ino);

	if (!n) {
		a->status = -ENOENT;
		return;
	}
	for (struct xattr *x = n->xattrs; x; x = x->next) {
		memcpy(a->payload + a->bytes, x->name, x->name_bytes);
		a->bytes += x->name_bytes;
		a->payload[a->bytes++] = 0;
	}
}

static void do_lease_blocks(const struct lakefs_r_lease *r, struct answer *a)
{
	size_t n = space_lease(r->want, r->goal, (void *)a->payload, 64);

	a->bytes = n * sizeof(struct lakefs_range);
	a->status = n ? 0 : -ENOSPC;
}

static void do_lease_inos(const struct lakefs_r_lease *r, struct answer *a)
{
	struct lakefs_range range = { tree_next_ino,
				      r->want < 4096 ? r->want : 4096 };

	tree_next_ino += range.count;
	memcpy(a->payload, &range, sizeof(range));
	a->bytes = sizeof(range);
}

static void do_return(const struct lakefs_r_return *r)
{
	const struct lakefs_range *range = (const void *)(r + 1);

	for (u32 i = 0; i < r->count; i++)
		space_return(range[i].start, range[i].count);
}

static void do_trim(const struct lakefs_r_trim *r, struct answer *a)
{
	a->bytes = space_trim(r, (void *)a->payload, 64) *
		   sizeof(struct lakefs_range);
}

static void do_statfs(struct answer *a)
{
	struct lakefs_p_statfs p = {
		.total_blocks = space_total(),
		.free_blocks = space_free_count(),
		.inodes = tree_inode_count(),
		.free_inodes = 1000000,
	};

	memcpy(a->payload, &p, sizeof(p));
	a->bytes = sizeof(p);
}

static void do_parent(const struct lakefs_r_ino *r, struct answer *a)
{
	struct node *n = node_find(r->ino);

	put_inode(a, n ? node_find(n->parent) : NULL);
}

static void do_mount(struct answer *a)
{
	struct lakefs_p_mount p = {
		.epoch = fake.epoch + 1,
		.last_seq = fake.applied_seq,
		.was_clean = fake.clean,
		.replayed = fake.replayed,
	};

	tree_reap_orphans();
	log_mark(LAKEFS_WAL_OP_EPOCH, p.epoch);
	log_write();
	fake.epoch = p.epoch;
	p.root = node_find(LAKEFS_ROOT_INO)->rec;
	memcpy(a->payload, &p, sizeof(p));
	a->bytes = sizeof(p);
}

void request_answer(const struct lakefs_request_hdr *hdr, struct answer *a)
{
	const void *r = hdr;

	a->status = 0;
	a->flags = a->bytes = 0;
	switch (hdr->op) {
	case LAKEFS_R_MOUNT:
		return do_mount(a);
	case LAKEFS_R_UNMOUNT:
		log_mark(LAKEFS_WAL_OP_CLEAN, fake.epoch);
		return log_write();
	case LAKEFS_R_LOOKUP:
		return do_lookup(r, a);
	case LAKEFS_R_INODE:
		return put_inode(a, node_find(((const struct lakefs_r_ino *)
					       r)->ino));
	case LAKEFS_R_READDIR:
		return do_readdir(r, a);
	case LAKEFS_R_EXTENTS:
		return do_extents(r, a);
	case LAKEFS_R_GETXATTR:
		return do_getxattr(r, a);
	case LAKEFS_R_LISTXATTR:
		return do_listxattr(r, a);
	case LAKEFS_R_LEASE_BLOCKS:
		return do_lease_blocks(r, a);
	case LAKEFS_R_LEASE_INOS:
		return do_lease_inos(r, a);
	case LAKEFS_R_TRIM:
		return do_trim(r, a);
	case LAKEFS_R_RETURN_BLOCKS:
		return do_return(r);
	case LAKEFS_R_STATFS:
		return do_statfs(a);
	case LAKEFS_R_PARENT:
		return do_parent(r, a);
	case LAKEFS_R_INODES:
		return do_inodes(r, a);
	default:
		a->status = -EOPNOTSUPP;
	}
}
