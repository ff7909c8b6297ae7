// SPDX-License-Identifier: MPL-2.0
/*
 * fallocate's COLLAPSE_RANGE, INSERT_RANGE and UNSHARE_RANGE. Most tests keep a
 * copy of the file in memory that is changed in the same way.
 */
#include "datatest.h"
#include <linux/falloc.h>
#include <pthread.h>

#define COPY_BYTES	(64u << 20)

static uint8_t *copy;			/* zero behind size */
static uint64_t size;
static int fd = -1;

static void begin(void)
{
	copy = mmap(NULL, COPY_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(copy != MAP_FAILED);
	fd = OK(open(path("file"), O_RDWR | O_CREAT | O_TRUNC, 0644));
	size = 0;
}

static void put(uint64_t pos, uint64_t len, uint64_t seed)
{
	pattern(copy + pos, len, seed, pos);
	EQ(pwrite(fd, copy + pos, len, pos), len);
	if (pos + len > size)
		size = pos + len;
}

static void punch(uint64_t pos, uint64_t len)
{
	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, pos,
		     len));
	memset(copy + pos, 0, len);
}

static void resize(uint64_t to)
{
	OK(ftruncate(fd, to));
	if (to < size)
		memset(copy + to, 0, size - to);
	size = to;
}

static void collapse(uint64_t pos, uint64_t len)
{
	OK(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, pos, len));
	memmove(copy + pos, copy + pos + len, size - pos - len);
	size -= len;
	memset(copy + size, 0, len);
}

static void insert(uint64_t pos, uint64_t len)
{
	OK(fallocate(fd, FALLOC_FL_INSERT_RANGE, pos, len));
	memmove(copy + pos + len, copy + pos, size - pos);
	memset(copy + pos, 0, len);
	size += len;
}

static void check_same(int line)
{
	uint8_t *got = malloc(size + 1);

	EQ(file_size(fd), size);
	EQ(pread(fd, got, size + 1, 0), size);
	for (uint64_t i = 0; memcmp(got, copy, size) && i < size; i++)
		if (got[i] != copy[i])
			fail_at(__FILE__, line,
				"byte %llu is %02x, not %02x, size %llu",
				(unsigned long long)i, got[i], copy[i],
				(unsigned long long)size);
	free(got);
}

#define same() check_same(__LINE__)

/* as it is, from the device, and after another mount */
static void check_same_later(int line)
{
	check_same(line);
	drop_caches();
	check_same(line);
	close(fd);
	if (!remount())
		drop_caches();
	fd = OK(open(path("file"), O_RDWR));
	check_same(line);
}

#define same_later() check_same_later(__LINE__)

/* other file systems may count blocks of their own */
static void check_mapped(int line, uint64_t want)
{
	struct stat st;
	uint64_t got;

	OK(fstat(fd, &st));
	got = st.st_blocks / 8;
	if (got < want || got > want + !is_lakefs)
		fail_at(__FILE__, line, "%llu blocks, not %llu",
			(unsigned long long)got, (unsigned long long)want);
}

#define mapped(want) check_mapped(__LINE__, want)

/* written and not written back, written back, and in the cache or not */
static void shift_content(void)
{
	for (int round = 0; round < 3; round++) {
		begin();
		put(0, 64 * BLOCK + 700, 1);
		if (round)
			OK(fsync(fd));
		if (round == 2)
			drop_caches();
		collapse(10 * BLOCK, 4 * BLOCK);
		same();
		collapse(0, BLOCK);
		same();
		put(12 * BLOCK + 5, 3 * BLOCK, 2);
		collapse(BLOCK, 58 * BLOCK);
		same();
		EQ(size, BLOCK + 700);
		put(0, 30 * BLOCK + 9, 3);
		insert(7 * BLOCK, 5 * BLOCK);
		same();
		insert(0, BLOCK);
		same();
		put(8 * BLOCK - 50, 100, 4);
		insert(36 * BLOCK, 2 * BLOCK);		/* the last block */
		same_later();
		collapse(7 * BLOCK, 6 * BLOCK);
		same_later();
		put(size, 3 * BLOCK, 5);
		same_later();
		close(fd);
	}
}

