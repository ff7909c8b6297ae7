// SPDX-License-Identifier: MPL-2.0
/* The end of a file, holes, preallocation: what reads as zero has to. */
#include "datatest.h"
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

static int create(const char *name)
{
	return OK(open(path(name), O_RDWR | O_CREAT | O_TRUNC, 0644));
}

/* A file of 100 bytes whose block on the device is full of data. */
static int clipped(const char *name)
{
	int fd = create(name);

	put_pattern(fd, 0, BLOCK, 7);
	OK(fsync(fd));
	OK(ftruncate(fd, 100));
	drop_caches();
	return fd;
}

static void grown_tail_is_zero(void)
{
	int fd = clipped("a");

	OK(ftruncate(fd, 3 * BLOCK));
	check_pattern(fd, 0, 100, 7);
	check_zero(fd, 100, 3 * BLOCK - 100);
	drop_caches();
	check_pattern(fd, 0, 100, 7);
	check_zero(fd, 100, 3 * BLOCK - 100);
}

static void written_gap_is_zero(void)
{
	int fd = clipped("a");

	put_pattern(fd, 300, 50, 8);		/* in the same block */
	check_zero(fd, 100, 200);
	drop_caches();
	check_pattern(fd, 0, 100, 7);
	check_zero(fd, 100, 200);
	check_pattern(fd, 300, 50, 8);
	close(fd);

	fd = clipped("b");
	put_pattern(fd, 10000, 50, 8);		/* in another block */
	drop_caches();
	check_pattern(fd, 0, 100, 7);
	check_zero(fd, 100, 9900);
	check_pattern(fd, 10000, 50, 8);
	EQ(file_size(fd), 10050);
}

static void direct_gap_is_zero(void)
{
	int fd = clipped("a"), dfd = OK(open(path("a"), O_RDWR | O_DIRECT));
	uint8_t *b = aligned(BLOCK);

	memset(b, 5, BLOCK);
	EQ(pwrite(dfd, b, BLOCK, 2 * BLOCK), BLOCK);
	drop_caches();
	check_zero(fd, 100, 2 * BLOCK - 100);
	EQ(file_size(fd), 3 * BLOCK);
}

static void preallocated_gap_is_zero(void)
{
	int fd = clipped("a");

	OK(fallocate(fd, 0, 0, 3 * BLOCK));
	EQ(file_size(fd), 3 * BLOCK);
	drop_caches();
	check_pattern(fd, 0, 100, 7);
	check_zero(fd, 100, 3 * BLOCK - 100);
}

static void mapped_tail_is_zero(void)
{
	int fd = clipped("a");
	uint8_t *map, c;

	for (int round = 0; round < 3; round++) {
		if (round == 1)		/* cached by read() first */
			EQ(pread(fd, &c, 1, 50), 1);
		map = mmap(NULL, BLOCK, PROT_READ, round == 2 ? MAP_PRIVATE :
			   MAP_SHARED, fd, 0);
		CHECK(map != MAP_FAILED);
		for (int i = 100; i < BLOCK; i++)
			EQ(map[i], 0);
		OK(munmap(map, BLOCK));
		drop_caches();
	}
}

/* What is stored behind the end through a mapping never becomes content. */
static void stores_behind_the_end_are_lost(void)
{
	int fd = create("a");
	uint8_t *map;

	put_pattern(fd, 0, 100, 7);
	map = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	map[50] = 1;
	memset(map + 100, 0xee, 500);
	OK(ftruncate(fd, 2000));
	check_zero(fd, 100, 1900);
	memset(map + 2000, 0xee, 500);
	OK(fsync(fd));
	drop_caches();
	OK(ftruncate(fd, 4000));
	check_zero(fd, 100, 3900);
	OK(munmap(map, BLOCK));
}

static void truncate_again_and_again(void)
{
	int fd = create("a");

	for (int i = 1; i < 60; i++) {
		uint64_t cut = (uint64_t)i * 37 % 9000;

		put_pattern(fd, 0, 9000, i);
		if (!(i % 3))
			OK(fsync(fd));
		OK(ftruncate(fd, cut));
		OK(ftruncate(fd, 9000));
		check_pattern(fd, 0, cut, i);
		check_zero(fd, cut, 9000 - cut);
	}
}

