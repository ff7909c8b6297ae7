// SPDX-License-Identifier: MPL-2.0
/*
 * Kills a daemon again and again, at seeded moments, and can mark each kill
 * on the recorded disk so that the replay cuts the power there.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lakecrash.h"

#define RESPAWN_TRIES 12000	/* of 10 ms */

struct killer {
	const char *name, *ack_device;
	const char *probe;		/* a folder of the mount */
	uint64_t rng;
	uint32_t count, min_ms, max_ms;
};

/* A process whose short name is exactly that, or 0. */
static pid_t find_process(const char *name)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	pid_t found = 0;

	while (proc && !found && (e = readdir(proc))) {
		char path[300], comm[64] = "";
		FILE *f;

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		if (fgets(comm, sizeof(comm), f))
			comm[strcspn(comm, "\n")] = 0;
		fclose(f);
		if (!strcmp(comm, name))
			found = atoi(e->d_name);
	}
	if (proc)
		closedir(proc);
	return found;
}

static pid_t wait_for_other(const char *name, pid_t old)
{
	for (int i = 0; i < RESPAWN_TRIES; i++) {
		pid_t pid = find_process(name);

		if (pid && pid != old)
			return pid;
		usleep(10000);
	}
	return 0;
}

/*
 * Two times in three the successor first has to serve: what programs wait
 * for moves on, and it is killed at work.  Else it may die while it starts
 * and recovers.
 */
static int wait_for_service(const struct killer *k, uint64_t *rng)
{
	int fd, error;

	if (!k->probe || !lc_below(rng, 3))
		return 0;
	fd = open(k->probe, O_RDONLY | O_DIRECTORY);
	error = fd < 0 || syncfs(fd);
	if (error)
		perror(k->probe);
	if (fd >= 0)
		close(fd);
	return error;
}

static int kill_all(const struct killer *k, struct lc_ack_area *area)
{
	uint64_t rng = k->rng;
	pid_t pid = 0;

	for (uint32_t i = 1; !k->count || i <= k->count; i++) {
		struct lc_ack mark = { .stream = LC_MARK_STREAM, .op = i };
		uint32_t delay_ms = k->min_ms +
			lc_below(&rng, k->max_ms - k->min_ms + 1);

		pid = wait_for_other(k->name, pid);
		if (!pid) {
			fprintf(stderr, "lakecrash: no %s came back\n",
				k->name);
			return 1;
		}
		if (wait_for_service(k, &rng))
			return 1;
		usleep(delay_ms * 1000);
		if (kill(pid, SIGKILL)) {
			fprintf(stderr, "lakecrash: %s %d ended by itself\n",
				k->name, pid);
			return 1;
		}
		if (area->fd >= 0 && lc_ack_write(area, &mark))
			return 1;
		printf("killed %s %d after %u ms\n", k->name, pid, delay_ms);
		fflush(stdout);
	}
	return wait_for_other(k->name, pid) ? 0 : 1;
}

static const struct option OPTIONS[] = {
	{ "acks", required_argument, NULL, 'a' },
	{ "name", required_argument, NULL, 'n' },
	{ "probe", required_argument, NULL, 'p' },
	{ "seed", required_argument, NULL, 's' },
	{ "count", required_argument, NULL, 'c' },
	{ "min-ms", required_argument, NULL, 'l' },
	{ "max-ms", required_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

int lc_kill_main(int argc, char **argv)
{
	struct killer k = { .name = "laked", .min_ms = 0, .max_ms = 2000 };
	struct lc_ack_area area = { .fd = -1 };
	int o;

	while ((o = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
		if (o == 'a')
			k.ack_device = optarg;
		else if (o == 'n')
			k.name = optarg;
		else if (o == 'p')
			k.probe = optarg;
		else if (o == 's')
			k.rng = lc_mix(strtoull(optarg, NULL, 0));
		else if (o == 'c')
			k.count = strtoul(optarg, NULL, 0);
		else if (o == 'l')
			k.min_ms = strtoul(optarg, NULL, 0);
		else if (o == 'h')
			k.max_ms = strtoul(optarg, NULL, 0);
		else
			return 2;
	}
	if (k.max_ms < k.min_ms)
		return 2;
	if (k.ack_device && lc_ack_open(&area, k.ack_device)) {
		perror(k.ack_device);
		return 2;
	}
	return kill_all(&k, &area);
}
