// SPDX-License-Identifier: MPL-2.0
/*
 * Kills a daemon again and again, at seeded moments and in several ways, and
 * can mark each kill on the recorded disk so that the replay cuts the power
 * there.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "killer.h"

uint32_t lc_kill_delay(struct killer *k)
{
	return k->min_ms + lc_below(&k->rng, k->max_ms - k->min_ms + 1);
}

/* Not `must`: it may have ended meanwhile, as it was told to. */
int lc_kill_now(struct killer *k, pid_t pid, bool must)
{
	k->generation = lc_generation(k);
	if (!lc_process_alive(pid) || kill(pid, SIGKILL)) {
		if (!must)
			return 0;
		fprintf(stderr, "lakecrash: %s %d ended by itself\n", k->name,
			pid);
		return -1;
	}
	k->kills++;
	k->last = pid;
	return lc_mark_dead(k);
}

static void sleep_ms(uint32_t ms)
{
	usleep(ms * 1000);
}

/* At work: what programs waited for has moved on. */
static int kill_serving(struct killer *k, pid_t pid)
{
	if (lc_wait_service(k))
		return -1;
	sleep_ms(lc_kill_delay(k));
	return lc_kill_now(k, pid, true);
}

/* While it starts, attaches and recovers, or just after. */
static int kill_starting(struct killer *k, pid_t pid)
{
	sleep_ms(lc_kill_delay(k));
	return lc_kill_now(k, pid, true);
}

static const struct {
	const char *name;
	lc_kill_way kill;
	uint32_t weight;
	bool needs_sysfs, needs_standby;
} WAYS[] = {
	{ "serving", kill_serving, 10, false, false },
	{ "starting", kill_starting, 5, false, false },
	{ "attached", lc_kill_attached, 4, true, false },
	{ "frozen", lc_kill_frozen, 2, true, false },
	{ "freezing", lc_kill_freezing, 3, true, false },
	{ "handover", lc_kill_handover, 4, true, true },
};

#define NWAYS (sizeof(WAYS) / sizeof(WAYS[0]))

static uint32_t weight_of(const struct killer *k, size_t way)
{
	if (WAYS[way].needs_standby && !k->standby)
		return 0;
	/* Marks say nothing of kills while programs stand still. */
	if (WAYS[way].needs_sysfs && (!k->sysfs || k->area.fd >= 0))
		return 0;
	return WAYS[way].weight;
}

/* The first few go through all ways, so that a short run has them too. */
static size_t pick_way(struct killer *k, uint32_t round)
{
	uint32_t sum = 0, at;
	size_t way;

	if (round < NWAYS && weight_of(k, round))
		return round;
	for (way = 0; way < NWAYS; way++)
		sum += weight_of(k, way);
	at = lc_below(&k->rng, sum);
	for (way = 0; at >= weight_of(k, way); way++)
		at -= weight_of(k, way);
	return way;
}

static int kill_all(struct killer *k)
{
	uint32_t tally[NWAYS] = { 0 };

	for (uint32_t round = 0; !k->count || k->kills < k->count; round++) {
		size_t way = pick_way(k, round);
		uint32_t before = k->kills;
		pid_t pid = lc_process_wait(k->name, k->last);

		if (!pid || WAYS[way].kill(k, pid)) {
			fprintf(stderr, "lakecrash: kill %u (%s) failed\n",
				k->kills, WAYS[way].name);
			return 1;
		}
		tally[way] += k->kills - before;
		printf("killed %s %d, %s\n", k->name, k->last, WAYS[way].name);
		fflush(stdout);
	}
	printf("kills: %u", k->kills);
	for (size_t way = 0; way < NWAYS; way++)
		printf(", %s %u", WAYS[way].name, tally[way]);
	putchar('\n');
	fflush(stdout);
	return lc_process_wait(k->name, k->last) ? 0 : 1;
}

static const struct option OPTIONS[] = {
	{ "acks", required_argument, NULL, 'a' },
	{ "name", required_argument, NULL, 'n' },
	{ "probe", required_argument, NULL, 'p' },
	{ "sysfs", required_argument, NULL, 'y' },
	{ "standby", required_argument, NULL, 'b' },
	{ "seed", required_argument, NULL, 's' },
	{ "count", required_argument, NULL, 'c' },
	{ "min-ms", required_argument, NULL, 'l' },
	{ "max-ms", required_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

int lc_kill_main(int argc, char **argv)
{
	struct killer k = { .name = "laked", .min_ms = 0, .max_ms = 2000,
			    .area.fd = -1 };
	int o;

	while ((o = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
		if (o == 'a')
			k.ack_device = optarg;
		else if (o == 'n')
			k.name = optarg;
		else if (o == 'p')
			k.probe = optarg;
		else if (o == 'y')
			k.sysfs = optarg;
		else if (o == 'b')
			k.standby = optarg;
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
	if (k.max_ms < k.min_ms || (k.sysfs && !k.probe))
		return 2;
	if (k.ack_device && lc_ack_open(&k.area, k.ack_device)) {
		perror(k.ack_device);
		return 2;
	}
	return kill_all(&k);
}
