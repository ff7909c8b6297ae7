// SPDX-License-Identifier: MPL-2.0
/* Many files, many processes, big files. */
#include "datatest.h"

static const char *numbered(int i)
{
	char name[32];

	snprintf(name, sizeof(name), "f%d", i);
	return path(name);
}

static void check_file(int i, size_t bytes, uint64_t seed)
{
	int fd = OK(open(numbered(i), O_RDONLY));

	EQ(file_size(fd), bytes);
	if (bytes)
		check_pattern(fd, 0, bytes, seed);
	close(fd);
}

static void small_files(void)
{
	size_t *sizes = calloc(600, sizeof(*sizes));
	uint32_t *seeds = calloc(600, sizeof(*seeds));

	for (int n = 0; n < 2000; n++) {
		int i = rnd() % 600, fd;

		if (!(rnd() % 5) && seeds[i]) {
			OK(unlink(numbered(i)));
			seeds[i] = 0;
			continue;
		}
		sizes[i] = rnd() % (rnd() % 8 ? 3000 : 60000);
		seeds[i] = n + 1;
		fd = OK(open(numbered(i), O_WRONLY | O_CREAT | O_TRUNC, 0644));
		if (sizes[i])
			put_pattern(fd, 0, sizes[i], seeds[i]);
		if (!(rnd() % 50))
			OK(fsync(fd));
		close(fd);
		if (!(n % 500))
			drop_caches();
	}
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 600; i++)
			if (seeds[i])
				check_file(i, sizes[i], seeds[i]);
		if (!round && !remount())
			drop_caches();
	}
}

/* written beside, then renamed over: always the one or the other */
static void renamed_over(void)
{
	for (int i = 1; i <= 200; i++) {
		int fd = OK(open(path("new"), O_WRONLY | O_CREAT | O_TRUNC,
				 0644));

		put_pattern(fd, 0, 5000 + i, i);
		close(fd);
		OK(rename(path("new"), path("f0")));
		check_file(0, 5000 + i, i);
	}
	drop_caches();
	check_file(0, 5200, 200);
}

/* stat never tells less while somebody waits for the map of the file */
static void blocks_while_loading(void)
{
	volatile int *done = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = OK(open(path("f0"), O_RDWR | O_CREAT, 0644));
	struct stat want, now;

	CHECK(done != MAP_FAILED);
	for (int i = 0; i < 300; i++)
		put_pattern(fd, i * 2 * BLOCK, BLOCK, 1);
	OK(fsync(fd));
	OK(fstat(fd, &want));
	close(fd);
	for (int round = 0; round < 20; round++) {
		int status;
		pid_t pid;

		drop_caches();
		*done = 0;
		pid = OK(fork());
		if (!pid) {
			do {
				OK(stat(path("f0"), &now));
				EQ(now.st_blocks, want.st_blocks);
			} while (!*done);
			_exit(0);
		}
		fd = OK(open(path("f0"), O_RDONLY));
		check_pattern(fd, 0, BLOCK, 1);
		close(fd);
		*done = 1;
		EQ(waitpid(pid, &status, 0), pid);
		EQ(status, 0);
	}
}

static void big_file(void)
{
	int fd = OK(open(path("big"), O_RDWR | O_CREAT, 0644));
	const size_t step = 1 << 20;

	for (int i = 0; i < 32; i++)
		put_pattern(fd, i * step, step, 1);
	OK(fsync(fd));
	for (int i = 0; i < 300; i++)		/* in place, here and there */
		put_pattern(fd, (uint64_t)(rnd() % 8000) * BLOCK + 77, 100, 1);
	drop_caches();
	for (int i = 0; i < 32; i++)
		check_pattern(fd, i * step, step, 1);
	OK(ftruncate(fd, 10 * step + 5));
	check_pattern(fd, 9 * step, step + 5, 1);
}

/* every second block: the map does not join */
static void scattered(void)
{
	int fd = OK(open(path("s"), O_RDWR | O_CREAT, 0644));

	for (int i = 0; i < 1500; i++)
		put_pattern(fd, (uint64_t)(i * 769 % 1500) * 2 * BLOCK, BLOCK,
			    5);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 1500; i += 7) {
			check_pattern(fd, (uint64_t)i * 2 * BLOCK, BLOCK, 5);
			if (i < 1499)
				check_zero(fd, (uint64_t)i * 2 * BLOCK + BLOCK,
					   BLOCK);
		}
		if (round)
			break;
		close(fd);
		if (!remount())
			drop_caches();
		fd = OK(open(path("s"), O_RDWR));
	}
	for (int i = 0; i < 1499; i++)		/* and now it does */
		put_pattern(fd, (uint64_t)i * 2 * BLOCK + BLOCK, BLOCK, 5);
	drop_caches();
	check_pattern(fd, 0, 2999 * BLOCK, 5);
}

