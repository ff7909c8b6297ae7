// SPDX-License-Identifier: MPL-2.0
/*
 * The next operation of a stream, from its seed and its model alone.
 *
 * Every choice falls back to a create, which can always be done: the tables
 * keep fewer entries than one directory and its neighbours can hold.
 */
#include <string.h>

#include "lakecrash.h"

static const struct {
	enum lc_kind kind;
	const char *name;
	uint32_t weight;
} KINDS[] = {
	{ LC_CREATE, "create", 12 }, { LC_WRITE, "write", 26 },
	{ LC_TRUNCATE, "truncate", 8 }, { LC_RENAME, "rename", 13 },
	{ LC_LINK, "link", 5 }, { LC_UNLINK, "unlink", 9 },
	{ LC_MKDIR, "mkdir", 3 }, { LC_RMDIR, "rmdir", 2 },
	{ LC_MKSYMLINK, "symlink", 3 }, { LC_CHMOD, "chmod", 3 },
	{ LC_TMPFILE, "tmpfile", 3 }, { LC_ORPHAN, "orphan", 2 },
	{ LC_EXCHANGE, "exchange", 2 }, { LC_XATTR, "xattr", 3 },
	{ LC_CLONE, "clone", 8 }, { LC_PUNCH, "punch", 3 },
	{ LC_ZERO, "zero", 2 }, { LC_PREALLOC, "prealloc", 3 },
	{ LC_FSYNC, "fsync", 9 }, { LC_FDATASYNC, "fdatasync", 5 },
	{ LC_DIRSYNC, "dirsync", 4 }, { LC_SYNCFS, "syncfs", 1 },
	{ LC_SYNC, "sync", 1 },
};
#define NKINDS (sizeof(KINDS) / sizeof(KINDS[0]))

const char *lc_kind_name(enum lc_kind kind)
{
	for (size_t i = 0; i < NKINDS; i++)
		if (KINDS[i].kind == kind)
			return KINDS[i].name;
	return "?";
}

bool lc_is_sync(const struct lc_op *op)
{
	return op->kind >= LC_FSYNC ||
	       (op->kind == LC_WRITE && op->how == LC_DSYNC);
}

static enum lc_kind pick_kind(struct lc_model *m)
{
	uint32_t total = 0, at;

	for (size_t i = 0; i < NKINDS; i++)
		total += KINDS[i].weight;
	at = lc_below(&m->rng, total);
	for (size_t i = 0; i < NKINDS; i++) {
		if (at < KINDS[i].weight)
			return KINDS[i].kind;
		at -= KINDS[i].weight;
	}
	return LC_CREATE;
}

/* A random name whose inode has one of the wanted types (a bit mask). */
static bool pick_entry(struct lc_model *m, uint32_t types, struct lc_op *op)
{
	uint32_t count = 0;

	/* Reservoir of one: every candidate is equally likely. */
	for (int d = 0; d < m->ndirs; d++) {
		for (int i = 0; i < LC_NAMES; i++) {
			int node = m->nodes[m->dirs[d]].entries[i];

			if (node < 0 || !(types & 1u << m->nodes[node].type))
				continue;
			if (lc_below(&m->rng, ++count))
				continue;
			op->dir = m->dirs[d];
			op->name = i;
			op->node = node;
		}
	}
	return count > 0;
}

static int pick_dir(struct lc_model *m)
{
	return m->dirs[lc_below(&m->rng, m->ndirs)];
}

/* A free name; the stream's own directory helps out when one is full. */
static bool pick_free(struct lc_model *m, int *dir, int *name)
{
	int tries[2] = { pick_dir(m), 0 };

	for (int t = 0; t < 2; t++) {
		int start = lc_below(&m->rng, LC_NAMES);

		for (int i = 0; i < LC_NAMES; i++) {
			int at = (start + i) % LC_NAMES;

			if (m->nodes[tries[t]].entries[at] >= 0)
				continue;
			*dir = tries[t];
			*name = at;
			return true;
		}
	}
	return false;
}

static uint32_t pick_length(struct lc_model *m)
{
	switch (lc_below(&m->rng, 8)) {
	case 0:
		return 1 + lc_below(&m->rng, 300);
	case 1:
	case 2:
	case 3:
		return 4096 * (1 + lc_below(&m->rng, 6));
	case 4:
		return 60000 + lc_below(&m->rng, 60000);
	default:
		return 1 + lc_below(&m->rng, 16000);
	}
}

static bool below(const struct lc_model *m, int dir, int ancestor)
{
	while (dir && dir != ancestor)
		dir = m->nodes[dir].parent;
	return dir == ancestor;
}

static bool empty(const struct lc_node *dir)
{
	for (int i = 0; i < LC_NAMES; i++)
		if (dir->entries[i] >= 0)
			return false;
	return true;
}

