// SPDX-License-Identifier: MPL-2.0
/* Direct I/O, alone and beside other ways; synchronous writes. */
#include "datatest.h"
#include <linux/aio_abi.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static int open_direct(const char *name, int flags)
{
	return OK(open(path(name), O_RDWR | O_CREAT | O_DIRECT | flags, 0644));
}

static void put_direct(int fd, uint64_t pos, size_t bytes, uint64_t seed)
{
	uint8_t *b = aligned(bytes);

	pattern(b, bytes, seed, pos);
	EQ(pwrite(fd, b, bytes, pos), bytes);
	free(b);
}

static void writes_and_reads(void)
{
	int dfd = open_direct("a", 0), fd = OK(open(path("a"), O_RDWR));
	uint8_t *b = aligned(64 * BLOCK), *want = malloc(64 * BLOCK);

	put_direct(dfd, 0, 64 * BLOCK, 1);		/* holes */
	check_pattern(fd, 0, 64 * BLOCK, 1);
	put_direct(dfd, 8 * BLOCK, 8 * BLOCK, 2);	/* in place */
	check_pattern(fd, 8 * BLOCK, 8 * BLOCK, 2);
	put_direct(dfd, 60 * BLOCK, 8 * BLOCK, 3);	/* both */
	EQ(file_size(fd), 68 * BLOCK);
	drop_caches();
	EQ(pread(dfd, b, 64 * BLOCK, 8 * BLOCK), 60 * BLOCK);
	pattern(want, 8 * BLOCK, 2, 8 * BLOCK);
	CHECK(!memcmp(b, want, 8 * BLOCK));
	pattern(want, 8 * BLOCK, 3, 60 * BLOCK);
	CHECK(!memcmp(b + 52 * BLOCK, want, 8 * BLOCK));
}

/* dirty pages are written before a direct read, gone after a direct write */
static void beside_the_cache(void)
{
	int dfd = open_direct("a", 0), fd = OK(open(path("a"), O_RDWR));
	uint8_t *b = aligned(BLOCK), *want = malloc(BLOCK);

	for (int i = 0; i < 200; i++) {
		uint64_t pos = rnd() % 32 * BLOCK;

		put_pattern(fd, pos, BLOCK, i);
		EQ(pread(dfd, b, BLOCK, pos), BLOCK);
		pattern(want, BLOCK, i, pos);
		CHECK(!memcmp(b, want, BLOCK));
		put_direct(dfd, pos, BLOCK, i + 1000);
		check_pattern(fd, pos, BLOCK, i + 1000);
	}
}

static void unaligned(void)
{
	int dfd = open_direct("a", 0), fd = OK(open(path("a"), O_RDWR));

	put_direct(dfd, 512, 1024, 1);
	put_direct(dfd, 4096 + 512, 8192, 2);
	check_zero(fd, 0, 512);
	check_pattern(fd, 512, 1024, 1);
	check_zero(fd, 1536, 4096 + 512 - 1536);
	check_pattern(fd, 4096 + 512, 8192, 2);
	EQ(file_size(fd), 4096 + 512 + 8192);
	drop_caches();
	check_zero(fd, 1536, 4096 + 512 - 1536);
	check_pattern(fd, 4096 + 512, 8192, 2);
}

