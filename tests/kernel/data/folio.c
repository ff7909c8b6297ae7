// SPDX-License-Identifier: MPL-2.0
/*
 * Pages of one folio that go different ways: some dirty and some not, some cut
 * out of the file, mapped, cloned over, written while they are written back.
 */
#include "datatest.h"
#include <linux/falloc.h>

#define FOLIO	(16 * BLOCK)

/* across a remount, where there is one; else from the device at least */
static void fresh(void)
{
	if (!remount()) {
		sync();
		drop_caches();
	}
}

static void remount_with(int *fd, const char *name)
{
	OK(close(*fd));
	fresh();
	*fd = OK(open(path(name), O_RDWR));
}

static int create(const char *name)
{
	return OK(open(path(name), O_RDWR | O_CREAT | O_TRUNC, 0644));
}

static uint8_t *map_shared(int fd, size_t bytes)
{
	uint8_t *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
			    fd, 0);

	CHECK(map != MAP_FAILED);
	return map;
}

/*
 * Stores while the page is on its way for the first time: what ends up on the
 * device is not what was on its way first. Each page is stored to once, and
 * the file stays for `verify --full`, which knows the checksums that were
 * recorded.
 */
static void stored_while_written(void)
{
	const int pages = 32, rounds = 40;
	const size_t part = (size_t)pages * BLOCK;
	char name[PATH_MAX + 32];
	uint8_t *map, c;
	int fd;

	snprintf(name, sizeof(name), "%s/kept", top_dir);
	fd = OK(open(name, O_RDWR | O_CREAT | O_TRUNC, 0644));
	OK(ftruncate(fd, rounds * part));
	map = map_shared(fd, rounds * part);
	for (int i = 0; i < rounds; i++) {
		put_pattern(fd, i * part, part, 1);
		OK(sync_file_range(fd, i * part, part, SYNC_FILE_RANGE_WRITE));
		for (int p = i % 4; p < pages; p += 4)
			map[i * part + p * BLOCK + 77] = 0;
	}
	OK(munmap(map, rounds * part));
	OK(fsync(fd));
	drop_caches();
	for (int i = 0; i < rounds; i++)
		for (int p = i % 4; p < pages; p += 4) {
			EQ(pread(fd, &c, 1, i * part + p * BLOCK + 77), 1);
			EQ(c, 0);	/* a pattern has no zero */
			check_pattern(fd, i * part + p * BLOCK + 78, 99, 1);
		}
}

/* one page of a hole: the rest of it stays zero, and readable */
static void stored_into_a_hole(void)
{
	int fd = create("a");
	uint8_t *map;

	OK(ftruncate(fd, 5 * FOLIO + 100));
	check_zero(fd, 0, 5 * FOLIO + 100);		/* cached */
	map = map_shared(fd, 6 * FOLIO);
	memset(map + FOLIO + 3 * BLOCK + 5, 9, 10);
	memset(map + 5 * FOLIO + 50, 9, 10);
	OK(munmap(map, 6 * FOLIO));
	for (int round = 0; round < 2; round++) {
		check_zero(fd, 0, FOLIO + 3 * BLOCK + 5);
		check_zero(fd, FOLIO + 3 * BLOCK + 15,
			   4 * FOLIO - 3 * BLOCK + 35);
		check_zero(fd, 5 * FOLIO + 60, 40);
		EQ(file_size(fd), 5 * FOLIO + 100);
		remount_with(&fd, "a");
	}
}

/* cut out of the middle while all around it is dirty, then used again */
static void cut_while_dirty(void)
{
	int fd = create("a");

	for (int i = 0; i < 60; i++) {
		uint64_t from = (2 + i % 9) * BLOCK, len = (1 + i % 5) * BLOCK;
		uint8_t *map;

		put_pattern(fd, 0, 2 * FOLIO, i);
		if (i & 1) {		/* all of a folio, by one store */
			OK(fsync(fd));
			map = map_shared(fd, FOLIO);
			map[0] = map[0];
			OK(munmap(map, FOLIO));
		}
		OK(fallocate(fd, (i & 2 ? FALLOC_FL_PUNCH_HOLE :
				  FALLOC_FL_ZERO_RANGE) |
			     FALLOC_FL_KEEP_SIZE, from, len));
		if (i & 4)
			put_pattern(fd, from + 100, 200, i);
		if (i & 8)
			OK(fsync(fd));
		if (i % 3)
			drop_caches();
		check_pattern(fd, 0, from, i);
		check_zero(fd, from, 100);
		if (i & 4)
			check_pattern(fd, from + 100, 200, i);
		else
			check_zero(fd, from + 100, 200);
		check_zero(fd, from + 300, len - 300);
		check_pattern(fd, from + len, 2 * FOLIO - from - len, i);
	}
}