static void plan(struct lc_model *m, const struct lc_op *op)
{
	if (m->nplan < LC_PLAN)
		m->plan[m->nplan++] = *op;
}

static bool make_new(struct lc_model *m, struct lc_op *op)
{
	if (m->nentries >= LC_MAX_ENTRIES ||
	    !pick_free(m, &op->dir, &op->name))
		return false;
	if (op->kind == LC_MKDIR && m->ndirs >= LC_MAX_DIRS)
		return false;
	op->node = m->nnodes;
	op->mode = lc_mode_of(op->node, 0);
	if (op->kind == LC_MKSYMLINK)
		op->mode = 0777;
	if (op->kind == LC_TMPFILE)
		op->sync = lc_below(&m->rng, 2);
	if (op->kind == LC_TMPFILE || (op->kind == LC_CREATE &&
				       lc_below(&m->rng, 3)))
		op->length = pick_length(m);
	if (m->bytes > LC_MAX_BYTES && op->length > 4096)
		op->length = 4096;
	return true;
}

static bool make_write(struct lc_model *m, struct lc_op *op)
{
	uint32_t size;

	if (!pick_entry(m, 1u << LC_FILE, op))
		return false;
	size = lc_newest(&m->nodes[op->node])->size;
	op->length = pick_length(m);
	op->how = lc_below(&m->rng, 8);
	switch (lc_below(&m->rng, 5)) {
	case 0:			/* overwrite whole blocks */
		op->offset = lc_below(&m->rng, size / 4096 + 1) * 4096;
		op->length = (op->length / 4096 + 1) * 4096;
		break;
	case 1:			/* leave a hole */
		op->offset = size + lc_below(&m->rng, 50000);
		break;
	case 2:			/* overwrite at any byte */
		op->offset = lc_below(&m->rng, size + 1);
		break;
	default:
		op->offset = size;
	}
	if (op->how == LC_DIRECT) {
		op->offset = op->offset / 4096 * 4096;
		op->length = (op->length / 4096 + 1) * 4096;
	} else if (op->how == LC_MMAP) {
		if (op->offset + op->length > size)
			op->how = LC_BUFFERED;
	} else if (op->how > LC_DSYNC) {
		op->how = LC_BUFFERED;
	}
	return op->offset + op->length <= LC_MAX_SIZE &&
	       m->bytes <= LC_MAX_BYTES;
}

static bool make_truncate(struct lc_model *m, struct lc_op *op)
{
	uint32_t size;

	if (!pick_entry(m, 1u << LC_FILE, op))
		return false;
	size = lc_newest(&m->nodes[op->node])->size;
	switch (lc_below(&m->rng, 5)) {
	case 0:
		op->length = 0;
		break;
	case 1:
		op->length = size + lc_below(&m->rng, 70000);
		break;
	case 2:
		op->length = lc_below(&m->rng, size / 4096 + 1) * 4096;
		break;
	default:
		op->length = lc_below(&m->rng, size + 1);
	}
	return op->length <= LC_MAX_SIZE;
}

/* Write beside, maybe fsync, rename over, maybe fsync the directory. */
static bool make_replace(struct lc_model *m, struct lc_op *op)
{
	struct lc_op victim = { 0 }, step;

	if (!pick_entry(m, 1u << LC_FILE, &victim))
		return false;
	op->kind = LC_CREATE;
	if (!make_new(m, op))
		return false;
	if (!op->length)
		op->length = 5000;
	step = *op;
	if (lc_below(&m->rng, 3)) {
		step.kind = LC_FSYNC;
		plan(m, &step);
	}
	step.kind = LC_RENAME;
	step.dir2 = victim.dir;
	step.name2 = victim.name;
	plan(m, &step);
	if (lc_below(&m->rng, 2)) {
		step.kind = LC_DIRSYNC;
		step.node = victim.dir;
		plan(m, &step);
	}
	return true;
}

static bool make_rename(struct lc_model *m, struct lc_op *op)
{
	struct lc_op to = { 0 };
	struct lc_node *n;
	int victim;

	if (lc_below(&m->rng, 3) == 0)
		return make_replace(m, op);
	if (!pick_entry(m, 7, op))
		return false;
	n = &m->nodes[op->node];
	if (lc_below(&m->rng, 3) || !pick_entry(m, 1u << n->type, &to)) {
		if (!pick_free(m, &op->dir2, &op->name2))
			return false;
	} else {
		op->dir2 = to.dir;
		op->name2 = to.name;
	}
	victim = m->nodes[op->dir2].entries[op->name2];
	/* A rename between two names of one inode does nothing. */
	if (victim == op->node)
		return false;
	if (n->type != LC_DIR)
		return true;
	return !below(m, op->dir2, op->node) &&
	       (victim < 0 || empty(&m->nodes[victim]));
}

