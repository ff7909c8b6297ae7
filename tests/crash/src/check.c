// SPDX-License-Identifier: MPL-2.0
/*
 * The oracle: does a mounted filesystem keep what was acknowledged?
 *
 * Names must be exactly those after some operation j of each stream, where
 * floor <= j <= last acknowledged + 1: durable is a prefix of the order in
 * which changes were made.  Between streams the same order counts: what one
 * finished before another began cannot be lost when the later one is there.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lakecrash.h"

struct stream {
	struct lc_model model;
	struct lc_tree tree;
	uint32_t done;			/* last acknowledged operation */
	uint32_t first, last;		/* operations whose names match */
	bool matched;
	char why[512];			/* difference at done */
};

static bool changes_names(const struct lc_op *op)
{
	switch (op->kind) {
	case LC_WRITE:
	case LC_TRUNCATE:
	case LC_ORPHAN:
		return false;
	default:
		return op->kind < LC_FSYNC;
	}
}

/* Remembers the match; the newest one decides which inode is which. */
static bool try_match(struct stream *s, uint32_t op)
{
	char why[512] = "";

	if (!lc_tree_match(&s->tree, &s->model, why, sizeof(why))) {
		if (op <= s->done)
			strcpy(s->why, why);
		return false;
	}
	if (!s->matched)
		s->first = op;
	s->last = op;
	s->matched = true;
	return true;
}

/* A match below a floor that rose since then does not count. */
static void drop_below_floor(struct stream *s)
{
	if (!s->matched || s->first >= s->model.floor)
		return;
	s->first = s->model.floor;
	if (s->last < s->model.floor)
		s->matched = false;
}

/*
 * Replays the stream's operations and finds those whose names the tree
 * shows.  Matches need not be one range; taking them as one only makes the
 * comparison between streams weaker.
 */
static void replay(struct stream *s, const struct lc_check *c)
{
	uint32_t end = c->synced || s->done == c->nops ? s->done
						       : s->done + 1;
	int *nodes = lc_alloc(s->tree.nfound * sizeof(int));
	bool same = false;

	for (uint32_t i = 0; i <= end; i++) {
		struct lc_op op = { .kind = LC_MKDIR };

		if (i) {
			lc_generate(&s->model, i, &op);
			lc_model_apply(&s->model, &op, i <= s->done);
		}
		if (c->synced && i == end) {
			op = (struct lc_op){ .kind = LC_SYNC, .index = i };
			lc_model_apply(&s->model, &op, true);
			same = false;
			op.kind = LC_MKDIR;
		}
		drop_below_floor(s);
		if (changes_names(&op))
			same = try_match(s, i);
		else if (same)
			try_match(s, i);
		if (same)
			for (int f = 0; f < s->tree.nfound; f++)
				nodes[f] = s->tree.found[f].node;
	}
	for (int f = 0; f < s->tree.nfound; f++)
		s->tree.found[f].node = nodes[f];
	free(nodes);
}

static int check_data(const struct lc_check *c, struct stream *s)
{
	int failures = 0;
	char why[512];

	for (int i = 0; i < s->tree.nfound; i++) {
		struct lc_found *f = &s->tree.found[i];
		uint32_t floor_op;

		if (f->type != LC_FILE)
			continue;
		floor_op = s->model.nodes[f->node].replace_op;
		if (!c->replace_flushes || floor_op > s->first)
			floor_op = 0;
		if (!lc_data_check(&s->model, f, floor_op, why, sizeof(why)))
			continue;
		fprintf(c->out, "data: stream %u acked %u: %s\n",
			s->model.stream, s->done, why);
		failures++;
	}
	return failures;
}

static int check_stream(const struct lc_check *c, struct stream *s,
			uint32_t number)
{
	char dir[256];

	snprintf(dir, sizeof(dir), "%s/p%u", c->dir, number);
	lc_model_init(&s->model, c->seed, number, true);
	if (lc_tree_scan(&s->tree, dir)) {
		fprintf(c->out, "tree: stream %u: %s\n", number,
			s->tree.error);
		return 1;
	}
	replay(s, c);
	if (s->matched)
		return check_data(c, s);
	fprintf(c->out,
		"names: stream %u: no state of ops %u..%u; at %u: %s\n",
		number, s->model.floor, s->done + 1, s->done, s->why);
	return 1;
}

/* What every stream had finished when stream `of` began operation `op`. */
static int check_order(const struct lc_check *c, struct stream *all,
		       uint32_t of)
{
	uint32_t done[LC_MAX_STREAMS] = { 0 };
	int failures = 0;

	if (!all[of].first)
		return 0;
	for (uint32_t i = 0; i < c->nacks; i++) {
		const struct lc_ack *a = &c->acks[i];

		done[a->stream] = a->op;
		if (a->stream == of && a->op == all[of].first - 1)
			break;
	}
	for (uint32_t s = 0; s < c->nstreams; s++) {
		if (s == of || !all[s].matched || all[s].last >= done[s])
			continue;
		fprintf(c->out,
			"order: stream %u shows op %u, begun after stream %u "
			"finished op %u, but that shows only op %u\n", of,
			all[of].first, s, done[s], all[s].last);
		failures++;
	}
	return failures;
}

static int check_root(const struct lc_check *c)
{
	DIR *dir = opendir(c->dir);
	struct dirent *e;
	int failures = 0;

	if (!dir) {
		fprintf(c->out, "tree: open %s: %s\n", c->dir,
			strerror(errno));
		return 1;
	}
	while ((e = readdir(dir))) {
		char *end = e->d_name;

		if (e->d_name[0] == 'p' &&
		    strtoul(e->d_name + 1, &end, 10) < c->nstreams && !*end)
			continue;
		if (e->d_name[0] == '.' || !strcmp(e->d_name, "lost+found"))
			continue;
		fprintf(c->out, "tree: name never used in the root: %s\n",
			e->d_name);
		failures++;
	}
	closedir(dir);
	return failures;
}

/* Number of failures, each explained by one line on c->out. */
int lc_check_run(const struct lc_check *c)
{
	struct stream *all = lc_alloc(c->nstreams * sizeof(*all));
	int failures = check_root(c);

	for (uint32_t i = 0; i < c->nacks; i++)
		if (c->acks[i].stream < c->nstreams)
			all[c->acks[i].stream].done = c->acks[i].op;
	for (uint32_t s = 0; s < c->nstreams; s++)
		failures += check_stream(c, &all[s], s);
	for (uint32_t s = 0; s < c->nstreams; s++)
		if (all[s].matched)
			failures += check_order(c, all, s);
	for (uint32_t s = 0; s < c->nstreams; s++) {
		lc_tree_free(&all[s].tree);
		lc_model_free(&all[s].model);
	}
	free(all);
	return failures;
}