static void shift_holes(void)
{
	begin();
	put(0, 4 * BLOCK, 1);
	put(20 * BLOCK, 4 * BLOCK, 2);
	OK(fallocate(fd, 0, 30 * BLOCK, 10 * BLOCK));
	size = 40 * BLOCK;
	put(33 * BLOCK + 100, 2000, 3);
	OK(fsync(fd));
	mapped(18);
	insert(2 * BLOCK, 3 * BLOCK);
	same();
	insert(10 * BLOCK, BLOCK);		/* in a hole */
	same();
	insert(35 * BLOCK, 2 * BLOCK);		/* in what is preallocated */
	same();
	mapped(18);
	EQ(lseek(fd, 2 * BLOCK, SEEK_DATA), 5 * BLOCK);
	EQ(lseek(fd, 8 * BLOCK, SEEK_DATA), 24 * BLOCK);
	same_later();
	put(36 * BLOCK, 4 * BLOCK, 4);		/* over both of them */
	same_later();
	collapse(BLOCK, 3 * BLOCK);		/* one written, two holes */
	same_later();
	EQ(lseek(fd, 0, SEEK_HOLE), BLOCK);
	EQ(lseek(fd, BLOCK, SEEK_DATA), 2 * BLOCK);
	collapse(4 * BLOCK, 10 * BLOCK);	/* nothing but a hole */
	same_later();
	resize(60 * BLOCK);
	collapse(50 * BLOCK, 3 * BLOCK);	/* nothing from there on */
	insert(45 * BLOCK, 9 * BLOCK);
	same_later();
}

/* what is preallocated behind the end moves, and stays behind it */
static void shift_kept_size(void)
{
	begin();
	put(0, 5 * BLOCK + 10, 1);
	OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 8 * BLOCK, 6 * BLOCK));
	OK(fsync(fd));
	mapped(12);
	insert(BLOCK, 2 * BLOCK);
	mapped(12);
	same_later();
	mapped(12);
	collapse(0, BLOCK);
	mapped(11);
	same_later();
	resize(20 * BLOCK);
	same();
	mapped(11);
	put(9 * BLOCK, 6 * BLOCK, 2);		/* exactly what is there */
	OK(fsync(fd));
	mapped(11);
	same_later();
}

/* the block of an old end is full of what truncate cut off */
static void shift_tail(void)
{
	begin();
	put(0, 3 * BLOCK, 1);
	OK(fsync(fd));
	resize(2 * BLOCK + 100);
	collapse(0, BLOCK);
	same();
	resize(4 * BLOCK);
	same();
	put(BLOCK + 300, 20, 2);
	same_later();
	close(fd);

	begin();
	put(0, BLOCK, 3);
	OK(fsync(fd));
	resize(100);
	insert(0, BLOCK);
	same();
	resize(3 * BLOCK);
	same_later();
	resize(2 * BLOCK - 5);
	insert(BLOCK, BLOCK);
	resize(2 * BLOCK + 50);
	insert(0, 2 * BLOCK);
	put(4 * BLOCK + 60, 5, 4);
	same_later();
}

