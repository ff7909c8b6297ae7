// SPDX-License-Identifier: MPL-2.0
/* What one stream's directory holds after each operation. */
#include <stdlib.h>
#include <string.h>

#include "lakecrash.h"

/* Some names are long: entries of many sizes share directory blocks. */
const char *lc_name(int name)
{
	static char names[LC_NAMES][232];
	char *out = names[name];
	int pad = name % 6 == 5 ? 200 : name % 6 == 3 ? 40 : 0;

	if (!out[0]) {
		int at = snprintf(out, sizeof(names[0]), "n%02d", name);

		memset(out + at, 'x', pad);
		out[at + pad] = 0;
	}
	return out;
}

int lc_name_index(const char *name)
{
	for (int i = 0; i < LC_NAMES; i++)
		if (!strcmp(name, lc_name(i)))
			return i;
	return -1;
}

/* Path of a name, or of the directory itself for name -1, from the stream. */
void lc_path(const struct lc_model *m, int dir, int name, char *out,
	     size_t out_bytes)
{
	char upper[4096];

	if (dir == 0) {
		snprintf(out, out_bytes, "%s", name < 0 ? "." : lc_name(name));
		return;
	}
	lc_path(m, m->nodes[dir].parent, m->nodes[dir].name, upper,
		sizeof(upper));
	snprintf(out, out_bytes, "%s%s%s", upper, name < 0 ? "" : "/",
		 name < 0 ? "" : lc_name(name));
}

/* Long targets live in a block of their own in most filesystems. */
void lc_target(const struct lc_model *m, int node, char *out,
	       size_t out_bytes)
{
	int pad = node % 3 == 0 ? 120 : 0;
	int at = snprintf(out, out_bytes, "t-%u-%d-", m->stream, node);

	if ((size_t)(at + pad) < out_bytes) {
		memset(out + at, 'y', pad);
		out[at + pad] = 0;
	}
}

/* The owner may always do everything: a load need not run as root. */
uint32_t lc_mode_of(int node, uint32_t salt)
{
	return ((uint32_t)lc_mix(((uint64_t)node << 32) + salt) & 0777) | 0700;
}

static int add_node(struct lc_model *m, enum lc_type type,
		    const struct lc_op *op)
{
	struct lc_node *n;

	if (m->nnodes == m->cap_nodes) {
		m->cap_nodes = m->cap_nodes ? 2 * m->cap_nodes : 256;
		m->nodes = lc_grow(m->nodes, m->cap_nodes * sizeof(*n));
	}
	n = &m->nodes[m->nnodes];
	memset(n, 0, sizeof(*n));
	n->type = type;
	n->mode = op->mode;
	n->create_op = n->change_op = op->index;
	n->nlink = type == LC_DIR ? 2 : 1;
	if (type == LC_DIR) {
		n->entries = lc_alloc(LC_NAMES * sizeof(int));
		for (int i = 0; i < LC_NAMES; i++)
			n->entries[i] = -1;
	}
	return m->nnodes++;
}

static void drop_old(struct lc_node *n)
{
	if (n->nversions < 2)
		return;
	for (uint32_t i = 0; i + 1 < n->nversions; i++)
		free(n->versions[i].segs);
	n->versions[0] = n->versions[n->nversions - 1];
	n->nversions = 1;
}

static void push_version(struct lc_model *m, struct lc_node *n,
			 const struct lc_version *v)
{
	n->versions = lc_grow(n->versions,
			      (n->nversions + 1) * sizeof(*v));
	if (n->nversions)
		m->bytes -= lc_newest(n)->size;
	m->bytes += v->size;
	n->versions[n->nversions++] = *v;
	if (!m->history)
		drop_old(n);
}

/* Content (or none) with [start, end) cut out, and room for one more. */
static struct lc_version cut(const struct lc_version *old, uint32_t start,
			     uint32_t end)
{
	uint32_t count = old ? old->nsegs : 0;
	struct lc_version v = { .size = old ? old->size : 0 };

	v.segs = lc_alloc((2 * count + 1) * sizeof(*v.segs));
	for (uint32_t i = 0; i < count; i++) {
		struct lc_seg s = old->segs[i];

		if (s.start < start)
			v.segs[v.nsegs++] = (struct lc_seg){
				s.start, s.end < start ? s.end : start,
				s.gen, s.file };
		if (s.end > end)
			v.segs[v.nsegs++] = (struct lc_seg){
				s.start > end ? s.start : end, s.end, s.gen,
				s.file };
	}
	return v;
}

static void set_empty(struct lc_model *m, struct lc_node *n, uint32_t op)
{
	struct lc_version v = { .op = op, .segs = lc_alloc(1) };

	push_version(m, n, &v);
}

