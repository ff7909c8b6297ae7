// SPDX-License-Identifier: MPL-2.0
/* `lakecrash check`: the oracle on a tree that is already mounted. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lakecrash.h"

static struct lc_check check;

/* Lines of "STREAM OP", in the order in which they were given. */
int lc_read_acks(const char *file, struct lc_ack **acks, uint32_t *nacks)
{
	FILE *f = fopen(file, "r");
	struct lc_ack a = { 0 };

	if (!f) {
		fprintf(stderr, "lakecrash: %s: %s\n", file,
			strerror(errno));
		return -1;
	}
	while (fscanf(f, "%u %u", &a.stream, &a.op) == 2) {
		if (a.stream >= LC_MAX_STREAMS)
			break;
		*acks = lc_grow(*acks, (*nacks + 1) * sizeof(a));
		(*acks)[(*nacks)++] = a;
	}
	if (feof(f) && !fclose(f))
		return 0;
	fprintf(stderr, "lakecrash: %s: line %u is no ack\n", file,
		*nacks + 1);
	return -1;
}

static int extra(int option, const char *value)
{
	(void)value;
	if (option == 'y')
		check.synced = true;
	else if (option == 'r')
		check.replace_flushes = true;
	else
		return -1;
	return 0;
}

int lc_check_main(int argc, char **argv)
{
	struct lc_run run = { 0 };
	struct lc_ack *acks = NULL;

	if (lc_parse_run(argc, argv, &run, extra))
		return 2;
	if (!run.ack_device ||
	    lc_read_acks(run.ack_device, &acks, &check.nacks)) {
		fputs("lakecrash: check needs --acks FILE\n", stderr);
		return 2;
	}
	check.acks = acks;
	check.dir = run.dir;
	check.seed = run.seed;
	check.nstreams = run.nstreams;
	check.nops = run.nops;
	check.out = stdout;
	return lc_check_run(&check) ? 1 : 0;
}