static void shift_mapped(void)
{
	uint8_t *map;

	begin();
	put(0, 40 * BLOCK, 1);
	map = mmap(NULL, 40 * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	for (int i = 0; i < 20; i++) {
		uint64_t at = (uint64_t)(i * 7 % 30) * BLOCK;

		/* dirty through the mapping only */
		pattern(map + at + 10, 5000, i, at);
		memcpy(copy + at + 10, map + at + 10, 5000);
		if (i & 1)
			collapse(at, 3 * BLOCK);
		else
			insert(at + BLOCK, 3 * BLOCK);
		CHECK(!memcmp(map, copy, size < 40 * BLOCK ? size :
						40 * BLOCK));
		memset(map + at + BLOCK, i, 7);
		memset(copy + at + BLOCK, i, 7);
		same();
	}
	OK(munmap(map, 40 * BLOCK));
	same_later();
}

static void shift_refused(void)
{
	int rfd, pipes[2];

	begin();
	put(0, 8 * BLOCK + 5, 1);
	OK(fsync(fd));
	for (int i = 0; i < 2; i++) {
		int mode = i ? FALLOC_FL_INSERT_RANGE :
			       FALLOC_FL_COLLAPSE_RANGE;

		ERR(fallocate(fd, mode, 100, BLOCK), EINVAL);
		ERR(fallocate(fd, mode, BLOCK, 100), EINVAL);
		ERR(fallocate(fd, mode, 512, 512), EINVAL);
		ERR(fallocate(fd, mode, BLOCK, 0), EINVAL);
		ERR(fallocate(fd, mode, 9 * BLOCK, BLOCK), EINVAL);
		ERR(fallocate(fd, mode, 100 * BLOCK, BLOCK), EINVAL);
		CHECK(fallocate(fd, mode | FALLOC_FL_KEEP_SIZE, 0, BLOCK) < 0);
		CHECK(fallocate(fd, mode | FALLOC_FL_ZERO_RANGE, 0, BLOCK) < 0);
		rfd = OK(open(path("file"), O_RDONLY));
		ERR(fallocate(rfd, mode, 0, BLOCK), EBADF);
		close(rfd);
		OK(pipe(pipes));
		CHECK(fallocate(pipes[1], mode, 0, BLOCK) < 0);
	}
	ERR(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 9 * BLOCK), EINVAL);
	ERR(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 5 * BLOCK, 4 * BLOCK),
	    EINVAL);
	ERR(fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, INT64_MAX / BLOCK * BLOCK),
	    EFBIG);
	ERR(fallocate(fd, FALLOC_FL_INSERT_RANGE, BLOCK,
		      (INT64_MAX / BLOCK - 2) * BLOCK), EFBIG);
	same_later();
	/* no room for what lies behind the end */
	if (is_lakefs) {
		OK(fallocate(fd, FALLOC_FL_KEEP_SIZE,
			     INT64_MAX / BLOCK * BLOCK - 4 * BLOCK, BLOCK));
		OK(fallocate(fd, FALLOC_FL_INSERT_RANGE, BLOCK, BLOCK));
		ERR(fallocate(fd, FALLOC_FL_INSERT_RANGE, BLOCK, 8 * BLOCK),
		    EFBIG);
	}
}

static void shift_times(void)
{
	struct stat before, after;

	begin();
	put(0, 8 * BLOCK, 1);
	for (int i = 0; i < 2; i++) {
		OK(fstat(fd, &before));
		usleep(20000);
		if (i)
			insert(BLOCK, BLOCK);
		else
			collapse(BLOCK, BLOCK);
		OK(fstat(fd, &after));
		CHECK(after.st_mtim.tv_sec != before.st_mtim.tv_sec ||
		      after.st_mtim.tv_nsec != before.st_mtim.tv_nsec);
		CHECK(after.st_ctim.tv_sec != before.st_ctim.tv_sec ||
		      after.st_ctim.tv_nsec != before.st_ctim.tv_nsec);
	}
}

/* more than one record moves, whole and in many pieces */
static void shift_long(void)
{
	begin();
	put(0, 9000 * BLOCK + 77, 1);
	collapse(3 * BLOCK, BLOCK);
	same();
	insert(2 * BLOCK, 7 * BLOCK);
	same();
	for (uint64_t i = 0; i < 2000; i++)
		punch((10 + 4 * i) * BLOCK, BLOCK);
	insert(BLOCK, BLOCK);
	collapse(1000 * BLOCK, 300 * BLOCK);
	same_later();
	insert(500 * BLOCK, 299 * BLOCK);
	collapse(30 * BLOCK, 8000 * BLOCK);
	same_later();
}

