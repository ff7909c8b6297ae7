// SPDX-License-Identifier: MPL-2.0
/*
 * flips turn FOLDER DEVICE COUNT SEED: turns one random bit after the other on the
 * device, in blocks that files of the folder have there, and reads all that can
 * have it. The files are those of `flips make FOLDER`: plain, equal in pairs,
 * equal but for their beginning, small. Nothing but the right bytes may be
 * read; what cannot be read has to be of files that have that block, and each
 * of them has to fail. Then the bit is turned back, and all is there again.
 * Exit status 1: something else happened. `flips leave` with the same arguments
 * turns bits and leaves them so, and prints the names of the files that have it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "content.h"

#define FILES 60
#define EXTENTS 512

static struct {
	char path[256];
	uint32_t pair, shift;
	uint64_t bytes;
	struct fiemap_extent extents[EXTENTS];
	int count;
	char *content;
} files[FILES];

static char *data;

static void make_content(int f)
{
	uint64_t at = files[f].shift;
	char *to = malloc(files[f].bytes + 2 * BLOCK);

	memset(to, 'x', at);
	for (uint32_t b = 0; at < files[f].bytes; b++, at += BLOCK)
		fill(to + at, files[f].pair, b, 1);
	files[f].content = to;
}

/* Every third has its twin's bytes behind 777 others; every fifth is small. */
static void describe(const char *folder)
{
	for (uint32_t f = 0; f < FILES; f++) {
		snprintf(files[f].path, 256, "%s/%02u", folder, f);
		files[f].pair = f / 2;
		files[f].shift = f % 3 == 1 ? 777 : 0;
		files[f].bytes = f % 5 == 4 ? 3000 + f : (64 + f) * BLOCK + f;
		make_content(f);
	}
}

static int make(void)
{
	for (int f = 0; f < FILES; f++) {
		int fd = open(files[f].path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		if (fd < 0 || write(fd, files[f].content, files[f].bytes) !=
		    (ssize_t)files[f].bytes || close(fd)) {
			perror(files[f].path);
			return 2;
		}
	}
	sync();
	return 0;
}

static void map(int f)
{
	static struct {
		struct fiemap head;
		struct fiemap_extent extents[EXTENTS];
	} m;
	int fd = open(files[f].path, O_RDONLY);

	memset(&m.head, 0, sizeof(m.head));
	m.head.fm_length = ~0ull;
	m.head.fm_extent_count = EXTENTS;
	if (fd < 0 || ioctl(fd, FS_IOC_FIEMAP, &m.head)) {
		perror(files[f].path);
		exit(2);
	}
	close(fd);
	files[f].count = m.head.fm_mapped_extents;
	memcpy(files[f].extents, m.extents, sizeof(m.extents));
}

/* Of the device; of a pack only where it begins is told, and its first block. */
static uint64_t place(int f, uint64_t *seed)
{
	struct fiemap_extent *e = &files[f].extents[draw(seed, files[f].count)];
	uint64_t length = e->fe_flags & FIEMAP_EXTENT_ENCODED ? BLOCK :
		e->fe_length;

	return e->fe_physical + draw(seed, length);
}

static int has(int f, uint64_t at)
{
	for (int i = 0; i < files[f].count; i++) {
		struct fiemap_extent *e = &files[f].extents[i];
		uint64_t first = e->fe_physical / BLOCK * BLOCK;
		uint64_t end = e->fe_flags & FIEMAP_EXTENT_ENCODED ?
			first + BLOCK : e->fe_physical + e->fe_length;

		if (at >= first && at < (end + BLOCK - 1) / BLOCK * BLOCK)
			return 1;
	}
	return 0;
}

static void flip(int device, uint64_t at, int bit)
{
	off_t start = at / BLOCK * BLOCK;

	if (pread(device, data, BLOCK, start) != BLOCK)
		exit(2);
	data[at - start] ^= 1 << bit;
	if (pwrite(device, data, BLOCK, start) != BLOCK)
		exit(2);
}

static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	if (fd < 0 || write(fd, "3", 1) != 1)
		exit(2);
	close(fd);
}

/* How many blocks cannot be read; -1: something else was read. */
static int read_file(int f)
{
	int fd = open(files[f].path, O_RDONLY), failed = 0;

	for (uint64_t at = 0; at < files[f].bytes; at += BLOCK) {
		uint64_t n = files[f].bytes - at < BLOCK ?
			files[f].bytes - at : BLOCK;
		ssize_t got = pread(fd, data, n, at);

		if (got < 0 && errno == EIO)
			failed++;
		else if (got != (ssize_t)n || memcmp(data, files[f].content + at, n)) {
			printf("flips: %s: wrong bytes at %llu\n",
			       files[f].path, (unsigned long long)at);
			return -1;
		}
	}
	close(fd);
	return failed;
}

/* The module keeps the packs that it has decompressed last. */
static void forget_packs(uint64_t at, uint64_t *seed)
{
	for (int left = 8; left > 0; left--) {
		int f = draw(seed, FILES);

		if (!has(f, at) && read_file(f))
			exit(1);
	}
}

static int one(int device, uint64_t *seed)
{
	int at_file = draw(seed, FILES), bit = draw(seed, 8), bad = 0, holders = 0;
	uint64_t at = place(at_file, seed);

	flip(device, at, bit);
	drop_caches();
	forget_packs(at, seed);
	for (int f = 0; f < FILES; f++) {
		int must = has(f, at), failed;

		/* all of them now and then: who has not the block is sound */
		if (!must && draw(seed, 12))
			continue;
		holders += must;
		failed = read_file(f);
		if (failed < 0 || !!failed != must) {
			printf("flips: byte %llu, bit %d: %s %s\n",
			       (unsigned long long)at, bit, files[f].path,
			       failed < 0 ? "has wrong bytes" : must ?
			       "has the block and is read" :
			       "has not the block and fails");
			bad = 1;
		}
	}
	flip(device, at, bit);
	return bad ? -1 : holders;
}

static void leave(int device, int count, uint64_t *seed)
{
	char has_it[FILES] = { 0 };

	while (count-- > 0) {
		uint64_t at = place(draw(seed, FILES), seed);

		flip(device, at, draw(seed, 8));
		for (int f = 0; f < FILES; f++)
			has_it[f] |= has(f, at);
	}
	for (int f = 0; f < FILES; f++)
		if (has_it[f])
			puts(strrchr(files[f].path, '/') + 1);
}

int main(int argc, char **argv)
{
	uint64_t seed;
	int device, count, holders = 0, shared = 0;

	data = aligned_alloc(BLOCK, BLOCK);
	if (argc == 3 && !strcmp(argv[1], "make")) {
		describe(argv[2]);
		return make();
	}
	if (argc != 6)
		return 2;
	describe(argv[2]);
	device = open(argv[3], O_RDWR | O_DIRECT);
	count = atoi(argv[4]);
	seed = atoi(argv[5]);
	if (device < 0)
		return 2;
	for (int f = 0; f < FILES; f++)
		map(f);
	if (!strcmp(argv[1], "leave")) {
		leave(device, count, &seed);
		return 0;
	}
	for (int i = 0; i < count; i++) {
		int has_it = one(device, &seed);

		if (has_it < 0)
			return 1;
		holders += has_it;
		shared += has_it > 1;
	}
	drop_caches();
	for (int f = 0; f < FILES; f++)
		if (read_file(f))
			return 1;
	printf("flips: %d bits, %d of them in blocks of several files, %d files failed, no wrong byte, all is back\n",
	       count, shared, holders);
	return 0;
}
