// SPDX-License-Identifier: MPL-2.0
/*
 * SHARE of bytes that begin within a block: what has them afterwards is
 * skewed, and nobody who uses it sees a difference. The source holds the
 * destination's content behind `delta` other bytes.
 */
#include "readers.h"
#include "sealing.h"
#include <linux/falloc.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>

#define BLOCKS	20
#define BYTES	(BLOCKS * BLOCK)
#define SEED	READ_SEED	/* of share_write(), too */
#define OTHER	9

static const uint64_t deltas[] = { 1, 512, 2048, 3001, BLOCK - 1 };
#define DELTAS	(sizeof(deltas) / sizeof(*deltas))

static int make_checked(const char *name, uint64_t bytes)
{
	int fd = OK(open(path(name), O_RDWR | O_CREAT | O_TRUNC, 0644));

	put_pattern(fd, 0, bytes, SEED);
	seal_checked(fd, 0, (bytes + BLOCK - 1) / BLOCK);
	return fd;
}

/* bytes [0, delta) of another pattern, then as much as the destination has */
static int make_source(const char *name, uint64_t delta, uint64_t bytes)
{
	int fd = OK(open(path(name), O_RDWR | O_CREAT | O_TRUNC, 0644));
	uint8_t *content = malloc(delta + bytes);

	pattern(content, delta, OTHER, 0);
	pattern(content + delta, bytes, SEED, 0);
	EQ(pwrite(fd, content, delta + bytes, 0), delta + bytes);
	free(content);
	seal_checked(fd, 0, (delta + bytes + BLOCK - 1) / BLOCK);
	return fd;
}

static void check_source(int fd, uint64_t delta, uint64_t bytes)
{
	uint8_t *want = malloc(delta + bytes), *got = malloc(delta + bytes);

	pattern(want, delta, OTHER, 0);
	pattern(want + delta, bytes, SEED, 0);
	EQ(pread(fd, got, delta + bytes, 0), delta + bytes);
	CHECK(!memcmp(want, got, delta + bytes));
	free(want);
	free(got);
}

static uint64_t skew_of(int fd, uint64_t block)
{
	return seal_where(fd, block).flags >> SEAL_SKEW_SHIFT;
}

static void pair(uint64_t delta, int *a, int *b)
{
	*a = make_source("a", delta, BYTES);
	*b = make_checked("b", BYTES);
	seal_share_piece(*a, delta, *b, 0, BLOCKS);
	EQ(skew_of(*b, 0), delta % BLOCK);
	EQ(seal_where(*b, 3).phys, seal_where(*a, 3).phys + delta / BLOCK);
}

static void read_all_ways(int fd)
{
	for (size_t r = 0; r < READERS; r++) {
		drop_caches();
		CHECK(readers[r](fd, 0, BYTES));
		drop_caches();
		for (int i = 0, at = 0; i < BLOCKS; i++, at = (at + 7) % BLOCKS)
			CHECK(readers[r](fd, at * BLOCK, BLOCK));
	}
	for (uint64_t pos = 0; pos < 4 * BLOCK; pos += 1536)
		CHECK(by_direct(fd, pos, 512) &&
		      by_direct_odd(fd, pos, 2 * BLOCK + 1024));
}

static void skew_reads(void)
{
	for (size_t d = 0; d < DELTAS; d++) {
		uint64_t delta = deltas[d] + d * BLOCK, before;
		struct stat old, new;
		int a, b;

		a = make_source("a", delta, BYTES);
		b = make_checked("b", BYTES);
		OK(fstat(b, &old));
		seal_share_piece(a, delta, b, 0, BLOCKS);
		OK(fstat(b, &new));
		EQ(new.st_blocks, old.st_blocks);
		EQ(new.st_mtim.tv_nsec, old.st_mtim.tv_nsec);
		EQ(skew_of(b, 5), deltas[d]);
		EQ(shared_blocks(b), BLOCKS);
		before = lake_number("checked_reads");
		read_all_ways(b);
		CHECK(lake_number("checked_reads") > before + BLOCKS);
		check_source(a, delta, BYTES);
		close(a);
		close(b);
		if (!remount())
			continue;
		b = OK(open(path("b"), O_RDWR));
		EQ(skew_of(b, 5), deltas[d]);
		read_all_ways(b);
		close(b);
	}
	EQ(lake_number("damaged_reads"), 0);
}