/* other owners of the blocks see nothing of it */
static void shift_shared(void)
{
	int other;

	begin();
	put(0, 30 * BLOCK, 1);
	other = OK(open(path("other"), O_RDWR | O_CREAT, 0644));
	OK(clone_range(fd, 0, 30 * BLOCK, other, 0));
	collapse(2 * BLOCK, 3 * BLOCK);
	insert(10 * BLOCK, 4 * BLOCK);
	same();
	put(5 * BLOCK + 9, 3000, 2);
	put(20 * BLOCK, 2 * BLOCK, 3);
	check_pattern(other, 0, 30 * BLOCK, 1);
	put_pattern(other, 20 * BLOCK, 3 * BLOCK, 4);
	close(other);
	same_later();
	other = OK(open(path("other"), O_RDWR));
	check_pattern(other, 0, 20 * BLOCK, 1);
	check_pattern(other, 20 * BLOCK, 3 * BLOCK, 4);
	check_pattern(other, 23 * BLOCK, 7 * BLOCK, 1);
	close(other);
}

static void unshare_range(void)
{
	struct stat st;
	int other;

	begin();
	put(0, 30 * BLOCK + 50, 1);
	if (!is_lakefs) {
		int mode = FALLOC_FL_UNSHARE_RANGE;

		if (fallocate(fd, mode, 0, 30 * BLOCK))
			EQ(errno, EOPNOTSUPP);
		return;
	}
	punch(10 * BLOCK, 2 * BLOCK);
	other = OK(open(path("other"), O_RDWR | O_CREAT, 0644));
	OK(clone_range(fd, 0, 30 * BLOCK + 50, other, 0));
	EQ(shared_blocks(fd), 29);
	OK(fallocate(fd, FALLOC_FL_UNSHARE_RANGE, 3 * BLOCK + 5, BLOCK));
	EQ(shared_blocks(fd), 27);
	same();
	OK(fallocate(fd, FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_KEEP_SIZE,
		     8 * BLOCK, 100 * BLOCK));
	EQ(shared_blocks(fd), 7 - 1);
	EQ(file_size(fd), size);
	OK(fstat(fd, &st));
	CHECK(st.st_blocks >= 107 * 8);
	close(other);
	same_later();
	other = OK(open(path("other"), O_RDWR));
	put_pattern(fd, 9 * BLOCK, BLOCK, 6);
	check_pattern(other, 0, 10 * BLOCK, 1);
	check_pattern(other, 12 * BLOCK, 18 * BLOCK + 50, 1);
	check_zero(other, 10 * BLOCK, 2 * BLOCK);
	pattern(copy + 9 * BLOCK, BLOCK, 6, 9 * BLOCK);
	same();
	OK(fallocate(fd, FALLOC_FL_UNSHARE_RANGE, 0, 40 * BLOCK));
	EQ(shared_blocks(fd), 0);
	size = 40 * BLOCK;
	same();
	/* nobody else has them any more */
	OK(unlink(path("other")));
	close(other);
	same_later();
}

/* stays, and checksums with it that `lakectl verify --full` looks at later */
static void shift_left(void)
{
	char name[PATH_MAX + 16];

	begin();
	close(fd);
	snprintf(name, sizeof(name), "%s/shifted", top_dir);
	fd = OK(open(name, O_RDWR | O_CREAT | O_TRUNC, 0644));
	put(0, 300 * BLOCK + 900, 1);
	punch(100 * BLOCK, 20 * BLOCK);
	OK(fsync(fd));
	collapse(5 * BLOCK, 33 * BLOCK);
	insert(9 * BLOCK, 100 * BLOCK);
	put(50 * BLOCK, 3 * BLOCK + 5, 2);
	collapse(51 * BLOCK, BLOCK);
	insert(250 * BLOCK, BLOCK);
	same();
	OK(fsync(fd));
	drop_caches();
	same();
	close(fd);
}

/* ---- with others at work ------------------------------------------------- */

