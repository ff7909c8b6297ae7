// SPDX-License-Identifier: MPL-2.0
/*
 * Takes memory until others have only so much left, looks at what it took,
 * gives it back and begins anew.  So the kernel has to reclaim page cache and
 * caches all the time.  Fails when it made no headway: a page that does not
 * come for long, or too little in all.
 *
 *	hog --leave MIB --seconds S [--stall-ms MS] [--least MIB]
 *	    [--until FILE]
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define CHUNK	(2ul << 20)
#define PAGE	4096ul
#define CHUNKS_MAX 4096

struct hog {
	long leave_mib, seconds, stall_ms, least_mib;
	const char *until;
	uint8_t *chunks[CHUNKS_MAX];
	long nchunks, most, taken;
	double longest;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* What programs could still have, in MiB, by the kernel's own estimate. */
static long available(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	long kib = -1;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %ld", &kib) == 1)
			break;
	if (!f || kib < 0) {
		perror("hog: /proc/meminfo");
		exit(2);
	}
	fclose(f);
	return kib / 1024;
}

static uint64_t mark_of(const struct hog *h, long chunk, unsigned long at)
{
	return (uint64_t)(uintptr_t)h->chunks[chunk] + at * 2654435761u;
}

static bool take(struct hog *h)
{
	uint8_t *p = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return false;
	h->chunks[h->nchunks] = p;
	for (unsigned long at = 0; at < CHUNK; at += PAGE) {
		double began = now(), took;
		uint64_t mark = mark_of(h, h->nchunks, at);

		memcpy(p + at, &mark, sizeof(mark));
		took = now() - began;
		if (took > h->longest)
			h->longest = took;
	}
	h->nchunks++;
	return true;
}

static void give_back(struct hog *h)
{
	for (long i = 0; i < h->nchunks; i++) {
		for (unsigned long at = 0; at < CHUNK; at += PAGE) {
			uint64_t mark = mark_of(h, i, at);

			if (memcmp(h->chunks[i] + at, &mark, sizeof(mark))) {
				fputs("hog: memory changed\n", stderr);
				exit(1);
			}
		}
		munmap(h->chunks[i], CHUNK);
	}
	if (h->nchunks > h->most)
		h->most = h->nchunks;
	h->taken += h->nchunks;
	h->nchunks = 0;
}

/* Others may want more in the middle of a round: it ends then. */
static void round_trip(struct hog *h)
{
	while (h->nchunks < CHUNKS_MAX && available() > h->leave_mib)
		if (!take(h))
			break;
	usleep(200000);
	give_back(h);
	usleep(100000);
}

static int run(struct hog *h)
{
	double end = now() + h->seconds;
	long rounds = 0;

	while (now() < end && (!h->until || access(h->until, F_OK))) {
		round_trip(h);
		rounds++;
	}
	h->taken *= CHUNK >> 20;
	printf("hog: %ld MiB in %ld rounds of up to %ld MiB, longest wait for "
	       "a page %.0f ms\n", h->taken, rounds,
	       h->most * (long)(CHUNK >> 20), h->longest * 1000);
	if (h->taken < h->least_mib) {
		fprintf(stderr, "hog: less than %ld MiB\n", h->least_mib);
		return 1;
	}
	if (h->stall_ms && h->longest * 1000 > h->stall_ms) {
		fprintf(stderr, "hog: longer than %ld ms\n", h->stall_ms);
		return 1;
	}
	return 0;
}

static const struct option OPTIONS[] = {
	{ "leave", required_argument, NULL, 'l' },
	{ "seconds", required_argument, NULL, 's' },
	{ "stall-ms", required_argument, NULL, 'm' },
	{ "least", required_argument, NULL, 'n' },
	{ "until", required_argument, NULL, 'u' },
	{ NULL, 0, NULL, 0 },
};

int main(int argc, char **argv)
{
	static struct hog h = { .leave_mib = 64, .seconds = 30 };
	int o;

	while ((o = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
		if (o == 'l')
			h.leave_mib = strtol(optarg, NULL, 0);
		else if (o == 's')
			h.seconds = strtol(optarg, NULL, 0);
		else if (o == 'm')
			h.stall_ms = strtol(optarg, NULL, 0);
		else if (o == 'n')
			h.least_mib = strtol(optarg, NULL, 0);
		else if (o == 'u')
			h.until = optarg;
		else
			return 2;
	}
	return run(&h);
}