/* A bit of a block that lies in two of the file's: these fail, no others. */
static void skew_bit_flip(void)
{
	static const int bad[] = { 0, 7, BLOCKS };
	int a, b;

	pair(3001, &a, &b);
	for (size_t i = 0; i < 3; i++) {
		uint64_t bit = seal_where(a, bad[i]).phys * BLOCK + 5;

		device_flip(bit);
		for (size_t r = 0; r < READERS; r++) {
			drop_caches();
			CHECK(!readers[r](b, 0, BYTES));
			for (int at = 0; at < BLOCKS; at++)
				EQ(readers[r](b, at * BLOCK, BLOCK),
				   at != bad[i] && at != bad[i] - 1);
		}
		device_flip(bit);
		drop_caches();
		CHECK(by_pread(b, 0, BYTES));
	}
	close(a);
	close(b);
}

/* Each way of writing to one side leaves the other one as it was. */
static void skew_sides(void)
{
	for (int way = 0; way < SHARE_WAYS; way++) {
		uint64_t pos = 3 * BLOCK + 512, len = 5 * BLOCK;
		uint64_t delta = deltas[way % DELTAS];
		int a, b;

		pair(delta, &a, &b);
		share_write(b, way, pos, len);
		share_check(b, way, pos, len);
		OK(fsync(b));
		drop_caches();
		share_check(b, way, pos, len);
		check_source(a, delta, BYTES);
		if (way < 3)
			EQ(skew_of(b, 5), 0);
		close(a);
		close(b);

		pair(delta, &a, &b);
		share_write(a, way, pos, len);
		OK(fsync(a));
		CHECK(by_pread(b, 0, BYTES));
		drop_caches();
		CHECK(by_pread(b, 0, BYTES));
		close(a);
		OK(unlink(path("a")));
		OK(syncfs(b));
		drop_caches();
		CHECK(by_pread(b, 0, BYTES));
		close(b);
	}
}

/* What others refer to is skewed as well, or again, or no more. */
static void skew_again(void)
{
	int a, b, c;

	pair(1000, &a, &b);
	/* a clone of a part, at another place */
	c = OK(open(path("c"), O_RDWR | O_CREAT | O_TRUNC, 0644));
	put_pattern(c, 0, BYTES, SEED);
	OK(clone_range(b, 4 * BLOCK, 8 * BLOCK, c, 4 * BLOCK));
	EQ(skew_of(c, 4), 1000);
	OK(unlink(path("b")));
	close(b);
	CHECK(by_pread(c, 0, BYTES));
	close(c);

	/* bytes of a skewed source: 1000 + 500, and 1000 + 3096 = a block */
	b = make_checked("b", BYTES);
	seal_share_piece(a, 1000, b, 0, BLOCKS);
	c = OK(open(path("c"), O_RDWR | O_CREAT | O_TRUNC, 0644));
	put_pattern(c, 0, 4 * BLOCK, SEED);
	for (int i = 0; i < 2; i++) {
		uint64_t from = 6 * BLOCK + (i ? 3096 : 500);
		uint8_t want[4 * BLOCK], got[4 * BLOCK];

		pattern(want, sizeof(want), SEED, from);
		EQ(pwrite(c, want, sizeof(want), 0), sizeof(want));
		seal_checked(c, 0, 4);
		seal_share_piece(b, from, c, 0, 4);
		EQ(skew_of(c, 1), i ? 0 : 1500);
		drop_caches();
		EQ(pread(c, got, sizeof(got), 0), sizeof(got));
		CHECK(!memcmp(want, got, sizeof(want)));
	}
	/* whole blocks from another place */
	put_pattern(c, 0, 10 * BLOCK, SEED);
	seal_checked(c, 0, 10);
	close(b);
	b = OK(open(path("d"), O_RDWR | O_CREAT | O_TRUNC, 0644));
	for (uint64_t i = 0; i < 6; i++) {
		uint8_t block[BLOCK];

		pattern(block, BLOCK, SEED, (i + 3) * BLOCK);
		EQ(pwrite(b, block, BLOCK, i * BLOCK), BLOCK);
	}
	seal_checked(b, 0, 6);
	seal_share_piece(c, 3 * BLOCK, b, 0, 6);
	EQ(seal_where(b, 2).phys, seal_where(c, 5).phys);
	EQ(skew_of(b, 2), 0);
	close(a);
	close(b);
	close(c);
}

