// SPDX-License-Identifier: MPL-2.0
/*
 * A load that checks itself: every stream knows what its files hold and
 * reads them all the time.  Any failing call or wrong byte ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lakecrash.h"

#define FULL_CHECK_OPS 150	/* operations between looks at all files */

static const char *result_file, *stop_file;

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Names are always compared; data of one file in `every`. */
static int check_live(struct lc_model *m, uint64_t *rng, uint32_t every)
{
	struct lc_tree tree;
	char why[512] = "";
	int bad = 0;

	if (lc_tree_scan(&tree, ".")) {
		strcpy(why, tree.error);
		bad = 1;
	}
	if (!bad && !lc_tree_match(&tree, m, why, sizeof(why)))
		bad = 1;
	for (int i = 0; !bad && i < tree.nfound; i++)
		if (tree.found[i].type == LC_FILE && !lc_below(rng, every))
			bad = lc_data_check(m, &tree.found[i], 0, why,
					    sizeof(why));
	if (bad)
		fprintf(stderr, "lakecrash: stream %u: %s\n", m->stream, why);
	lc_tree_free(&tree);
	return bad;
}

static int write_result(uint32_t stream, uint32_t ops)
{
	char line[64];
	int length, fd;

	if (!result_file)
		return 0;
	length = snprintf(line, sizeof(line), "%u %u\n", stream, ops);
	fd = open(result_file, O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (fd < 0 || write(fd, line, length) != length || close(fd)) {
		perror(result_file);
		return 1;
	}
	return 0;
}

static int run_load(const struct lc_run *run, uint32_t stream)
{
	double end = now_s() + run->seconds;
	uint64_t rng = lc_mix(run->seed + stream);
	struct lc_executor x;
	struct lc_model m;
	uint32_t i = 0;

	lc_executor_init(&x);
	lc_model_init(&m, run->seed, stream, false);
	while (i < run->nops && now_s() < end &&
	       (!stop_file || access(stop_file, F_OK))) {
		struct lc_op op;

		lc_generate(&m, ++i, &op);
		if (lc_execute(&x, &m, &op))
			return 1;
		lc_model_apply(&m, &op, true);
		if (i % FULL_CHECK_OPS == 0 && check_live(&m, &rng, 4)) {
			fprintf(stderr, "lakecrash: after op %u\n", i);
			return 1;
		}
	}
	sync();
	if (check_live(&m, &rng, 1))
		return 1;
	printf("stream %u: %u operations\n", stream, i);
	fflush(stdout);
	return write_result(stream, i);
}

static int extra(int option, const char *value)
{
	if (option == 'e')
		result_file = value;
	else if (option == 'p')
		stop_file = value;
	else
		return -1;
	return 0;
}

int lc_load_main(int argc, char **argv)
{
	struct lc_run run = { .body = run_load, .seconds = 30,
			      .nops = UINT32_MAX };

	if (lc_parse_run(argc, argv, &run, extra))
		return 2;
	return lc_run_streams(&run);
}
