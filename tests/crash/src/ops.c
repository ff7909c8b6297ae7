// SPDX-License-Identifier: MPL-2.0
/* `lakecrash ops`: what the streams of a seed do, for reading a failure. */
#include "lakecrash.h"

static const char *const HOW[] = {
	[LC_BUFFERED] = "", [LC_DIRECT] = " direct", [LC_MMAP] = " mmap",
	[LC_DSYNC] = " dsync",
};

static void print_op(const struct lc_model *m, const struct lc_op *op)
{
	char path[4096], path2[4096];

	lc_path(m, op->dir, op->name, path, sizeof(path));
	lc_path(m, op->dir2, op->name2, path2, sizeof(path2));
	printf("%u %u %s%s node %d", m->stream, op->index,
	       lc_kind_name(op->kind), HOW[op->how], op->node);
	if (op->kind < LC_FSYNC && op->kind != LC_ORPHAN)
		printf(" %s", path);
	if (op->kind == LC_RENAME || op->kind == LC_LINK)
		printf(" -> %s (over %d)", path2,
		       m->nodes[op->dir2].entries[op->name2]);
	if (op->length)
		printf(" at %u, %u bytes%s", op->offset, op->length,
		       op->sync ? ", synced" : "");
	putchar('\n');
}

int lc_ops_main(int argc, char **argv)
{
	struct lc_run run = { .dir = "." };

	if (lc_parse_run(argc, argv, &run, NULL))
		return 2;
	for (uint32_t s = 0; s < run.nstreams; s++) {
		struct lc_model m;

		lc_model_init(&m, run.seed, s, false);
		for (uint32_t i = 1; i <= run.nops; i++) {
			struct lc_op op;

			lc_generate(&m, i, &op);
			print_op(&m, &op);
			lc_model_apply(&m, &op, true);
		}
		lc_model_free(&m);
	}
	return 0;
}