static void check_moved(int fd, uint64_t at, uint64_t from, uint64_t bytes)
{
	uint8_t *want = malloc(bytes), *got = malloc(bytes);

	pattern(want, bytes, SEED, from);
	EQ(pread(fd, got, bytes, at), bytes);
	CHECK(!memcmp(want, got, bytes));
	free(want);
	free(got);
}

/* Collapse, insert, unseal, and a seal over all of it. */
static void skew_moved(void)
{
	int a, b;

	pair(2048, &a, &b);
	OK(fallocate(b, FALLOC_FL_INSERT_RANGE, 6 * BLOCK, 3 * BLOCK));
	check_zero(b, 6 * BLOCK, 3 * BLOCK);
	OK(fallocate(b, FALLOC_FL_COLLAPSE_RANGE, 12 * BLOCK, 2 * BLOCK));
	for (int i = 0; i < 2; i++) {
		check_moved(b, 0, 0, 6 * BLOCK);
		check_moved(b, 9 * BLOCK, 6 * BLOCK, 3 * BLOCK);
		check_moved(b, 12 * BLOCK, 11 * BLOCK, 9 * BLOCK);
		EQ(skew_of(b, 13), 2048);
		OK(fsync(b));
		drop_caches();
	}
	unseal(b, 0, 30);
	EQ(skew_of(b, 13), 2048);
	CHECK(seal_where(b, 13).flags & SEAL_IS_CHECKED);
	seal_checked(b, 0, 30);
	share_write(b, 0, 10 * BLOCK + 100, 2 * BLOCK);
	check_pattern(b, 10 * BLOCK + 100, 2 * BLOCK, OTHER);
	OK(fsync(b));
	drop_caches();
	check_pattern(b, 10 * BLOCK + 100, 2 * BLOCK, OTHER);
	check_moved(b, 13 * BLOCK, 12 * BLOCK, 8 * BLOCK);
	check_source(a, 2048, BYTES);
	close(a);
	close(b);
}

static uint64_t free_blocks(int fd)
{
	struct statvfs st;

	OK(syncfs(fd));
	OK(fstatvfs(fd, &st));
	return st.f_bfree;
}

/* The room of one file, until the last of both is gone. */
static void skew_space(void)
{
	const uint64_t blocks = 1024, slack = 64;
	int dir = OK(open(path("."), O_RDONLY)), a, b;
	uint64_t start = free_blocks(dir), both, one;

	a = make_source("a", 77, blocks * BLOCK);
	b = make_checked("b", blocks * BLOCK);
	both = free_blocks(dir);
	CHECK(both <= start - 2 * blocks + slack);
	for (uint64_t at = 0; at < blocks; at += 400)
		seal_share_piece(a, 77 + at * BLOCK, b, at,
				 at + 400 < blocks ? 400 : blocks - at);
	one = free_blocks(dir);
	CHECK(one >= both + blocks - slack && one <= both + blocks + slack);
	close(a);
	OK(unlink(path("a")));
	CHECK(free_blocks(dir) <= one + slack);
	/* what was given up is written by others */
	a = OK(open(path("c"), O_RDWR | O_CREAT, 0644));
	put_pattern(a, 0, blocks * BLOCK, OTHER);
	OK(fsync(a));
	drop_caches();
	CHECK(by_pread(b, 0, blocks * BLOCK));
	close(a);
	/* a hole in the middle gives back what nothing else refers to */
	both = free_blocks(dir);
	OK(fallocate(b, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100 * BLOCK,
		     500 * BLOCK));
	one = free_blocks(dir);
	CHECK(one >= both + 500 - slack && one <= both + 500 + slack);
	close(b);
	OK(unlink(path("b")));
	OK(unlink(path("c")));
	CHECK(free_blocks(dir) >= start - slack);
	close(dir);
}

static void refused(int a, uint64_t pos, int b, uint64_t block, uint64_t n,
		    int error)
{
	struct seal_call call;

	OK(fsync(a));
	OK(fsync(b));
	call = piece_call_of(a, pos, b, block, n);
	seal_ask_refused(&call, error);
}

