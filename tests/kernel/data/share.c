// SPDX-License-Identifier: MPL-2.0
/*
 * Reflink, dedupe and what tells of them, case by case. Where a file system
 * has no reflink (ext4) copies stand in, and what only reflink has is left
 * out; on lakefs everything is there.
 */
#include "datatest.h"
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>

static int copy_range(int from, uint64_t at, uint64_t len, int to,
		      uint64_t pos)
{
	uint8_t *buffer = malloc(len);

	EQ(pread(from, buffer, len, at), len);
	EQ(pwrite(to, buffer, len, pos), len);
	free(buffer);
	return 0;
}

int clone_range(int from, uint64_t at, uint64_t len, int to, uint64_t pos)
{
	struct file_clone_range range = {
		.src_fd = from, .src_offset = at, .src_length = len,
		.dest_offset = pos,
	};

	if (!ioctl(to, FICLONERANGE, &range))
		return 0;
	if (errno != EOPNOTSUPP || is_lakefs)
		return -1;
	return copy_range(from, at, len, to, pos);
}

static bool has_reflink(void)
{
	int a = OK(open(path("probe-a"), O_RDWR | O_CREAT, 0644));
	int b = OK(open(path("probe-b"), O_RDWR | O_CREAT, 0644));
	bool has;

	put_pattern(a, 0, BLOCK, 1);
	has = !ioctl(b, FICLONE, a);
	CHECK(has || !is_lakefs);
	close(a);
	close(b);
	return has;
}

static int make(const char *name, uint64_t bytes, uint64_t seed)
{
	int fd = OK(open(path(name), O_RDWR | O_CREAT | O_TRUNC, 0644));

	if (bytes)
		put_pattern(fd, 0, bytes, seed);
	return fd;
}

uint64_t shared_blocks(int fd)
{
	struct {
		struct fiemap head;
		struct fiemap_extent extents[256];
	} map = { .head = { .fm_length = ~0ull, .fm_flags = FIEMAP_FLAG_SYNC,
			    .fm_extent_count = 256 } };
	uint64_t blocks = 0;

	OK(ioctl(fd, FS_IOC_FIEMAP, &map));
	for (unsigned int i = 0; i < map.head.fm_mapped_extents; i++)
		if (map.extents[i].fe_flags & FIEMAP_EXTENT_SHARED)
			blocks += map.extents[i].fe_length / BLOCK;
	return blocks;
}

static int same_status(int a, uint64_t at, uint64_t len, int b, uint64_t pos)
{
	struct {
		struct file_dedupe_range head;
		struct file_dedupe_range_info info;
	} d = { .head = { .src_offset = at, .src_length = len,
			  .dest_count = 1 },
		.info = { .dest_fd = b, .dest_offset = pos } };

	OK(ioctl(a, FIDEDUPERANGE, &d));
	if (d.info.status == FILE_DEDUPE_RANGE_SAME)
		EQ(d.info.bytes_deduped, len);
	return d.info.status;
}

void share_write(int fd, int way, uint64_t pos, uint64_t len)
{
	uint8_t *p;

	switch (way) {
	case 0:
		return put_pattern(fd, pos, len, 9);
	case 1:
		p = mmap(NULL, pos + len, PROT_READ | PROT_WRITE, MAP_SHARED,
			 fd, 0);
		CHECK(p != MAP_FAILED);
		pattern(p + pos, len, 9, pos);
		OK(munmap(p, pos + len));
		return;
	case 2:
		OK(fcntl(fd, F_SETFL, O_DIRECT));
		p = aligned(len + BLOCK);
		pattern(p, len, 9, pos);
		EQ(pwrite(fd, p, len, pos), len);
		free(p);
		OK(fcntl(fd, F_SETFL, 0));
		return;
	case 3:
		OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			     pos, len));
		return;
	case 4:
		OK(fallocate(fd, FALLOC_FL_ZERO_RANGE, pos, len));
		return;
	default:
		OK(ftruncate(fd, pos));
		OK(ftruncate(fd, 20 * BLOCK));
	}
}

