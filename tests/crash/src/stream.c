// SPDX-License-Identifier: MPL-2.0
/* Runs the streams of a workload or a load as processes of their own. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lakecrash.h"

static const struct option OPTIONS[] = {
	{ "dir", required_argument, NULL, 'd' },
	{ "acks", required_argument, NULL, 'a' },
	{ "seed", required_argument, NULL, 's' },
	{ "streams", required_argument, NULL, 'n' },
	{ "ops", required_argument, NULL, 'o' },
	{ "seconds", required_argument, NULL, 't' },
	{ "pause-ms", required_argument, NULL, 'w' },
	{ "stop", required_argument, NULL, 'p' },
	{ "synced", no_argument, NULL, 'y' },
	{ "replace-flushes", no_argument, NULL, 'r' },
	{ "result", required_argument, NULL, 'e' },
	{ NULL, 0, NULL, 0 },
};

/* 0, or -1 after a message; extra takes the options only a verb knows. */
int lc_parse_run(int argc, char **argv, struct lc_run *run,
		 int (*extra)(int option, const char *value))
{
	int o;

	run->nstreams = 3;
	if (!run->nops)
		run->nops = 400;
	while ((o = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
		switch (o) {
		case 'd':
			run->dir = optarg;
			break;
		case 'a':
			run->ack_device = optarg;
			break;
		case 's':
			run->seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			run->nstreams = strtoul(optarg, NULL, 0);
			break;
		case 'o':
			run->nops = strtoul(optarg, NULL, 0);
			break;
		case 't':
			run->seconds = strtoul(optarg, NULL, 0);
			break;
		case 'w':
			run->pause_ms = strtoul(optarg, NULL, 0);
			break;
		default:
			if (o == '?' || !extra || extra(o, optarg))
				return -1;
		}
	}
	if (run->dir && run->nstreams && run->nstreams < LC_MAX_STREAMS)
		return 0;
	fprintf(stderr, "lakecrash: --dir DIR and --streams 1..%d are needed\n",
		LC_MAX_STREAMS - 1);
	return -1;
}

static int enter_stream(const struct lc_run *run, uint32_t stream)
{
	char dir[4096];

	snprintf(dir, sizeof(dir), "%s/p%u", run->dir, stream);
	if (chdir(dir)) {
		perror(dir);
		return 1;
	}
	return run->body(run, stream);
}

static int make_dirs(const struct lc_run *run)
{
	char dir[4096];

	umask(0);
	for (uint32_t s = 0; s < run->nstreams; s++) {
		snprintf(dir, sizeof(dir), "%s/p%u", run->dir, s);
		if (mkdir(dir, 0755)) {
			perror(dir);
			return 1;
		}
	}
	sync();
	return 0;
}

/* 0 when every stream ended well; the first bad one ends the others. */
int lc_run_streams(const struct lc_run *run)
{
	pid_t pids[LC_MAX_STREAMS];
	int bad = make_dirs(run), status;

	if (bad)
		return bad;
	for (uint32_t s = 0; s < run->nstreams; s++) {
		pids[s] = fork();
		if (pids[s] < 0) {
			perror("fork");
			exit(2);
		}
		if (!pids[s])
			_exit(enter_stream(run, s));
	}
	for (uint32_t s = 0; s < run->nstreams; s++) {
		if (waitpid(-1, &status, 0) >= 0 && !status)
			continue;
		for (uint32_t i = 0; !bad && i < run->nstreams; i++)
			kill(pids[i], SIGTERM);
		bad = 1;
	}
	return bad;
}
