// SPDX-License-Identifier: MPL-2.0
/*
 * full FOLDER ROUNDS WRITERS SEED: so many processes at once fill the device
 * with files until each was told ENOSPC; every second file is deleted, and it
 * is filled again. After each round all files are read and every byte is
 * compared; what a writer could not finish it removes, which has to work on a
 * full device. Each round has to have room for what was deleted before it, less
 * a twentieth. Exit status 1: something else happened.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "content.h"

#define NAMES 4096	/* files of a writer, at most */
#define MOST 384	/* blocks of a file */

static const char *folder;
static char *data, *expected;

static const char *path_of(int writer, int number)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%d.%04d", folder, writer, number);
	return path;
}

static void fail(const char *what, int writer, int number)
{
	printf("full: %s: %s: %s\n", path_of(writer, number), what,
	       strerror(errno));
	exit(1);
}

static void no_space(const char *what, int writer, int number)
{
	if (errno != ENOSPC)
		fail(what, writer, number);
}

/* The number says all of a file, so that it can be read again. */
static uint32_t blocks_of(int writer, int number)
{
	uint64_t seed = mix(writer * NAMES + number);

	return draw(&seed, 3) ? 1 + draw(&seed, 40) : 1 + draw(&seed, MOST);
}

/* 0: written; 1: the device is full, and what had been written is gone */
static int write_one(int writer, int number, uint64_t *seed)
{
	int how = draw(seed, 4), is_full = 0, fd;
	uint32_t blocks = blocks_of(writer, number);
	int flags = O_WRONLY | O_CREAT | O_EXCL | (how == 1 ? O_DIRECT : 0);

	fd = open(path_of(writer, number), flags, 0600);
	if (fd < 0) {
		no_space("open", writer, number);
		return 1;
	}
	if (how == 2 && fallocate(fd, 0, 0, (off_t)blocks * BLOCK)) {
		no_space("fallocate", writer, number);
		is_full = 1;
	}
	for (uint32_t b = 0; b < blocks && !is_full; b++) {
		fill(data, writer * NAMES + number, b, 1);
		if (pwrite(fd, data, BLOCK, (off_t)b * BLOCK) != BLOCK) {
			no_space("write", writer, number);
			is_full = 1;
		}
	}
	/* what was taken from a program has room */
	if (!is_full && how == 3 && fsync(fd))
		fail("fsync", writer, number);
	if (close(fd))
		fail("close", writer, number);
	if (is_full && unlink(path_of(writer, number)))
		fail("unlink on a full device", writer, number);
	return is_full;
}

static void writer_of(int writer, uint64_t seed)
{
	int refused = 0;

	for (int n = 0; n < NAMES && refused < 3; n++) {
		if (!access(path_of(writer, n), F_OK))
			continue;
		refused += write_one(writer, n, &seed);
	}
	if (refused < 3)
		fail("never full", writer, NAMES - 1);
	exit(0);
}

static void check(int writer, int number)
{
	int fd = open(path_of(writer, number), O_RDONLY);
	uint32_t blocks = blocks_of(writer, number);
	struct stat st;

	if (fd < 0)
		fail("open", writer, number);
	if (fstat(fd, &st) || st.st_size != (off_t)blocks * BLOCK)
		fail("size", writer, number);
	for (uint32_t b = 0; b < blocks; b++) {
		if (read(fd, data, BLOCK) != BLOCK)
			fail("read", writer, number);
		fill(expected, writer * NAMES + number, b, 1);
		if (memcmp(data, expected, BLOCK))
			fail("a byte is wrong", writer, number);
	}
	close(fd);
}

static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	sync();
	if (fd < 0 || write(fd, "3", 1) != 1)
		exit(2);
	close(fd);
}

static uint64_t mib(uint64_t blocks)
{
	return blocks * BLOCK >> 20;
}

int main(int argc, char **argv)
{
	uint64_t deleted = 0, before = 0, seed;
	int rounds, writers;

	if (argc != 5)
		return 2;
	folder = argv[1];
	rounds = atoi(argv[2]);
	writers = atoi(argv[3]);
	seed = (uint64_t)atoi(argv[4]) << 20;
	data = aligned_alloc(BLOCK, BLOCK);
	expected = malloc(BLOCK);
	for (int round = 0; round < rounds; round++) {
		uint64_t now = 0, files = 0, gone = 0;
		int status, bad = 0;

		for (int w = 0; w < writers; w++)
			if (!fork())
				writer_of(w, seed + round * writers + w);
		while (wait(&status) > 0)
			bad |= status;
		if (bad)
			return 1;
		drop_caches();
		for (int w = 0; w < writers; w++)
			for (int n = 0; n < NAMES; n++) {
				if (access(path_of(w, n), F_OK))
					continue;
				check(w, n);
				now += blocks_of(w, n);
				if (files++ & 1)
					continue;
				gone += blocks_of(w, n);
				if (unlink(path_of(w, n)))
					fail("unlink", w, n);
			}
		printf("full: round %d: %llu files, %llu MiB, sound; %llu MiB deleted\n",
		       round + 1, (unsigned long long)files,
		       (unsigned long long)mib(now),
		       (unsigned long long)mib(gone));
		fflush(stdout);
		if (now - (before - deleted) < deleted - deleted / 20) {
			printf("full: no room for what had been deleted\n");
			return 1;
		}
		before = now;
		deleted = gone;
		sync();
	}
	return 0;
}