static void skew_refused(void)
{
	const uint64_t delta = 100;
	int a = make_source("a", delta, BYTES);
	int b = make_checked("b", BYTES);

	refused(a, UINT64_MAX, b, 0, 1, EINVAL);
	refused(a, delta, b, 0, 0, EINVAL);
	refused(a, delta, b, 0, 4097, EINVAL);
	refused(a, delta, a, 0, 2, EINVAL);
	/* behind the end of either */
	refused(a, delta, b, 0, BLOCKS + 1, EAGAIN);
	refused(a, delta + BLOCK, b, 0, BLOCKS, EAGAIN);
	refused(a, delta + 1, b, 0, BLOCKS, EAGAIN);
	OK(ftruncate(b, BYTES - 1));
	refused(a, delta, b, 0, BLOCKS, EAGAIN);
	put_pattern(b, BYTES - BLOCK, BLOCK, SEED);
	/* not checked, on either side */
	refused(a, delta, b, 0, BLOCKS, EAGAIN);
	seal_checked(b, 0, BLOCKS);
	/* not in one piece: a block was replaced; a hole */
	put_pattern(a, 8 * BLOCK, BLOCK, OTHER);
	OK(fsync(a));
	refused(a, delta, b, 0, BLOCKS, EAGAIN);
	seal_checked(a, 0, BLOCKS + 1);
	refused(a, delta, b, 0, BLOCKS, EAGAIN);
	refused(a, delta, b, 0, 8, EAGAIN);
	OK(fallocate(a, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 16 * BLOCK,
		     BLOCK));
	OK(fsync(a));
	refused(a, delta, b, 0, 16, EAGAIN);
	for (int i = 0; i < BLOCKS; i++)
		EQ(skew_of(b, i), 0);
	CHECK(by_pread(b, 0, BYTES));
	/* what is left of it is in one piece */
	seal_share_piece(a, delta, b, 0, 7);
	seal_share_piece(a, delta + 9 * BLOCK, b, 9, 6);
	EQ(skew_of(b, 6), delta);
	EQ(skew_of(b, 7), 0);
	drop_caches();
	CHECK(by_pread(b, 0, BYTES));
	close(a);
	close(b);
}

/* Sharing, writing, reading, dropping, in any order. */
static void skew_any_order(void)
{
	uint8_t want[BYTES];
	int a = make_source("a", 700, BYTES), b = make_checked("b", BYTES);

	pattern(want, BYTES, SEED, 0);
	for (int i = 0; i < ops_wanted / 4; i++) {
		uint64_t block = rnd() % BLOCKS, n = 1 + rnd() % 6;
		uint64_t pos = rnd() % BYTES, len = 1 + rnd() % (2 * BLOCK);
		uint8_t got[BYTES];

		n = block + n > BLOCKS ? BLOCKS - block : n;
		len = pos + len > BYTES ? BYTES - pos : len;
		switch (rnd() % 5) {
		case 0:
		case 1:
			/* what it had in the source, once more */
			pattern(want + block * BLOCK, n * BLOCK, SEED,
				block * BLOCK);
			EQ(pwrite(b, want + block * BLOCK, n * BLOCK,
				  block * BLOCK), n * BLOCK);
			seal_checked(b, 0, BLOCKS);
			seal_share_piece(a, 700 + block * BLOCK, b, block, n);
			break;
		case 2:
			pattern(want + pos, len, rnd() % 50, pos);
			EQ(pwrite(b, want + pos, len, pos), len);
			break;
		case 3:
			memset(want + pos, 0, len);
			OK(fallocate(b, FALLOC_FL_PUNCH_HOLE |
				     FALLOC_FL_KEEP_SIZE, pos, len));
			break;
		default:
			drop_caches();
		}
		EQ(pread(b, got, BYTES, 0), BYTES);
		CHECK(!memcmp(got, want, BYTES));
	}
	check_source(a, 700, BYTES);
	close(a);
	close(b);
}

const struct test skew_tests[] = {
	{ "seal_skew_reads", skew_reads, true },
	{ "seal_skew_bit_flip", skew_bit_flip, false },
	{ "seal_skew_sides", skew_sides, false },
	{ "seal_skew_again", skew_again, false },
	{ "seal_skew_moved", skew_moved, false },
	{ "seal_skew_space", skew_space, true },
	{ "seal_skew_refused", skew_refused, false },
	{ "seal_skew_any_order", skew_any_order, false },
	{ NULL, NULL, false }
};
