// SPDX-License-Identifier: MPL-2.0
/*
 * races FOLDER SECONDS SEED: programs that rewrite files in place, in every way
 * there is, while others read all of them and compare each byte. Two files of a
 * pair begin equal and come to be equal in parts again and again, so they are
 * sealed, shared and packed beneath; each third of the pairs in turn is left
 * alone for a minute, which that takes on a busy host. A block is locked while it is
 * written: a reader always knows what has to be there. At the end all is read
 * once more from the device. Exit status 1: a byte was wrong.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/fs.h>
#include "content.h"

#define PAIRS 8
#define FILES (2 * PAIRS)
#define BLOCKS 64
#define WRITERS 2
#define READERS 2
#define TURN_SECONDS 60

static struct {
	pthread_rwlock_t lock[BLOCKS];
	uint64_t version[BLOCKS];
	char path[256];
} files[FILES];

static volatile int is_over, wrong;
static time_t began;
static uint64_t newest = 1, counts[4]; /* writes, clones, reads, fsyncs */

static void die(const char *what, int file)
{
	fprintf(stderr, "races: %s %s: %s\n", what, files[file].path,
		strerror(errno));
	exit(2);
}

static int may_write(int file)
{
	return (file / 2 + (time(NULL) - began) / TURN_SECONDS) % 3 != 0;
}

/* ---- writers ------------------------------------------------------------- */

static void write_mapped(int file, uint32_t block, const char *data)
{
	int fd = open(files[file].path, O_RDWR);
	char *map = fd < 0 ? MAP_FAILED :
		mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		     (off_t)block * BLOCK);

	if (map == MAP_FAILED)
		die("mmap", file);
	memcpy(map, data, BLOCK);
	munmap(map, BLOCK);
	close(fd);
}

static void write_block(int file, uint32_t block, const char *data,
			uint64_t *seed)
{
	uint32_t way = draw(seed, 8), cut = way < 4 ? BLOCK : draw(seed, BLOCK);
	int fd;

	if (way == 7) {
		write_mapped(file, block, data);
		return;
	}
	fd = open(files[file].path, O_WRONLY | (way == 3 ? O_DIRECT : 0));
	if (fd < 0 ||
	    pwrite(fd, data, cut, (off_t)block * BLOCK) != (ssize_t)cut ||
	    pwrite(fd, data + cut, BLOCK - cut,
		   (off_t)block * BLOCK + cut) != (ssize_t)(BLOCK - cut))
		die("write", file);
	if (way == 0) {
		if (fdatasync(fd))
			die("fdatasync", file);
		__atomic_add_fetch(&counts[3], 1, __ATOMIC_RELAXED);
	}
	close(fd);
}

/* Blocks of the twin, by reflink: then the two share them at once. */
static void clone_blocks(int file, uint32_t first, uint32_t count)
{
	int twin = file ^ 1, from = open(files[twin].path, O_RDONLY);
	int to = open(files[file].path, O_WRONLY);
	struct file_clone_range range = {
		.src_fd = from,
		.src_offset = (uint64_t)first * BLOCK,
		.src_length = (uint64_t)count * BLOCK,
		.dest_offset = (uint64_t)first * BLOCK,
	};

	if (from < 0 || to < 0 || ioctl(to, FICLONERANGE, &range))
		die("clone", file);
	close(from);
	close(to);
	for (uint32_t i = first; i < first + count; i++)
		files[file].version[i] = files[twin].version[i];
	__atomic_add_fetch(&counts[1], 1, __ATOMIC_RELAXED);
}

/* The file of the lower number first: both blocks of a pair. */
static void change(int file, uint64_t *seed, char *data)
{
	uint32_t count = 1 + draw(seed, 4), what = draw(seed, 8);
	uint32_t first = draw(seed, BLOCKS - count);
	int twin = file ^ 1, low = file & ~1;

	for (uint32_t i = first; i < first + count; i++) {
		pthread_rwlock_wrlock(&files[low].lock[i]);
		pthread_rwlock_wrlock(&files[low + 1].lock[i]);
	}
	if (what == 0) {
		clone_blocks(file, first, count);
	} else for (uint32_t i = first; i < first + count; i++) {
		files[file].version[i] = what < 3 ? files[twin].version[i] :
			__atomic_add_fetch(&newest, 1, __ATOMIC_RELAXED);
		fill(data, file / 2, i, files[file].version[i]);
		write_block(file, i, data, seed);
		__atomic_add_fetch(&counts[0], 1, __ATOMIC_RELAXED);
	}
	for (uint32_t i = first; i < first + count; i++) {
		pthread_rwlock_unlock(&files[low + 1].lock[i]);
		pthread_rwlock_unlock(&files[low].lock[i]);
	}
}

