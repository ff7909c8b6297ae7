// SPDX-License-Identifier: MPL-2.0
/* A full device: a clear error, nothing lost, and room again after deleting. */
#include "datatest.h"
#include <sys/xattr.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/statvfs.h>

static uint64_t free_bytes(void)
{
	struct statvfs v;

	OK(statvfs(path(""), &v));
	return v.f_bfree * v.f_frsize;
}

/* Writes until there is no room; returns how many bytes are in the file. */
static uint64_t fill(int fd, uint64_t seed)
{
	const size_t step = 1 << 18;
	uint8_t *b = malloc(step);
	uint64_t at = 0;
	ssize_t n;

	for (;;) {
		pattern(b, step, seed, at);
		n = pwrite(fd, b, step, at);
		if (n <= 0)
			break;
		at += n;
	}
	EQ(n, -1);
	EQ(errno, ENOSPC);
	free(b);
	return at;
}

/* Takes all but some of the device, so that filling the rest is quick. */
static void leave_free(uint64_t bytes)
{
	int fd = OK(open(path("ballast"), O_RDWR | O_CREAT, 0644));
	uint64_t there = free_bytes();

	CHECK(there > bytes);
	OK(posix_fallocate(fd, 0, there - bytes));
	close(fd);
}

static void check_whole(int fd, uint64_t bytes, uint64_t seed)
{
	const size_t step = 1 << 20;

	EQ(file_size(fd), bytes);
	for (uint64_t at = 0; at < bytes; at += step)
		check_pattern(fd, at, bytes - at < step ? bytes - at : step,
			      seed);
}

static void fill_and_delete(void)
{
	uint64_t first = 0, bytes;

	leave_free(64 << 20);
	for (int round = 0; round < 3; round++) {
		int fd = OK(open(path("fill"), O_RDWR | O_CREAT, 0644));

		bytes = fill(fd, round);
		OK(fsync(fd));			/* what was taken is there */
		drop_caches();
		check_whole(fd, bytes, round);
		close(fd);
		if (!round)
			first = bytes;
		/* freed space comes back, all but a little */
		CHECK(bytes > first - first / 10);
		OK(unlink(path("fill")));
	}
}

/* what is not full is still usable, and what is in place needs no room */
static void full_but_alive(void)
{
	int keep = OK(open(path("keep"), O_RDWR | O_CREAT, 0644));
	int pre = OK(open(path("pre"), O_RDWR | O_CREAT, 0644));
	int fd = OK(open(path("fill"), O_RDWR | O_CREAT, 0644));
	uint64_t bytes;

	put_pattern(keep, 0, 64 * BLOCK, 1);
	OK(fsync(keep));
	OK(posix_fallocate(pre, 0, 256 * BLOCK));
	leave_free(32 << 20);
	bytes = fill(fd, 3);
	put_pattern(keep, 0, 64 * BLOCK, 2);
	put_pattern(pre, 0, 256 * BLOCK, 4);
	OK(fsync(keep));
	OK(fsync(pre));
	if (is_lakefs)		/* metadata has room of its own */
		OK(mkdir(path("dir"), 0755));
	EQ(posix_fallocate(keep, 0, 1 << 30), ENOSPC);
	drop_caches();
	check_pattern(keep, 0, 64 * BLOCK, 2);
	check_pattern(pre, 0, 256 * BLOCK, 4);
	check_whole(fd, bytes, 3);
	OK(ftruncate(fd, bytes / 2));
	OK(fsync(fd));
	put_pattern(keep, 64 * BLOCK, 64 * BLOCK, 5);
	OK(fsync(keep));
	drop_caches();
	check_pattern(keep, 64 * BLOCK, 64 * BLOCK, 5);
	check_whole(fd, bytes / 2, 3);
}

static sigjmp_buf bus;

static void on_bus(int sig)
{
	(void)sig;
	siglongjmp(bus, 1);
}