static void appends(void)
{
	int fd = OK(open(path("log"), O_WRONLY | O_CREAT | O_APPEND, 0644));
	uint64_t at = 0;
	int rfd;

	for (int i = 0; i < 3000; i++) {
		size_t n = 1 + rnd() % 300;
		uint8_t line[300];

		pattern(line, n, 3, at);
		EQ(write(fd, line, n), n);
		at += n;
		if (!(i % 100))
			OK(fdatasync(fd));
		if (!(i % 400))
			drop_caches();
	}
	close(fd);
	drop_caches();
	rfd = OK(open(path("log"), O_RDONLY));
	EQ(file_size(rfd), at);
	check_pattern(rfd, 0, at, 3);
}

static void seek_hole_and_data(void)
{
	int fd = create("a");

	put_pattern(fd, 0, 5000, 1);
	put_pattern(fd, 100 * BLOCK, 5000, 1);
	OK(ftruncate(fd, 300 * BLOCK));
	for (int round = 0; round < 2; round++) {
		EQ(lseek(fd, 0, SEEK_DATA), 0);
		EQ(lseek(fd, 0, SEEK_HOLE), 2 * BLOCK);
		EQ(lseek(fd, 3 * BLOCK, SEEK_DATA), 100 * BLOCK);
		EQ(lseek(fd, 100 * BLOCK, SEEK_HOLE), 102 * BLOCK);
		ERR(lseek(fd, 200 * BLOCK, SEEK_DATA), ENXIO);
		ERR(lseek(fd, 300 * BLOCK, SEEK_HOLE), ENXIO);
		drop_caches();
	}
	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		     2 * BLOCK));
	EQ(lseek(fd, 0, SEEK_DATA), 100 * BLOCK);
}

static void blocks_are_counted(void)
{
	int fd = create("a");
	struct stat st;

	put_pattern(fd, 50 * BLOCK, 10 * BLOCK, 1);
	OK(fstat(fd, &st));
	EQ(st.st_blocks, 80);			/* delayed ones as well */
	OK(fsync(fd));
	OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 20 * BLOCK));
	OK(fstat(fd, &st));
	EQ(st.st_blocks, 240);
	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		     60 * BLOCK));
	OK(fstat(fd, &st));
	EQ(st.st_blocks, 0);
	check_zero(fd, 0, 60 * BLOCK);
}

static void fiemap_tells_all(void)
{
	struct {
		struct fiemap head;
		struct fiemap_extent e[16];
	} m = { .head = { .fm_length = FIEMAP_MAX_OFFSET,
			  .fm_flags = FIEMAP_FLAG_SYNC,
			  .fm_extent_count = 16 } };
	uint64_t data = 0, unwritten = 0;
	int fd = create("a");

	put_pattern(fd, 0, 8 * BLOCK, 1);
	OK(fallocate(fd, 0, 20 * BLOCK, 5 * BLOCK));
	OK(ioctl(fd, FS_IOC_FIEMAP, &m));
	CHECK(m.head.fm_mapped_extents >= 2);
	for (unsigned int i = 0; i < m.head.fm_mapped_extents; i++) {
		if (m.e[i].fe_flags & FIEMAP_EXTENT_UNWRITTEN)
			unwritten += m.e[i].fe_length;
		else
			data += m.e[i].fe_length;
	}
	EQ(data, 8 * BLOCK);
	EQ(unwritten, 5 * BLOCK);
}

static void preallocated_then_written(void)
{
	int fd = create("a");

	OK(fallocate(fd, 0, 0, 64 * BLOCK));
	put_pattern(fd, 10 * BLOCK + 5, 100, 1);	/* one block of it */
	put_pattern(fd, 30 * BLOCK, 5 * BLOCK, 2);
	for (int round = 0; round < 3; round++) {
		check_zero(fd, 0, 10 * BLOCK + 5);
		check_pattern(fd, 10 * BLOCK + 5, 100, 1);
		check_zero(fd, 10 * BLOCK + 105, 20 * BLOCK - 105);
		check_pattern(fd, 30 * BLOCK, 5 * BLOCK, 2);
		check_zero(fd, 35 * BLOCK, 29 * BLOCK);
		if (round == 0)
			OK(fsync(fd));
		drop_caches();
	}
	EQ(file_size(fd), 64 * BLOCK);
}

