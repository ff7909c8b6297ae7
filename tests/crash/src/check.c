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

#define MAX_MATCHES 8

/* Operations after which the names are those of the tree. */
struct match {
	uint32_t first, last;
	int *nodes;			/* model inode of each found name */
};

struct stream {
	struct lc_model model;
	struct lc_tree tree;
	uint32_t done;			/* last acknowledged operation */
	struct match matches[MAX_MATCHES];
	int nmatches;
	bool matched;
	uint32_t first, last;		/* of the match that the data fits */
	char why[512];			/* difference at done */
};

static bool changes_names(const struct lc_op *op)
{
	switch (op->kind) {
	case LC_WRITE:
	case LC_TRUNCATE:
	case LC_ORPHAN:
	case LC_CLONE:
	case LC_PUNCH:
	case LC_ZERO:
	case LC_PREALLOC:
		return false;
	default:
		return op->kind < LC_FSYNC;
	}
}

static void drop_match(struct stream *s, int at)
{
	free(s->matches[at].nodes);
	s->nmatches--;
	memmove(&s->matches[at], &s->matches[at + 1],
		(s->nmatches - at) * sizeof(s->matches[0]));
}

/* Whether the names are those after op; the newest matches are kept. */
static bool try_match(struct stream *s, uint32_t op)
{
	struct match *m;
	char why[512] = "";

	if (!lc_tree_match(&s->tree, &s->model, why, sizeof(why))) {
		if (op <= s->done)
			strcpy(s->why, why);
		return false;
	}
	if (s->nmatches == MAX_MATCHES)
		drop_match(s, 0);
	m = &s->matches[s->nmatches++];
	m->first = m->last = op;
	m->nodes = lc_alloc(s->tree.nfound * sizeof(int));
	for (int i = 0; i < s->tree.nfound; i++)
		m->nodes[i] = s->tree.found[i].node;
	return true;
}

/* A match below a floor that rose since then does not count. */
static void drop_below_floor(struct stream *s)
{
	while (s->nmatches && s->matches[0].last < s->model.floor)
		drop_match(s, 0);
	if (s->nmatches && s->matches[0].first < s->model.floor)
		s->matches[0].first = s->model.floor;
}

/*
 * Replays the stream's operations and finds those whose names the tree
 * shows.  `same` says that nothing changed since the last match.
 */
static void replay(struct stream *s, const struct lc_check *c)
{
	uint32_t end = c->synced || s->done == c->nops ? s->done
						       : s->done + 1;
	bool same = false;

	for (uint32_t i = 0; i <= end; i++) {
		struct lc_op op = { .kind = LC_MKDIR };

		if (i) {
			lc_generate(&s->model, i, &op);
			lc_model_apply(&s->model, &op, i <= s->done);
		}
		if (c->synced && i == end) {
			struct lc_op sync = { .kind = LC_SYNC, .index = i };

			lc_model_apply(&s->model, &sync, true);
		}
		if (changes_names(&op))
			same = try_match(s, i);
		else if (same)
			s->matches[s->nmatches - 1].last = i;
		drop_below_floor(s);
	}
}

/* Failures of the data when the found names mean the inodes of m. */
static int check_data(const struct lc_check *c, struct stream *s,
		      const struct match *m, FILE *out)
{
	int failures = 0;
	char why[512];

	for (int i = 0; i < s->tree.nfound; i++) {
		struct lc_found *f = &s->tree.found[i];
		uint32_t floor_op;

		f->node = m->nodes[i];
		if (f->type != LC_FILE)
			continue;
		floor_op = s->model.nodes[f->node].replace_op;
		if (!c->replace_flushes || floor_op > m->first)
			floor_op = 0;
		if (!lc_data_check(&s->model, f, floor_op, why, sizeof(why)))
			continue;
		fprintf(out, "data: stream %u acked %u: %s\n",
			s->model.stream, s->done, why);
		failures++;
	}
	return failures;
}

/*
 * Names alone can fit several moments (a file over another of the same
 * mode); the data then decides, and only what fits none of them failed.
 * Where several fit, the comparison between streams takes the whole range.
 */
static int check_matches(const struct lc_check *c, struct stream *s)
{
	int failures = 0;

	for (int i = s->nmatches - 1; i >= 0; i--) {
		const struct match *m = &s->matches[i];
		char *text = NULL;
		size_t bytes = 0;
		FILE *out = open_memstream(&text, &bytes);

		if (!out)
			return 1;
		failures = check_data(c, s, m, out);
		fclose(out);
		if (!failures) {
			s->last = s->matched ? s->last : m->last;
			s->first = m->first;
			s->matched = true;
		} else if (i == 0 && !s->matched) {
			fputs(text, c->out);
		}
		free(text);
	}
	return s->matched ? 0 : failures;
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
	if (s->nmatches)
		return check_matches(c, s);
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
		while (all[s].nmatches)
			drop_match(&all[s], 0);
		lc_tree_free(&all[s].tree);
		lc_model_free(&all[s].model);
	}
	free(all);
	return failures;
}
