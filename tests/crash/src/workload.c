// SPDX-License-Identifier: MPL-2.0
/* The recorded workload: one ack on the device after every operation. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lakecrash.h"

static int stop(const char *what, int error)
{
	fprintf(stderr, "lakecrash: %s: %s\n", what, strerror(error));
	return 1;
}

static int run_workload(const struct lc_run *run, uint32_t stream)
{
	struct lc_executor x;
	struct lc_ack_area area;
	struct lc_model m;
	struct lc_ack ack = { .stream = stream };
	int error = lc_ack_open(&area, run->ack_device);

	if (error)
		return stop(run->ack_device, error);
	lc_executor_init(&x);
	lc_model_init(&m, run->seed, stream, false);
	for (uint32_t i = 0; i <= run->nops; i++) {
		struct lc_op op = { .kind = LC_SYNC };

		/* Ack 0 says that the stream's directory is there. */
		if (i) {
			lc_generate(&m, i, &op);
			if (lc_execute(&x, &m, &op))
				return 1;
			lc_model_apply(&m, &op, true);
			usleep(run->pause_ms * 1000);
		}
		ack.op = i;
		ack.sync = lc_is_sync(&op);
		error = lc_ack_write(&area, &ack);
		if (error)
			return stop("ack", error);
	}
	return 0;
}

int lc_workload_main(int argc, char **argv)
{
	struct lc_run run = { .body = run_workload };

	if (lc_parse_run(argc, argv, &run, NULL))
		return 2;
	if (!run.ack_device) {
		fputs("lakecrash: workload needs --acks DEVICE\n", stderr);
		return 2;
	}
	return lc_run_streams(&run);
}