/* truncate, writes, faults and direct I/O of one file, all at once */
static void churn_one(int kind)
{
	int fd = OK(open(path("c"), O_RDWR | (kind == 2 ? O_DIRECT : 0)));
	uint8_t *b = aligned(8 * BLOCK), *map;

	rnd_seed(kind);
	memset(b, 'a' + kind, 8 * BLOCK);
	for (int i = 0; i < 300; i++) {
		uint64_t pos = (uint64_t)(rnd() % 64) * BLOCK;

		switch (kind) {
		case 0:
			OK(pwrite(fd, b, 1 + rnd() % 30000, pos + rnd() % 9));
			break;
		case 1:
			OK(ftruncate(fd, rnd() % (64 * BLOCK)));
			break;
		case 2:
			OK(pwrite(fd, b, 4 * BLOCK, pos));
			OK(pread(fd, b, 4 * BLOCK, pos));
			memset(b, 'a' + kind, 8 * BLOCK);
			break;
		case 3:
			OK(fallocate(fd, 3, pos, 5 * BLOCK)); /* punch */
			OK(fallocate(fd, 0, pos, 3 * BLOCK + 9));
			break;
		case 4:
			OK(fsync(fd));
			break;
		default:
			/* reads only: a store may be behind the end */
			OK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
			map = mmap(NULL, 8 * BLOCK, PROT_READ, MAP_SHARED, fd,
				   0);
			CHECK(map != MAP_FAILED);
			OK(madvise(map, 8 * BLOCK, MADV_WILLNEED));
			OK(munmap(map, 8 * BLOCK));
			OK(pread(fd, b, 8 * BLOCK, pos));
		}
	}
	close(fd);
}

static void churn(void)
{
	uint8_t *b = malloc(80 * BLOCK);
	pid_t pids[6];
	ssize_t n;
	int fd;

	close(OK(open(path("c"), O_RDWR | O_CREAT, 0644)));
	for (int k = 0; k < 6; k++) {
		pids[k] = OK(fork());
		if (!pids[k]) {
			churn_one(k);
			_exit(0);
		}
	}
	for (int k = 0; k < 6; k++) {
		int status;

		OK(waitpid(pids[k], &status, 0));
		if (status)
			_exit(1);	/* the child has told why */
	}
	drop_caches();
	fd = OK(open(path("c"), O_RDWR));
	n = OK(pread(fd, b, 80 * BLOCK, 0));
	EQ(n, file_size(fd));
	for (ssize_t i = 0; i < n; i++)
		CHECK(!b[i] || b[i] == 'a' || b[i] == 'c');
}

/* stores of several processes into one shared mapping */
static void shared_stores(void)
{
	int fd = OK(open(path("m"), O_RDWR | O_CREAT, 0644));
	const int pages = 64;
	uint8_t *map;

	OK(ftruncate(fd, pages * BLOCK));
	for (int p = 0; p < 4; p++) {
		if (OK(fork()))
			continue;
		map = mmap(NULL, pages * BLOCK, PROT_READ | PROT_WRITE,
			   MAP_SHARED, fd, 0);
		CHECK(map != MAP_FAILED);
		for (int i = 0; i < 2000; i++) {
			int at = (i * 37 + p) % pages;

			map[at * BLOCK + p * 1000 + i % 1000] = p + 1;
			if (!(i % 200))
				OK(msync(map, pages * BLOCK, i % 400 ?
					 MS_ASYNC : MS_SYNC));
		}
		_exit(0);
	}
	for (int p = 0; p < 4; p++) {
		int status;

		OK(wait(&status));
		if (status)
			_exit(1);
	}
	drop_caches();
	for (int p = 0; p < 4; p++)
		for (int i = 1000; i < 2000; i++) {
			uint8_t c;

			EQ(pread(fd, &c, 1, (uint64_t)((i * 37 + p) % pages) *
				 BLOCK + p * 1000 + i % 1000), 1);
			EQ(c, p + 1);
		}
}

const struct test many_tests[] = {
	{ "many_small", small_files, false },
	{ "many_renames", renamed_over, false },
	{ "many_loading", blocks_while_loading, false },
	{ "many_big", big_file, false },
	{ "many_scattered", scattered, false },
	{ "many_churn", churn, false },
	{ "many_stores", shared_stores, false },
	{ NULL, NULL, false }
};