static void *writer(void *arg)
{
	uint64_t seed = (uintptr_t)arg;
	char *data = aligned_alloc(BLOCK, BLOCK);

	while (!is_over) {
		int file = draw(&seed, FILES);

		if (may_write(file))
			change(file, &seed, data);
		else
			usleep(1000);
	}
	free(data);
	return NULL;
}

/* ---- readers ------------------------------------------------------------- */

static void read_mapped(int file, uint32_t block, char *data)
{
	int fd = open(files[file].path, O_RDONLY);
	char *map = fd < 0 ? MAP_FAILED :
		mmap(NULL, BLOCK, PROT_READ, MAP_SHARED, fd,
		     (off_t)block * BLOCK);

	if (map == MAP_FAILED)
		die("mmap", file);
	memcpy(data, map, BLOCK);
	munmap(map, BLOCK);
	close(fd);
}

static void read_block(int file, uint32_t block, uint32_t way, char *data)
{
	off_t at = (off_t)block * BLOCK;
	int fd;

	if (way == 0) {
		read_mapped(file, block, data);
		return;
	}
	fd = open(files[file].path, O_RDONLY | (way < 3 ? O_DIRECT : 0));
	if (fd >= 0 && way == 3)
		posix_fadvise(fd, at, BLOCK, POSIX_FADV_DONTNEED);
	if (fd < 0 || pread(fd, data, BLOCK, at) != BLOCK)
		die("read", file);
	close(fd);
}

static void compare(int file, uint32_t block, uint32_t way, char *data,
		    char *expected)
{
	read_block(file, block, way, data);
	fill(expected, file / 2, block, files[file].version[block]);
	if (!memcmp(data, expected, BLOCK))
		return;
	wrong = is_over = 1;
	fprintf(stderr, "races: %s, block %u: it is \"%.60s\", not \"%.60s\" (way %u)\n",
		files[file].path, block, data, expected, way);
}

static void *reader(void *arg)
{
	uint64_t seed = (uintptr_t)arg;
	char *data = aligned_alloc(BLOCK, BLOCK), expected[BLOCK];

	while (!is_over) {
		int file = draw(&seed, FILES);
		uint32_t block = draw(&seed, BLOCKS);

		pthread_rwlock_rdlock(&files[file].lock[block]);
		compare(file, block, draw(&seed, 6), data, expected);
		pthread_rwlock_unlock(&files[file].lock[block]);
		__atomic_add_fetch(&counts[2], 1, __ATOMIC_RELAXED);
	}
	free(data);
	return NULL;
}

/* ---- all ----------------------------------------------------------------- */

static void make_files(const char *folder)
{
	char data[BLOCK];

	for (int f = 0; f < FILES; f++) {
		int fd;

		snprintf(files[f].path, sizeof(files[f].path), "%s/%02d%c",
			 folder, f / 2, f & 1 ? 'b' : 'a');
		fd = open(files[f].path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		for (uint32_t b = 0; b < BLOCKS; b++) {
			pthread_rwlock_init(&files[f].lock[b], NULL);
			files[f].version[b] = 1;
			fill(data, f / 2, b, 1);
			if (fd < 0 || write(fd, data, BLOCK) != BLOCK)
				die("make", f);
		}
		close(fd);
	}
	sync();
}

static void read_all(void)
{
	char *data = aligned_alloc(BLOCK, BLOCK), expected[BLOCK];
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	sync();
	if (fd < 0 || write(fd, "3", 1) != 1)
		perror("drop_caches");
	close(fd);
	for (int f = 0; f < FILES; f++)
		for (uint32_t b = 0; b < BLOCKS; b++)
			compare(f, b, 5, data, expected);
	free(data);
}

int main(int argc, char **argv)
{
	pthread_t threads[WRITERS + READERS];
	uintptr_t seed;
	int left;

	if (argc != 4)
		return 2;
	left = atoi(argv[2]);
	seed = (uintptr_t)atoi(argv[3]) * 1000;
	began = time(NULL);
	make_files(argv[1]);
	for (int i = 0; i < WRITERS + READERS; i++)
		if (pthread_create(&threads[i], NULL,
				   i < WRITERS ? writer : reader,
				   (void *)(seed + i)))
			return 2;
	while (left-- > 0 && !is_over)
		sleep(1);
	is_over = 1;
	for (int i = 0; i < WRITERS + READERS; i++)
		pthread_join(threads[i], NULL);
	if (!wrong)
		read_all();
	printf("races: %llu writes, %llu clones, %llu fdatasyncs, %llu reads compared, %s\n",
	       (unsigned long long)counts[0], (unsigned long long)counts[1],
	       (unsigned long long)counts[3], (unsigned long long)counts[2],
	       wrong ? "a byte was wrong" : "no byte was wrong");
	return wrong;
}