static void refused_modes(void)
{
	int fd = create("a");

	put_pattern(fd, 0, 8 * BLOCK, 1);
	ERR(fallocate(fd, 0x80, 0, BLOCK), EOPNOTSUPP);
	ERR(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, BLOCK), EOPNOTSUPP);
	ERR(fallocate(fd, 0, -1, BLOCK), EINVAL);
	ERR(fallocate(fd, 0, INT64_MAX - 10, 5), EFBIG);
	check_pattern(fd, 0, 8 * BLOCK, 1);
	close(fd);
	fd = OK(open(path("a"), O_RDONLY));
	ERR(fallocate(fd, 0, 0, BLOCK), EBADF);
}

/* The end of a file is cut out before it was ever written: it is long still. */
static void punched_end_keeps_size(void)
{
	for (int i = 0; i < 4; i++) {
		int fd = create("a");

		put_pattern(fd, 0, 23 * BLOCK, 1);
		OK(fsync(fd));
		put_pattern(fd, 23 * BLOCK, 11 * BLOCK + 1293, 1);
		OK(fallocate(fd, (i & 1 ? FALLOC_FL_PUNCH_HOLE :
				  FALLOC_FL_ZERO_RANGE) | FALLOC_FL_KEEP_SIZE,
			     (i & 2 ? 25 : 23) * BLOCK, 18 * BLOCK + 3912));
		OK(close(fd));
		if (!remount())
			drop_caches();
		fd = OK(open(path("a"), O_RDWR));
		EQ(file_size(fd), 34 * BLOCK + 1293);
		check_pattern(fd, 0, (i & 2 ? 25 : 23) * BLOCK, 1);
		check_zero(fd, 25 * BLOCK, 9 * BLOCK + 1293);
		OK(close(fd));
	}
}

/* blocks behind the end go with a truncate to the same size */
static void kept_size(void)
{
	int fd = create("a");
	struct stat st;

	put_pattern(fd, 0, 5000, 1);
	OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 40 * BLOCK));
	OK(fsync(fd));
	EQ(file_size(fd), 5000);
	OK(ftruncate(fd, 5000));
	OK(fsync(fd));
	close(fd);
	if (!remount())
		drop_caches();
	fd = OK(open(path("a"), O_RDWR));
	OK(fstat(fd, &st));
	EQ(st.st_blocks, 16);
	check_pattern(fd, 0, 5000, 1);
	OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 40 * BLOCK));
	OK(ftruncate(fd, 20 * BLOCK));
	check_zero(fd, 5000, 20 * BLOCK - 5000);
}

static void far_away(void)
{
	uint64_t far = 3ull << 40;
	int fd = create("a");

	put_pattern(fd, far + 123, 5000, 4);
	OK(fsync(fd));
	drop_caches();
	check_pattern(fd, far + 123, 5000, 4);
	check_zero(fd, far - 5000, 5123);
	EQ(file_size(fd), far + 5123);
	OK(ftruncate(fd, 1));
	EQ(file_size(fd), 1);
}

const struct test tail_tests[] = {
	{ "tail_grown", grown_tail_is_zero, false },
	{ "tail_gap", written_gap_is_zero, false },
	{ "tail_direct_gap", direct_gap_is_zero, false },
	{ "tail_prealloc_gap", preallocated_gap_is_zero, false },
	{ "tail_mapped", mapped_tail_is_zero, false },
	{ "tail_stores_behind", stores_behind_the_end_are_lost, false },
	{ "tail_truncates", truncate_again_and_again, false },
	{ "tail_appends", appends, false },
	{ "hole_seek", seek_hole_and_data, false },
	{ "hole_blocks", blocks_are_counted, false },
	{ "hole_fiemap", fiemap_tells_all, false },
	{ "hole_prealloc", preallocated_then_written, false },
	{ "hole_modes", refused_modes, false },
	{ "hole_keep_size", kept_size, false },
	{ "hole_punched_end", punched_end_keeps_size, true },
	{ "hole_far", far_away, false },
	{ NULL, NULL, false }
};