static const struct lc_version *newest_or_none(const struct lc_node *n)
{
	return n->nversions ? lc_newest(n) : NULL;
}

static struct lc_version written_over(const struct lc_version *old,
				      const struct lc_op *op)
{
	uint32_t end = op->offset + op->length;
	struct lc_version v = cut(old, op->offset, end);

	if (v.size < end)
		v.size = end;
	v.segs[v.nsegs++] = (struct lc_seg){ op->offset, end, op->index,
					     op->node };
	return v;
}

static void set_written(struct lc_model *m, struct lc_node *n,
			const struct lc_op *op)
{
	struct lc_version v = written_over(newest_or_none(n), op);

	v.op = op->index;
	v.written = true;
	push_version(m, n, &v);
}

/*
 * O_DSYNC owes the bytes it wrote and a size that shows them, and nothing
 * else: whatever older content is still possible has them now.
 */
static void keep_written(struct lc_node *n, const struct lc_op *op)
{
	for (uint32_t i = 0; i + 1 < n->nversions; i++) {
		struct lc_version *old = &n->versions[i];
		struct lc_version v = written_over(old, op);

		v.op = old->op;
		v.written = old->written;
		free(old->segs);
		*old = v;
	}
}

static void set_size(struct lc_model *m, struct lc_node *n,
		     const struct lc_op *op)
{
	struct lc_version v = cut(newest_or_none(n), op->length, UINT32_MAX);

	v.op = op->index;
	v.size = op->length;
	push_version(m, n, &v);
	n->change_op = op->index;
}

/* A hole or zeroes; the size stays. */
static void set_zero(struct lc_model *m, struct lc_node *n,
		     const struct lc_op *op)
{
	struct lc_version v = cut(newest_or_none(n), op->offset,
				  op->offset + op->length);

	v.op = op->index;
	push_version(m, n, &v);
}

/* All of the source, over what is there. */
static void set_cloned(struct lc_model *m, struct lc_node *n,
		       const struct lc_node *src, const struct lc_op *op)
{
	const struct lc_version *from = lc_newest(src);
	struct lc_version v = cut(newest_or_none(n), 0, from->size);

	v.segs = lc_grow(v.segs, (v.nsegs + from->nsegs + 1) *
				 sizeof(*v.segs));
	for (uint32_t i = 0; i < from->nsegs; i++)
		v.segs[v.nsegs++] = from->segs[i];
	if (v.size < from->size)
		v.size = from->size;
	v.op = op->index;
	v.written = true;
	push_version(m, n, &v);
}

static void raise_floor(struct lc_model *m, uint32_t op)
{
	if (m->floor < op)
		m->floor = op;
}

static void enter(struct lc_model *m, int dir, int name, int node,
		  uint32_t op)
{
	struct lc_node *n = &m->nodes[node];

	m->nodes[dir].entries[name] = node;
	m->nodes[dir].change_op = op;
	m->nentries++;
	if (n->type == LC_DIR) {
		n->parent = dir;
		n->name = name;
		m->nodes[dir].nlink++;
	}
}

static void leave(struct lc_model *m, int dir, int name, uint32_t op)
{
	struct lc_node *n = &m->nodes[m->nodes[dir].entries[name]];

	if (n->type == LC_DIR)
		m->nodes[dir].nlink--;
	m->nodes[dir].entries[name] = -1;
	m->nodes[dir].change_op = op;
	m->nentries--;
}

static void forget_dir(struct lc_model *m, int node)
{
	for (int i = 0; i < m->ndirs; i++)
		if (m->dirs[i] == node) {
			m->dirs[i] = m->dirs[--m->ndirs];
			return;
		}
}

/* One name of the inode is gone for good. */
static void drop_link(struct lc_model *m, int dir, int name, uint32_t op)
{
	struct lc_node *n = &m->nodes[m->nodes[dir].entries[name]];

	leave(m, dir, name, op);
	n->change_op = op;
	n->nlink -= n->type == LC_DIR ? 2 : 1;
	if (n->nlink)
		return;
	if (n->type == LC_DIR)
		forget_dir(m, (int)(n - m->nodes));
	else if (n->type == LC_FILE)
		m->bytes -= lc_newest(n)->size;
}

static void apply_rename(struct lc_model *m, const struct lc_op *op)
{
	int victim = m->nodes[op->dir2].entries[op->name2];

	if (victim >= 0)
		drop_link(m, op->dir2, op->name2, op->index);
	leave(m, op->dir, op->name, op->index);
	enter(m, op->dir2, op->name2, op->node, op->index);
	m->nodes[op->node].change_op = op->index;
	if (victim >= 0 && m->nodes[op->node].type == LC_FILE)
		m->nodes[op->node].replace_op = op->index;
}