#define FIXED	60			/* blocks that are always there */

static volatile bool over;
static const char *volatile wrong;

static void fill(uint64_t *block, uint64_t id)
{
	for (int i = 0; i < BLOCK / 8; i++)
		block[i] = id;
}

/* what a mapping may write is not looked at: the first word */
static bool uniform(const uint64_t *block)
{
	for (int i = 2; i < BLOCK / 8; i++)
		if (block[i] != block[1])
			return false;
	return true;
}

static void *writer(void *arg)
{
	bool direct = arg;
	int wfd = open(path("file"), O_RDWR | (direct ? O_DIRECT : 0));
	uint64_t *block = aligned(BLOCK), id = direct;

	while (!over && !wrong) {
		uint64_t at = (id * 2654435761u >> 7) % FIXED * BLOCK;

		fill(block, id += 2);
		if (pwrite(wfd, block, BLOCK, at) != BLOCK)
			wrong = "a write fails";
		at = (id * 40503u >> 3) % FIXED * BLOCK;
		if (pread(wfd, block, BLOCK, at) != BLOCK || !uniform(block))
			wrong = "a block is torn";
	}
	close(wfd);
	free(block);
	return NULL;
}

static void *mapper(void *arg)
{
	int mfd = open(path("file"), O_RDWR);
	uint64_t *map = mmap(NULL, FIXED * BLOCK, PROT_READ | PROT_WRITE,
			     MAP_SHARED, mfd, 0);
	uint64_t n = 0;

	if (map == MAP_FAILED)
		wrong = "mmap fails";
	while (!over && !wrong) {
		n++;
		map[(n * 48271 >> 3) % FIXED * (BLOCK / 8)] = n;
		if (!(n % 64))
			usleep(500);
	}
	munmap(map, FIXED * BLOCK);
	close(mfd);
	return arg;
}

/* no block is torn, mixed or lost, whoever else reads and writes */
static void shift_busy(void)
{
	uint64_t *block = aligned(BLOCK);
	pthread_t t[3];

	begin();
	for (int i = 0; i < FIXED + 20; i++) {
		fill(block, 1000000 + i);
		EQ(pwrite(fd, block, BLOCK, i * BLOCK), BLOCK);
	}
	CHECK(!pthread_create(&t[0], NULL, writer, NULL));
	CHECK(!pthread_create(&t[1], NULL, writer, (void *)1));
	CHECK(!pthread_create(&t[2], NULL, mapper, NULL));
	for (int i = 0; i < ops_wanted / 10 && !wrong; i++) {
		uint64_t at = rnd() % FIXED * BLOCK;
		uint64_t len = (1 + rnd() % 5) * BLOCK;

		OK(fallocate(fd, FALLOC_FL_INSERT_RANGE, at, len));
		at = rnd() % FIXED * BLOCK;
		OK(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, at, len));
	}
	over = true;
	for (int i = 0; i < 3; i++)
		CHECK(!pthread_join(t[i], NULL));
	if (wrong)
		fail_at(__FILE__, __LINE__, "%s", wrong);
	EQ(file_size(fd), (FIXED + 20) * BLOCK);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < FIXED + 20; i++) {
			EQ(pread(fd, block, BLOCK, i * BLOCK), BLOCK);
			CHECK(uniform(block));
		}
		drop_caches();
	}
}

const struct test shift_tests[] = {
	{ "shift_content", shift_content, true },
	{ "shift_holes", shift_holes, true },
	{ "shift_kept_size", shift_kept_size, true },
	{ "shift_tail", shift_tail, true },
	{ "shift_mapped", shift_mapped, true },
	{ "shift_refused", shift_refused, true },
	{ "shift_times", shift_times, false },
	{ "shift_long", shift_long, true },
	{ "shift_left", shift_left, false },
	{ "shift_shared", shift_shared, true },
	{ "shift_unshare", unshare_range, true },
	{ "shift_busy", shift_busy, false },
	{ NULL, NULL, false }
};