void share_check(int fd, int way, uint64_t pos, uint64_t len)
{
	check_pattern(fd, 0, pos, 5);
	if (way < 3)
		check_pattern(fd, pos, len, 9);
	else
		check_zero(fd, pos, way < 5 ? len : 20 * BLOCK - pos);
	if (way < 5)
		check_pattern(fd, pos + len, 20 * BLOCK - pos - len, 5);
}

/* each way of writing to one side leaves the other one as it was */
static void share_sides(void)
{
	for (int way = 0; way < SHARE_WAYS; way++)
		for (int side = 0; side < 2; side++)
			for (int odd = 0; odd < 2; odd++) {
				uint64_t pos = 3 * BLOCK, len = 5 * BLOCK;
				int a = make("a", 20 * BLOCK, 5);
				int b = make("b", 0, 0);

				if (odd && way != 2) {
					pos += 700;
					len += 1000;
				} else if (odd) {
					pos += 512;
				}
				OK(clone_range(a, 0, 20 * BLOCK, b, 0));
				share_write(side ? b : a, way, pos, len);
				share_check(side ? b : a, way, pos, len);
				check_pattern(side ? a : b, 0, 20 * BLOCK, 5);
				drop_caches();
				share_check(side ? b : a, way, pos, len);
				check_pattern(side ? a : b, 0, 20 * BLOCK, 5);
				close(a);
				close(b);
			}
}

static void share_space(void)
{
	uint64_t bytes = 4u << 20;
	struct statvfs before, after;
	struct stat st;
	int a, b;

	if (!has_reflink())
		return;
	a = make("a", bytes, 1);
	b = make("b", 0, 0);
	sync();
	OK(fstatvfs(a, &before));
	OK(ioctl(b, FICLONE, a));
	sync();
	OK(fstatvfs(a, &after));
	CHECK(before.f_bfree - after.f_bfree < 64);
	EQ(shared_blocks(a), bytes / BLOCK);
	EQ(shared_blocks(b), bytes / BLOCK);
	OK(fstat(b, &st));
	CHECK(st.st_blocks >= (long)bytes / 512);
	EQ(st.st_size, bytes);
	put_pattern(b, 8 * BLOCK + 1, BLOCK, 2);
	EQ(shared_blocks(b), bytes / BLOCK - 2);
	OK(unlink(path("a")));
	close(a);
	check_pattern(b, 10 * BLOCK, bytes - 10 * BLOCK, 1);
	check_pattern(b, 0, 8 * BLOCK + 1, 1);
	/* a mark goes with the cached map */
	close(b);
	drop_caches();
	b = OK(open(path("b"), O_RDWR));
	EQ(shared_blocks(b), 0);
	check_pattern(b, 10 * BLOCK, bytes - 10 * BLOCK, 1);
}

static void share_limits(void)
{
	int a = make("a", 5 * BLOCK + 100, 1), b = make("b", 8 * BLOCK, 2);

	if (!has_reflink())
		return;
	ERR(clone_range(a, 100, BLOCK, b, 0), EINVAL);
	ERR(clone_range(a, 0, BLOCK, b, 100), EINVAL);
	ERR(clone_range(a, 0, 100, b, 0), EINVAL);
	ERR(clone_range(a, 0, 9 * BLOCK, b, 0), EINVAL);
	ERR(clone_range(a, 5 * BLOCK, 100, b, 0), EINVAL);
	ERR(clone_range(b, 0, 4 * BLOCK, b, 3 * BLOCK), EINVAL);
	check_pattern(b, 0, 8 * BLOCK, 2);
	/* the odd end may go where the other file ends too */
	OK(clone_range(a, 4 * BLOCK, BLOCK + 100, b, 12 * BLOCK));
	EQ(file_size(b), 13 * BLOCK + 100);
	check_zero(b, 8 * BLOCK, 4 * BLOCK);
	OK(ftruncate(b, 14 * BLOCK));
	check_zero(b, 13 * BLOCK + 100, BLOCK - 100);
	drop_caches();
	check_zero(b, 13 * BLOCK + 100, BLOCK - 100);
	check_pattern(a, 0, 5 * BLOCK + 100, 1);
	/* a whole file over itself is nothing */
	OK(clone_range(a, 0, BLOCK, a, 20 * BLOCK));
	check_zero(a, 5 * BLOCK + 100, 15 * BLOCK - 100);
	OK(fsync(a));
}