/* Two names change places; neither lies below the other. */
static bool make_exchange(struct lc_model *m, struct lc_op *op)
{
	struct lc_op to = { 0 };

	if (!pick_entry(m, 7, op) || !pick_entry(m, 7, &to) ||
	    op->node == to.node)
		return false;
	op->dir2 = to.dir;
	op->name2 = to.name;
	return (m->nodes[op->node].type != LC_DIR ||
		!below(m, to.dir, op->node)) &&
	       (m->nodes[to.node].type != LC_DIR ||
		!below(m, op->dir, to.node));
}

/* All of one file over the beginning of another. */
static bool make_clone(struct lc_model *m, struct lc_op *op)
{
	struct lc_op from = { 0 };
	uint32_t size, other;

	if (!pick_entry(m, 1u << LC_FILE, op) ||
	    !pick_entry(m, 1u << LC_FILE, &from) || op->node == from.node)
		return false;
	size = lc_newest(&m->nodes[from.node])->size;
	other = lc_newest(&m->nodes[op->node])->size;
	op->dir2 = from.dir;
	op->name2 = from.name;
	/* a partial block can only go where the file ends */
	return size && (other <= size || size % 4096 == 0) &&
	       m->bytes <= LC_MAX_BYTES;
}

static bool make_range(struct lc_model *m, struct lc_op *op)
{
	uint32_t size;

	if (!pick_entry(m, 1u << LC_FILE, op))
		return false;
	size = lc_newest(&m->nodes[op->node])->size;
	op->length = pick_length(m);
	op->offset = lc_below(&m->rng, size + 20000);
	if (lc_below(&m->rng, 2))
		op->offset = op->offset / 4096 * 4096;
	return op->offset + op->length <= LC_MAX_SIZE;
}

static bool make_unlink(struct lc_model *m, struct lc_op *op)
{
	if (!pick_entry(m, 1u << LC_FILE | 1u << LC_SYMLINK, op))
		return false;
	/* Sometimes held open and written on after its last name went. */
	if (m->nodes[op->node].type == LC_FILE &&
	    m->nodes[op->node].nlink == 1 && !lc_below(&m->rng, 4))
		op->length = pick_length(m);
	return true;
}

static bool make_one(struct lc_model *m, struct lc_op *op)
{
	switch (op->kind) {
	case LC_CREATE:
	case LC_MKDIR:
	case LC_MKSYMLINK:
	case LC_TMPFILE:
		return make_new(m, op);
	case LC_WRITE:
		return make_write(m, op);
	case LC_TRUNCATE:
		return make_truncate(m, op);
	case LC_RENAME:
		return make_rename(m, op);
	case LC_LINK:
		return m->nentries < LC_MAX_ENTRIES &&
		       pick_entry(m, 1u << LC_FILE, op) &&
		       pick_free(m, &op->dir2, &op->name2);
	case LC_EXCHANGE:
		return make_exchange(m, op);
	case LC_CLONE:
		return make_clone(m, op);
	case LC_PUNCH:
	case LC_ZERO:
	case LC_PREALLOC:
		return make_range(m, op);
	case LC_XATTR:
		if (!pick_entry(m, 1u << LC_FILE | 1u << LC_DIR, op))
			return false;
		/* a new value, or what is there goes */
		op->mode = lc_below(&m->rng, 3) ||
			   !m->nodes[op->node].xattr ? op->index : 0;
		return true;
	case LC_UNLINK:
		return make_unlink(m, op);
	case LC_RMDIR:
		return pick_entry(m, 1u << LC_DIR, op) &&
		       empty(&m->nodes[op->node]);
	case LC_CHMOD:
		if (!pick_entry(m, 1u << LC_FILE | 1u << LC_DIR, op))
			return false;
		op->mode = lc_mode_of(op->node, op->index);
		return true;
	case LC_ORPHAN:
		op->length = pick_length(m);
		return true;
	case LC_FSYNC:
	case LC_FDATASYNC:
		return pick_entry(m, 1u << LC_FILE, op);
	case LC_DIRSYNC:
		op->node = pick_dir(m);
		return true;
	default:
		return true;
	}
}

/* Fills op with operation number index; the caller applies it. */
void lc_generate(struct lc_model *m, uint32_t index, struct lc_op *op)
{
	if (m->nplan) {
		*op = m->plan[0];
		op->index = index;
		m->nplan--;
		memmove(m->plan, m->plan + 1, m->nplan * sizeof(*op));
		return;
	}
	for (int tries = 0; tries < 64; tries++) {
		memset(op, 0, sizeof(*op));
		op->index = index;
		op->kind = pick_kind(m);
		/* A full table or disk makes room first. */
		if (m->nentries >= LC_MAX_ENTRIES - 5 ||
		    m->bytes > LC_MAX_BYTES)
			op->kind = lc_below(&m->rng, 2) ? LC_UNLINK : op->kind;
		if (make_one(m, op))
			return;
	}
	memset(op, 0, sizeof(*op));
	op->index = index;
	op->kind = LC_SYNCFS;
}