static void apply_exchange(struct lc_model *m, const struct lc_op *op)
{
	int other = m->nodes[op->dir2].entries[op->name2];

	leave(m, op->dir, op->name, op->index);
	leave(m, op->dir2, op->name2, op->index);
	enter(m, op->dir2, op->name2, op->node, op->index);
	enter(m, op->dir, op->name, other, op->index);
	m->nodes[op->node].change_op = op->index;
	m->nodes[other].change_op = op->index;
}

static void apply_new(struct lc_model *m, const struct lc_op *op)
{
	enum lc_type type = op->kind == LC_MKDIR ? LC_DIR :
			    op->kind == LC_MKSYMLINK ? LC_SYMLINK : LC_FILE;
	int node = add_node(m, type, op);
	struct lc_node *n = &m->nodes[node];

	enter(m, op->dir, op->name, node, op->index);
	/* fdatasync owes the name of a new inode, not of one linked later. */
	if (op->kind == LC_TMPFILE)
		n->create_op = 0;
	if (type == LC_DIR)
		m->dirs[m->ndirs++] = node;
	if (type != LC_FILE)
		return;
	/* A synced O_TMPFILE was never seen with less than its content. */
	if (!op->sync)
		set_empty(m, n, op->index);
	if (op->length)
		set_written(m, n, op);
}

static void apply_sync(struct lc_model *m, const struct lc_op *op)
{
	struct lc_node *n = &m->nodes[op->node];

	switch (op->kind) {
	case LC_FSYNC:
	case LC_DIRSYNC:
		raise_floor(m, n->change_op);
		drop_old(n);
		break;
	case LC_FDATASYNC:
		raise_floor(m, n->create_op);
		drop_old(n);
		break;
	case LC_WRITE:
		raise_floor(m, n->create_op);
		keep_written(n, op);
		break;
	default:
		raise_floor(m, op->index);
		for (int i = 0; i < m->nnodes; i++)
			drop_old(&m->nodes[i]);
	}
}

/* acked: the operation is known to have returned before the power went. */
void lc_model_apply(struct lc_model *m, const struct lc_op *op, bool acked)
{
	switch (op->kind) {
	case LC_CREATE:
	case LC_MKDIR:
	case LC_MKSYMLINK:
	case LC_TMPFILE:
		apply_new(m, op);
		break;
	case LC_WRITE:
		set_written(m, &m->nodes[op->node], op);
		break;
	case LC_TRUNCATE:
		set_size(m, &m->nodes[op->node], op);
		break;
	case LC_RENAME:
		apply_rename(m, op);
		break;
	case LC_LINK:
		enter(m, op->dir2, op->name2, op->node, op->index);
		m->nodes[op->node].nlink++;
		m->nodes[op->node].change_op = op->index;
		break;
	case LC_UNLINK:
		/* What went to the open file shows if the unlink is lost. */
		if (op->length)
			set_written(m, &m->nodes[op->node], op);
		drop_link(m, op->dir, op->name, op->index);
		break;
	case LC_RMDIR:
		drop_link(m, op->dir, op->name, op->index);
		break;
	case LC_EXCHANGE:
		apply_exchange(m, op);
		break;
	case LC_XATTR:
		m->nodes[op->node].xattr = op->mode;
		m->nodes[op->node].change_op = op->index;
		break;
	case LC_CLONE:
		set_cloned(m, &m->nodes[op->node], &m->nodes[
			   m->nodes[op->dir2].entries[op->name2]], op);
		break;
	case LC_PUNCH:
	case LC_ZERO:
		set_zero(m, &m->nodes[op->node], op);
		break;
	case LC_CHMOD:
		m->nodes[op->node].mode = op->mode;
		m->nodes[op->node].change_op = op->index;
		break;
	default:
		break;
	}
	if (acked && lc_is_sync(op))
		apply_sync(m, op);
}

void lc_model_init(struct lc_model *m, uint64_t seed, uint32_t stream,
		   bool history)
{
	struct lc_op root = { .kind = LC_MKDIR, .mode = 0755 };

	memset(m, 0, sizeof(*m));
	m->seed = seed;
	m->stream = stream;
	m->history = history;
	m->rng = lc_mix(seed ^ lc_mix(stream + 1));
	add_node(m, LC_DIR, &root);
	m->dirs[m->ndirs++] = 0;
}

void lc_model_free(struct lc_model *m)
{
	for (int i = 0; i < m->nnodes; i++) {
		struct lc_node *n = &m->nodes[i];

		for (uint32_t v = 0; v < n->nversions; v++)
			free(n->versions[v].segs);
		free(n->versions);
		free(n->entries);
	}
	free(m->nodes);
}