static void share_unwritten(void)
{
	int a = make("a", 2 * BLOCK, 1), b = make("b", 30 * BLOCK, 2);

	OK(fallocate(a, 0, 2 * BLOCK, 10 * BLOCK));
	put_pattern(a, 6 * BLOCK, BLOCK, 3);
	OK(ftruncate(a, 24 * BLOCK));
	OK(clone_range(a, 0, 24 * BLOCK, b, BLOCK));
	check_pattern(b, 0, BLOCK, 2);
	check_zero(b, 3 * BLOCK, 4 * BLOCK);
	check_zero(b, 8 * BLOCK, 17 * BLOCK);
	check_pattern(b, 25 * BLOCK, 5 * BLOCK, 2);
	put_pattern(a, 3 * BLOCK, BLOCK, 4);
	drop_caches();
	check_zero(b, 3 * BLOCK, 4 * BLOCK);
	check_pattern(a, 3 * BLOCK, BLOCK, 4);
}

static void share_dedupe(void)
{
	int a = make("a", 16 * BLOCK + 50, 1), b, c;
	struct stat before, after;

	if (!has_reflink())
		return;
	b = make("b", 16 * BLOCK + 50, 1);
	c = make("c", 16 * BLOCK, 1);
	put_pattern(c, 3 * BLOCK + 7, 1, 2);
	OK(fstat(b, &before));
	EQ(same_status(a, 0, 16 * BLOCK + 50, b, 0), FILE_DEDUPE_RANGE_SAME);
	OK(fstat(b, &after));
	EQ(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	EQ(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
	EQ(shared_blocks(b), 17);
	EQ(same_status(a, 0, 8 * BLOCK, c, 0), FILE_DEDUPE_RANGE_DIFFERS);
	EQ(same_status(a, 0, 8 * BLOCK, c, BLOCK), FILE_DEDUPE_RANGE_DIFFERS);
	EQ(shared_blocks(c), 0);
	EQ(same_status(a, 8 * BLOCK, 4 * BLOCK, c, 8 * BLOCK),
	   FILE_DEDUPE_RANGE_SAME);
	EQ(shared_blocks(c), 4);
	put_pattern(a, 0, 16 * BLOCK, 7);
	drop_caches();
	check_pattern(b, 0, 16 * BLOCK + 50, 1);
	check_pattern(c, 4 * BLOCK, 12 * BLOCK, 1);
	check_pattern(a, 0, 16 * BLOCK, 7);
}

/* A clone has what the file had at one moment, and keeps it. */
static void share_writer(void)
{
	uint64_t bytes = 512 * BLOCK;
	uint8_t *now = malloc(bytes), *later = malloc(bytes);
	int a, status;
	pid_t pid;

	if (!has_reflink())
		return;
	a = make("a", bytes, 1);
	pid = OK(fork());
	if (!pid) {
		uint8_t *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				    MAP_SHARED, a, 0);

		for (uint64_t i = 0; i < 4000000; i++) {
			uint64_t at = rnd() % (bytes - 8000);

			if (i % 3)
				memset(map + at, i, 64);
			else if (pwrite(a, now, rnd() % 8000, at) < 0)
				_exit(9);
		}
		_exit(0);
	}
	for (int i = 0; i < 20; i++) {
		int b = make("b", 0, 0);

		OK(clone_range(a, 0, bytes, b, 0));
		EQ(pread(b, now, bytes, 0), bytes);
		usleep(20000);
		if (i % 4 == 0)
			drop_caches();
		else
			OK(posix_fadvise(b, 0, 0, POSIX_FADV_DONTNEED));
		EQ(pread(b, later, bytes, 0), bytes);
		CHECK(!memcmp(now, later, bytes));
		close(b);
	}
	kill(pid, SIGKILL);
	OK(waitpid(pid, &status, 0));
	CHECK(WIFSIGNALED(status));
}

/* A full device: each block of the clone is the old or the new one. */
static void share_full(void)
{
	uint64_t bytes = 8u << 20, done = 0;
	int a, b, filler;
	uint8_t *block = aligned(1 << 20);
	ssize_t n;

	if (!has_reflink() || !is_lakefs)
		return;
	a = make("a", bytes, 1);
	b = make("b", 0, 0);
	OK(ioctl(b, FICLONE, a));
	filler = make("filler", 0, 0);
	memset(block, 1, 1 << 20);
	while ((n = write(filler, block, 1 << 20)) > 0)
		;
	EQ(errno, ENOSPC);
	OK(fsync(filler));
	while ((n = write(filler, block, BLOCK)) > 0)
		;
	pattern(block, 1 << 20, 2, 0);
	while (done < bytes) {
		pattern(block, BLOCK, 2, done);
		n = pwrite(b, block, BLOCK, done);
		if (n < 0)
			break;
		done += n;
	}
	CHECK(done < bytes);
	EQ(errno, ENOSPC);
	OK(fsync(b));
	drop_caches();
	check_pattern(a, 0, bytes, 1);
	if (done)
		check_pattern(b, 0, done, 2);
	check_pattern(b, done, bytes - done, 1);
	close(filler);
	OK(unlink(path("filler")));
	put_pattern(b, 0, bytes, 3);
	OK(fsync(b));
	drop_caches();
	check_pattern(b, 0, bytes, 3);
	check_pattern(a, 0, bytes, 1);
	free(block);
}

/* many owners; each is rewritten, then the last one alone */
static void share_many(void)
{
	char name[16];
	int fds[12];

	fds[0] = make("0", 64 * BLOCK, 50);
	for (int i = 1; i < 12; i++) {
		sprintf(name, "%d", i);
		fds[i] = make(name, 0, 0);
		OK(clone_range(fds[i - 1], 0, 64 * BLOCK, fds[i], 0));
	}
	for (int i = 0; i < 11; i++) {
		put_pattern(fds[i], i * 5 * BLOCK + 10, BLOCK, 60 + i);
		drop_caches();
		for (int k = 0; k < 12; k++) {
			int at = k <= i ? k * 5 : 0;

			if (k <= i)
				check_pattern(fds[k], at * BLOCK + 10, BLOCK,
					      60 + k);
			check_pattern(fds[k], (at + 2) * BLOCK,
				      (62 - at) * BLOCK, 50);
		}
	}
	for (int i = 0; i < 11; i++) {
		close(fds[i]);
		sprintf(name, "%d", i);
		OK(unlink(path(name)));
	}
	check_pattern(fds[11], 0, 64 * BLOCK, 50);
	put_pattern(fds[11], 100, 63 * BLOCK, 70);
	drop_caches();
	check_pattern(fds[11], 0, 100, 50);
	check_pattern(fds[11], 100, 63 * BLOCK, 70);
}

/*
 * A file that maps more blocks than the device has. Regression: once it had left
 * memory, it could not be brought in again, not even to be deleted.
 */
static void share_beyond_the_device(void)
{
	const uint64_t part = 4 << 20;
	uint8_t got[BLOCK], want[BLOCK];
	int fd = make("a", part, 1);
	uint64_t parts;
	struct statvfs v;
	struct stat st;

	if (!has_reflink())
		return;
	OK(fstatvfs(fd, &v));
	parts = v.f_blocks * v.f_frsize * 3 / 2 / part;
	for (uint64_t i = 1; i < parts; i++)
		OK(clone_range(fd, 0, part, fd, i * part));
	OK(fsync(fd));
	close(fd);
	drop_caches();
	OK(stat(path("a"), &st));
	EQ(st.st_size, parts * part);
	EQ(st.st_blocks, parts * part / 512);
	fd = OK(open(path("a"), O_RDWR));
	EQ(pread(fd, got, BLOCK, (parts - 1) * part), BLOCK);
	pattern(want, BLOCK, 1, 0);
	CHECK(!memcmp(got, want, BLOCK));
	close(fd);
	OK(unlink(path("a")));
}

struct slow_read {
	int fd;
	char *to;
	volatile bool is_done;
	pthread_t thread;
};

static void *read_slowly(void *arg)
{
	struct slow_read *r = arg;

	EQ(pread(r->fd, r->to, BLOCK, 0), BLOCK);
	r->is_done = true;
	return NULL;
}

/*
 * The device (DATATEST_SLOW, of zeroes) reads into a mapping of the file's first
 * block, which is anything but zeroes. Returns when its bytes are there, long
 * before it says so.
 */
static void slow_read_begin(struct slow_read *r, int fd)
{
	volatile char *first;

	r->is_done = false;
	r->to = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(r->to != MAP_FAILED);
	EQ(pthread_create(&r->thread, NULL, read_slowly, r), 0);
	for (first = r->to; *first; )
		usleep(1000);
}

static void slow_read_end(struct slow_read *r)
{
	EQ(pthread_join(r->thread, NULL), 0);
	OK(munmap(r->to, BLOCK));
}

static int open_slow_device(void)
{
	const char *device = getenv("DATATEST_SLOW");

	CHECK(device); /* tests/kernel/slow-device.sh makes it */
	return OK(open(device, O_RDONLY | O_DIRECT));
}

/* Was the device not done yet when a was cloned to b? */
static bool clone_beside_read(int a, int b, int slow)
{
	struct slow_read r = { .fd = slow };
	bool is_beside;

	put_pattern(a, 0, BLOCK, 1);
	OK(fsync(a));
	slow_read_begin(&r, a);
	if (ioctl(b, FICLONE, a)) {
		EQ(errno, EOPNOTSUPP);
		CHECK(!is_lakefs);
	}
	is_beside = !r.is_done;
	slow_read_end(&r);
	OK(fsync(a));
	drop_caches();
	check_zero(a, 0, BLOCK);
	if (is_lakefs)
		check_zero(b, 0, BLOCK);
	return is_beside;
}

/*
 * A device writes into a page of a file that is cloned meanwhile: what it writes
 * is in the file afterwards. Regression: the blocks had become shared before the
 * page was dirty, and writing it back failed with EIO.
 */
static void share_pinned(void)
{
	int a = make("a", BLOCK, 1), b = make("b", BLOCK, 2), tries = 0;
	int slow = open_slow_device();

	while (!clone_beside_read(a, b, slow))
		CHECK(++tries < 10);
	EQ(shared_blocks(a), 0);
	close(slow);
	close(a);
	close(b);
}

/* Was the device not done yet when b, into which it writes, was to share a's? */
static bool dedupe_beside_read(int a, int b, int slow)
{
	struct slow_read r = { .fd = slow };
	int status = 0;
	bool is_beside;

	put_pattern(b, 0, BLOCK, 2);
	OK(fsync(b));
	slow_read_begin(&r, b);
	if (is_lakefs)
		status = same_status(a, 0, BLOCK, b, 0);
	is_beside = !r.is_done;
	slow_read_end(&r);
	OK(fsync(b));
	if (is_lakefs && is_beside)
		EQ(status, -EBUSY);
	drop_caches();
	check_zero(a, 0, BLOCK);
	check_zero(b, 0, BLOCK);
	return is_beside;
}

/* What a device writes into is not compared: it is busy, and stays as it is. */
static void share_pinned_dedupe(void)
{
	int a = make("a", 0, 1), b = make("b", BLOCK, 2), tries = 0;
	int slow = open_slow_device();
	static const char zeroes[BLOCK];

	EQ(pwrite(a, zeroes, BLOCK, 0), BLOCK);
	OK(fsync(a));
	while (!dedupe_beside_read(a, b, slow))
		CHECK(++tries < 10);
	if (has_reflink()) {	/* and once it is done, they are the same */
		EQ(same_status(a, 0, BLOCK, b, 0), FILE_DEDUPE_RANGE_SAME);
		EQ(shared_blocks(b), 1);
	}
	close(slow);
	close(a);
	close(b);
}

const struct test share_tests[] = {
	{ "share_sides", share_sides, false },
	{ "share_space", share_space, false },
	{ "share_limits", share_limits, false },
	{ "share_unwritten", share_unwritten, false },
	{ "share_dedupe", share_dedupe, false },
	{ "share_writer", share_writer, false },
	{ "share_many", share_many, false },
	{ "share_pinned", share_pinned, false },
	{ "share_pinned_dedupe", share_pinned_dedupe, false },
	{ "share_beyond", share_beyond_the_device, false },
	{ "share_full", share_full, true },
	{ NULL, NULL, false }
};