/* a store into a hole that has no room: SIGBUS, not lost data */
static void full_mapping(void)
{
	int fd = OK(open(path("fill"), O_RDWR | O_CREAT, 0644));
	int hole = OK(open(path("hole"), O_RDWR | O_CREAT, 0644));
	volatile uint8_t *map;
	volatile int stored = 0;

	OK(ftruncate(hole, 4096 * BLOCK));
	fill(fd, 1);
	signal(SIGBUS, on_bus);
	map = mmap(NULL, 4096 * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED,
		   hole, 0);
	CHECK(map != MAP_FAILED);
	if (!sigsetjmp(bus, 1))
		for (; stored < 4096; stored++)
			map[stored * BLOCK] = 9;
	CHECK(stored < 4096);
	OK(fsync(hole));
	OK(munmap((void *)map, 4096 * BLOCK));
	drop_caches();
	for (int i = 0; i < stored; i++) {
		uint8_t c;

		EQ(pread(hole, &c, 1, (uint64_t)i * BLOCK), 1);
		EQ(c, 9);
	}
}

static void statfs_follows(void)
{
	int fd = OK(open(path("a"), O_RDWR | O_CREAT, 0644));
	uint64_t before, during;

	sync();
	usleep(500000);		/* what other tests deleted is free */
	before = free_bytes();
	put_pattern(fd, 0, 4 << 20, 1);
	OK(fsync(fd));
	during = free_bytes();
	CHECK(before - during >= 4 << 20);
	CHECK(before - during <= 6 << 20);
	close(fd);
	OK(unlink(path("a")));
	sync();
	/* the daemon learns it with the next commit */
	for (int i = 0; i < 50 && free_bytes() + (1 << 20) < before; i++)
		usleep(100000);
	CHECK(free_bytes() + (1 << 20) >= before);
}

/*
 * Xattrs until there is no room: an error, never a lost file system. What
 * takes them all (a test daemon that keeps them in memory) is right, too.
 */
static void metadata_full(void)
{
	static char value[60000];
	char name[32], file[32];
	int n, fd, full = 0;

	memset(value, 'v', sizeof(value));
	for (n = 0; n < 5000 && !full; n++) {
		snprintf(file, sizeof(file), "f%d", n / 20);
		snprintf(name, sizeof(name), "user.%d", n % 20);
		fd = open(path(file), O_RDWR | O_CREAT, 0644);
		if (fd < 0 || fsetxattr(fd, name, value,
					n % 7 ? 3000 : sizeof(value), 0)) {
			EQ(errno, ENOSPC);
			full = 1;
		}
		if (fd >= 0)
			OK(close(fd));
	}
	sync();
	drop_caches();
	while (n--) {
		snprintf(file, sizeof(file), "f%d", n / 20);
		if (n % 20 == 0 && unlink(path(file)))
			EQ(errno, ENOENT);
	}
	sync();
	/* room is there again when the daemon has done it */
	for (int tries = 0; tries < 50; tries++) {
		fd = open(path("again"), O_RDWR | O_CREAT, 0644);
		if (fd >= 0)
			break;
		EQ(errno, ENOSPC);
		usleep(100000);
	}
	OK(fd);
	OK(fsetxattr(fd, "user.again", value, 100, 0));
	OK(fsync(fd));
}

enum { BURST_FILES = 40, BURST_XATTRS = 36, BURST_PUNCHES = 400,
       BURST_NAMES = 300, BURST_SETTERS = 4, BURST_PUNCHERS = 2 };

static void set_until_full(int who)
{
	static char value[3000];
	char name[64];

	memset(value, 'b', sizeof(value));
	for (int n = 0; n < BURST_FILES * BURST_XATTRS; n++) {
		snprintf(name, sizeof(name), "set%d.%d", who, n / BURST_XATTRS);
		int fd = open(path(name), O_RDWR | O_CREAT, 0644);

		snprintf(name, sizeof(name), "user.%d", n % BURST_XATTRS);
		if (fd < 0 || fsetxattr(fd, name, value, sizeof(value), 0))
			EQ(errno, ENOSPC);
		if (fd < 0)
			return;
		OK(close(fd));
	}
}