/* the second half of the memory is not there */
static void bad_memory(void)
{
	int dfd = open_direct("a", 0), fd = OK(open(path("a"), O_RDWR));
	uint8_t *map = mmap(NULL, 8 * BLOCK, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ssize_t n;

	pattern(map, 4 * BLOCK, 1, 0);
	OK(munmap(map + 4 * BLOCK, 4 * BLOCK));
	n = pwrite(dfd, map, 8 * BLOCK, 0);
	if (n < 0)
		EQ(errno, EFAULT);
	else
		check_pattern(fd, 0, n, 1);
	CHECK(n <= 4 * BLOCK);
	n = pwrite(dfd, map, 8 * BLOCK, 16 * BLOCK);
	CHECK(n <= 4 * BLOCK);
	put_direct(dfd, 0, 32 * BLOCK, 2);
	check_pattern(fd, 0, 32 * BLOCK, 2);
	drop_caches();
	check_pattern(fd, 0, 32 * BLOCK, 2);
	/* buffered, the same */
	n = pwrite(fd, map, 8 * BLOCK, 40 * BLOCK);
	CHECK(n <= 4 * BLOCK);
	OK(ftruncate(fd, 40 * BLOCK));
	put_pattern(fd, 40 * BLOCK, 8 * BLOCK, 3);
	drop_caches();
	check_pattern(fd, 40 * BLOCK, 8 * BLOCK, 3);
}

/* each thread writes blocks of its own, again and again, at once */
#define THREADS	4
#define SPAN	64
static int shared_fd;
static uint32_t seeds[THREADS][SPAN];

static void *overwrite(void *arg)
{
	int me = (long)arg;
	uint8_t *b = aligned(BLOCK);
	uint32_t x = me * 7919 + 1;

	for (int i = 0; i < 400; i++) {
		int at;

		x = x * 1664525 + 1013904223;
		at = (x >> 16) % SPAN;
		seeds[me][at] = x;
		pattern(b, BLOCK, x, (at * THREADS + me) * BLOCK);
		if (pwrite(shared_fd, b, BLOCK,
			   (uint64_t)(at * THREADS + me) * BLOCK) != BLOCK)
			return "pwrite";
	}
	return NULL;
}

static void at_once(void)
{
	int fd;
	pthread_t t[THREADS];
	void *wrong;

	shared_fd = open_direct("a", 0);
	fd = OK(open(path("a"), O_RDWR));
	for (int round = 0; round < 2; round++) {
		for (long i = 0; i < THREADS; i++)
			CHECK(!pthread_create(&t[i], NULL, overwrite,
					      (void *)i));
		for (int i = 0; i < THREADS; i++) {
			CHECK(!pthread_join(t[i], &wrong));
			CHECK(!wrong);
		}
		drop_caches();
		for (int i = 0; i < THREADS * SPAN; i++) {
			uint32_t seed = seeds[i % THREADS][i / THREADS];

			if (seed)
				check_pattern(fd, (uint64_t)i * BLOCK, BLOCK,
					      seed);
		}
	}
}

/* the memory of a direct write is a mapping of the same file */
static void from_own_mapping(void)
{
	int dfd = open_direct("a", 0), fd = OK(open(path("a"), O_RDWR));
	uint8_t *map;

	put_pattern(fd, 0, 16 * BLOCK, 1);
	OK(fsync(fd));
	map = mmap(NULL, 4 * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	EQ(pwrite(dfd, map, 4 * BLOCK, 8 * BLOCK), 4 * BLOCK);
	EQ(pwrite(dfd, map, 4 * BLOCK, 32 * BLOCK), 4 * BLOCK);
	EQ(pread(dfd, map, 4 * BLOCK, 4 * BLOCK), 4 * BLOCK);
	OK(munmap(map, 4 * BLOCK));
	check_pattern(fd, 4 * BLOCK, 4 * BLOCK, 1);
	EQ(file_size(fd), 36 * BLOCK);
}

static void synchronous(void)
{
	static const int kinds[] = { O_SYNC, O_DSYNC, O_DIRECT | O_DSYNC };

	for (int k = 0; k < 3; k++) {
		int fd = OK(open(path("s"), O_RDWR | O_CREAT | kinds[k], 0644));
		uint8_t *b = aligned(3 * BLOCK);

		for (int i = 0; i < 40; i++) {
			uint64_t pos = (uint64_t)i * 2 * BLOCK;

			pattern(b, 3 * BLOCK, k, pos);
			EQ(pwrite(fd, b, 3 * BLOCK, pos), 3 * BLOCK);
		}
		close(fd);
		drop_caches();
		fd = OK(open(path("s"), O_RDWR));
		check_pattern(fd, 0, 81 * BLOCK, k);
		OK(fdatasync(fd));
		OK(syncfs(fd));
		close(fd);
	}
}

/*
 * Regression: the block that the end lies in was read as the device has it, with
 * what a truncation had cut off.
 */
static void behind_the_end(void)
{
	int fd = OK(open(path("a"), O_RDWR | O_CREAT, 0644)), dfd;
	uint8_t *b = aligned(4 * BLOCK), *want = malloc(4 * BLOCK);

	pattern(want, 4 * BLOCK, 7, 0);
	put_pattern(fd, 0, 3 * BLOCK, 7);
	OK(fsync(fd));
	OK(ftruncate(fd, 2 * BLOCK + 100));
	OK(fsync(fd));
	drop_caches();
	dfd = open_direct("a", 0);
	for (int from = 0; from < 3; from++) {
		size_t got = (2 - from) * BLOCK + 100;

		memset(b, 0, 4 * BLOCK);
		EQ(pread(dfd, b, (4 - from) * BLOCK, from * BLOCK), got);
		CHECK(!memcmp(b, want + from * BLOCK, got));
		for (size_t i = got; i < 4 * BLOCK; i++)
			EQ(b[i], 0);
	}
	EQ(pread(dfd, b, BLOCK, 3 * BLOCK), 0);
	/* as programs read to the end */
	EQ(lseek(dfd, 0, SEEK_SET), 0);
	EQ(read(dfd, b, 4 * BLOCK), 2 * BLOCK + 100);
	EQ(read(dfd, b, 4 * BLOCK), 0);
	ERR(pread(dfd, b, 100, BLOCK), EINVAL);
	EQ(pread(dfd, b, BLOCK, 0), BLOCK);
	/* what is not written yet, too */
	put_pattern(fd, 2 * BLOCK + 100, 50, 8);
	pattern(want + 2 * BLOCK + 100, 50, 8, 2 * BLOCK + 100);
	EQ(pread(dfd, b, 2 * BLOCK, BLOCK), BLOCK + 150);
	CHECK(!memcmp(b, want + BLOCK, BLOCK + 150));
}

/*
 * Many overwrites in flight, each of a block of its own. Regression: their
 * completion, in an interrupt on newer kernels, waited for a mutex.
 */
#define DEPTH	32
static void asynchronous(void)
{
	int dfd = open_direct("a", 0);
	struct io_event events[DEPTH];
	struct iocb io[DEPTH], *list[DEPTH];
	uint8_t *b[DEPTH];
	aio_context_t ctx = 0;

	put_direct(dfd, 0, DEPTH * BLOCK, 1);
	OK(fsync(dfd));
	OK(syscall(SYS_io_setup, DEPTH, &ctx));
	for (int i = 0; i < DEPTH; i++)
		b[i] = aligned(BLOCK);
	for (int round = 2; round < 40; round++) {
		for (int i = 0; i < DEPTH; i++) {
			pattern(b[i], BLOCK, round, i * BLOCK);
			io[i] = (struct iocb){
				.aio_lio_opcode = IOCB_CMD_PWRITE,
				.aio_fildes = dfd,
				.aio_buf = (uintptr_t)b[i],
				.aio_nbytes = BLOCK,
				.aio_offset = i * BLOCK,
			};
			list[i] = &io[i];
		}
		EQ(syscall(SYS_io_submit, ctx, DEPTH, list), DEPTH);
		EQ(syscall(SYS_io_getevents, ctx, DEPTH, DEPTH, events, NULL),
		   DEPTH);
		for (int i = 0; i < DEPTH; i++)
			EQ(events[i].res, BLOCK);
		if (round % 8 == 0)
			OK(fdatasync(dfd));
	}
	OK(syscall(SYS_io_destroy, ctx));
	OK(fsync(dfd));
	drop_caches();
	check_pattern(OK(open(path("a"), O_RDONLY)), 0, DEPTH * BLOCK, 39);
}

const struct test direct_tests[] = {
	{ "direct_basic", writes_and_reads, false },
	{ "direct_cache", beside_the_cache, false },
	{ "direct_unaligned", unaligned, false },
	{ "direct_bad_memory", bad_memory, false },
	{ "direct_at_once", at_once, false },
	{ "direct_own_mapping", from_own_mapping, false },
	{ "direct_behind_end", behind_the_end, false },
	{ "direct_async", asynchronous, false },
	{ "sync_writes", synchronous, false },
	{ NULL, NULL, false }
};