/* shortened and made longer again, the folio dirty all the time */
static void shortened_while_dirty(void)
{
	int fd = create("a");

	for (int i = 0; i < 60; i++) {
		uint64_t cut = 3 * BLOCK + i * 311 % (8 * BLOCK);
		uint8_t *map;

		put_pattern(fd, 0, FOLIO, i);
		OK(fsync(fd));
		map = map_shared(fd, FOLIO);
		map[BLOCK] = map[BLOCK];
		OK(ftruncate(fd, cut));
		OK(munmap(map, FOLIO));
		if (i & 1)
			put_pattern(fd, 14 * BLOCK, BLOCK, i);
		OK(ftruncate(fd, FOLIO));
		if (i % 3)
			drop_caches();
		check_pattern(fd, 0, cut, i);
		check_zero(fd, cut, 14 * BLOCK - cut);
		if (i & 1)
			check_pattern(fd, 14 * BLOCK, BLOCK, i);
		else
			check_zero(fd, 14 * BLOCK, BLOCK);
	}
}

/* a clone over the middle of a folio that is dirty at both ends */
static void cloned_over(void)
{
	int from = create("from"), fd = create("a");

	put_pattern(from, 0, FOLIO, 77);
	for (int i = 0; i < 40; i++) {
		uint64_t at = (1 + i % 7) * BLOCK, len = (1 + i % 6) * BLOCK;

		put_pattern(fd, 0, FOLIO, i);
		if (i & 1)
			OK(fsync(fd));
		put_pattern(fd, 0, 100, i);
		put_pattern(fd, 15 * BLOCK, 100, i);
		OK(clone_range(from, at, len, fd, at));
		for (int round = 0; round < 2; round++) {
			check_pattern(fd, 0, at, i);
			check_pattern(fd, at, len, 77);
			check_pattern(fd, at + len, FOLIO - at - len, i);
			drop_caches();
		}
		check_pattern(from, 0, FOLIO, 77);
	}
}

/* names for the cases that one remount is for */
static const char *numbered(int i)
{
	static char name[16];

	snprintf(name, sizeof(name), "a%d", i);
	return name;
}

/*
 * Blocks of one folio that reach the device one by one and in any order, with
 * an old end among them: the size is all there in the end.
 */
static void grown_in_pieces(void)
{
	uint64_t old[24], at[24];

	for (int i = 0; i < 24; i++) {
		int fd = create(numbered(i));

		old[i] = BLOCK + 1 + rnd() % (3 * BLOCK);
		at[i] = (old[i] + BLOCK - 1) / BLOCK * BLOCK + rnd() % 3 * BLOCK;
		put_pattern(fd, 0, old[i], i);
		OK(fsync(fd));
		put_pattern(fd, 0, 10, i);
		if (i & 1)
			OK(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
		put_pattern(fd, at[i], BLOCK + 5, i);
		if (i & 2)
			OK(sync_file_range(fd, at[i], BLOCK,
					   SYNC_FILE_RANGE_WRITE));
		if (i & 4)
			put_pattern(fd, 0, 10, i);
		if (i & 8)
			OK(sync_file_range(fd, 0, BLOCK,
					   SYNC_FILE_RANGE_WRITE));
		close(fd);
	}
	fresh();
	for (int i = 0; i < 24; i++) {
		int fd = OK(open(path(numbered(i)), O_RDWR));

		EQ(file_size(fd), at[i] + BLOCK + 5);
		check_pattern(fd, 0, old[i], i);
		check_zero(fd, old[i], at[i] - old[i]);
		check_pattern(fd, at[i], BLOCK + 5, i);
		close(fd);
	}
}

/* a write that ends early, as its memory does */
static void written_in_part(void)
{
	uint64_t pos[24];
	ssize_t n[24];

	for (int i = 0; i < 24; i++) {
		size_t there = (1 + i % 6) * BLOCK, want = 2 * FOLIO;
		int fd = create(numbered(i));
		uint8_t *b;

		pos[i] = i * 1000 % FOLIO;
		b = mmap(NULL, want, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(b != MAP_FAILED);
		OK(munmap(b + there, want - there));
		pattern(b, there, i, pos[i]);
		if (i & 1)
			put_pattern(fd, 0, i * 500, i);
		n[i] = OK(pwrite(fd, b, want, pos[i]));
		CHECK(n[i] && (size_t)n[i] <= there);
		OK(munmap(b, there));
		if (i & 2)
			put_pattern(fd, 3 * FOLIO, 100, i);
		close(fd);
	}
	fresh();
	for (int i = 0; i < 24; i++) {
		int fd = OK(open(path(numbered(i)), O_RDWR));
		uint64_t end = pos[i] + n[i];

		if ((i & 1) && (uint64_t)i * 500 > end)
			end = i * 500;
		EQ(file_size(fd), i & 2 ? 3 * FOLIO + 100 : end);
		check_pattern(fd, pos[i], n[i], i);
		close(fd);
	}
}

const struct test folio_tests[] = {
	{ "folio_stored_while_written", stored_while_written, false },
	{ "folio_hole", stored_into_a_hole, true },
	{ "folio_cut", cut_while_dirty, false },
	{ "folio_shortened", shortened_while_dirty, false },
	{ "folio_cloned_over", cloned_over, false },
	{ "folio_grown", grown_in_pieces, true },
	{ "folio_short_write", written_in_part, true },
	{ NULL, NULL, false }
};