/* from the end, so that each cuts what is left in two; a clone, if it may */
static void punch_until_full(int who)
{
	char name[64];

	snprintf(name, sizeof(name), "punch%d", who);
	int fd = OK(open(path(name), O_RDWR));

	for (int n = BURST_PUNCHES - 1; n >= 0; n--) {
		uint64_t at = (2 * n + 1) * (uint64_t)BLOCK;

		if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      at, BLOCK)) {
			EQ(errno, ENOSPC);
			check_pattern(fd, at, BLOCK, who);
		} else {
			check_zero(fd, at, BLOCK);
		}
		check_pattern(fd, at - BLOCK, BLOCK, who);
	}
}

static void rename_until_full(void)
{
	char from[256], to[256];

	for (int n = 0; n < BURST_NAMES; n++) {
		snprintf(from, sizeof(from), "n%d", n);
		snprintf(to, sizeof(to), "dir/%0200d", n * 7919 % BURST_NAMES);
		char *old = strdup(path(from));

		if (rename(old, path(to)))
			EQ(errno, ENOSPC);
		free(old);
	}
}

static void burst_part(int part)
{
	pid_t pid = OK(fork());

	if (pid)
		return;
	if (part < BURST_SETTERS)
		set_until_full(part);
	else if (part < BURST_SETTERS + BURST_PUNCHERS)
		punch_until_full(part);
	else
		rename_until_full();
	_exit(0);
}

static void burst_remove(void)
{
	char name[256];
	int n;

	for (n = 0; n < BURST_SETTERS * BURST_FILES; n++) {
		snprintf(name, sizeof(name), "set%d.%d", n / BURST_FILES,
			 n % BURST_FILES);
		if (unlink(path(name)))
			EQ(errno, ENOENT);
	}
	for (n = 0; n < BURST_NAMES; n++) {
		snprintf(name, sizeof(name), "n%d", n);
		if (unlink(path(name))) {
			EQ(errno, ENOENT);
			snprintf(name, sizeof(name), "dir/%0200d",
				 n * 7919 % BURST_NAMES);
			OK(unlink(path(name)));
		}
	}
	OK(rmdir(path("dir")));
}

/*
 * Everybody at once makes metadata grow, until each is refused: what was on
 * its way when it became full must have room. Not all need be refused (a test
 * daemon takes it all).
 */
static void burst(void)
{
	int parts = BURST_SETTERS + BURST_PUNCHERS + 1, part, fd, status;
	char name[64];

	for (part = BURST_SETTERS; part < parts - 1; part++) {
		snprintf(name, sizeof(name), "punch%d", part);
		fd = OK(open(path(name), O_RDWR | O_CREAT, 0644));
		put_pattern(fd, 0, 2 * BURST_PUNCHES * BLOCK, part);
		OK(close(fd));
	}
	OK(mkdir(path("dir"), 0755));
	for (int n = 0; n < BURST_NAMES; n++) {
		snprintf(name, sizeof(name), "n%d", n);
		OK(close(OK(open(path(name), O_RDWR | O_CREAT, 0644))));
	}
	sync();
	for (part = 0; part < parts; part++)
		burst_part(part);
	for (part = 0; part < parts; part++) {
		OK(wait(&status));
		EQ(status, 0);
	}
	sync();
	drop_caches();
	burst_remove();
	sync();
	for (int tries = 0; tries < 50; tries++) {
		fd = open(path("again"), O_RDWR | O_CREAT, 0644);
		if (fd >= 0)
			break;
		EQ(errno, ENOSPC);
		usleep(100000);
	}
	OK(fd);
	OK(fsync(fd));
}

const struct test space_tests[] = {
	{ "space_metadata", metadata_full, true },
	{ "space_burst", burst, true },
	{ "space_statfs", statfs_follows, true },
	{ "space_fill", fill_and_delete, true },
	{ "space_full", full_but_alive, true },
	{ "space_mapping", full_mapping, true },
	{ NULL, NULL, false }
};
