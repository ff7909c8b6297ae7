// SPDX-License-Identifier: MPL-2.0
/*
 * fdatasync of data that was written in place: nothing but the device's cache
 * is left to be emptied then, so whether it is can be counted.
 */
#include "datatest.h"
#include <sys/sysmacros.h>
#include <sys/uio.h>

/* flushes that the device has done; the last fields but one of its counts */
static unsigned long long flushes(void)
{
	unsigned long long n[17] = { 0 };
	char name[64], line[512];
	struct stat st;
	char *at = line;
	int fd, i;
	ssize_t got;

	OK(stat(path(""), &st));
	snprintf(name, sizeof(name), "/sys/dev/block/%u:%u/stat",
		 major(st.st_dev), minor(st.st_dev));
	fd = OK(open(name, O_RDONLY));
	got = OK(read(fd, line, sizeof(line) - 1));
	close(fd);
	line[got] = 0;
	for (i = 0; i < 17; i++)
		n[i] = strtoull(at, &at, 10);
	return n[15];
}

static void set(const char *name, const char *value)
{
	int fd = OK(open(name, O_WRONLY));

	OK(write(fd, value, strlen(value)));
	close(fd);
}

/* A file that has only been written in place since its last record. */
static int settled(const char *name, uint64_t seed)
{
	int fd = OK(open(path(name), O_RDWR | O_CREAT | O_TRUNC, 0644));

	put_pattern(fd, 0, 4 * BLOCK, 1);
	OK(fsync(fd));
	put_pattern(fd, 0, 4 * BLOCK, seed);	/* takes checksums back */
	OK(fsync(fd));
	return fd;
}

/* A sync of one block says nothing of another one on its way. */
static void flush_of_another_block(void)
{
	int fd = settled("a", 2);
	uint8_t block[BLOCK];
	struct iovec v = { .iov_base = block, .iov_len = BLOCK };
	unsigned long long before;

	put_pattern(fd, 0, BLOCK, 3);
	OK(sync_file_range(fd, 0, BLOCK, SYNC_FILE_RANGE_WRITE));
	pattern(block, BLOCK, 3, 2 * BLOCK);
	EQ(pwritev2(fd, &v, 1, 2 * BLOCK, RWF_DSYNC), BLOCK);
	before = flushes();
	OK(fdatasync(fd));
	CHECK(flushes() > before);
	check_pattern(fd, 0, BLOCK, 3);
	check_pattern(fd, 2 * BLOCK, BLOCK, 3);
	close(fd);
}

/* The inode that was written to has left memory meanwhile. */
static void flush_after_eviction(void)
{
	int other = OK(open(path("b"), O_RDWR | O_CREAT, 0644));
	int fd = settled("a", 2);
	unsigned long long before;

	put_pattern(fd, 0, BLOCK, 3);
	OK(sync_file_range(fd, 0, BLOCK, SYNC_FILE_RANGE_WRITE |
			   SYNC_FILE_RANGE_WAIT_AFTER));
	close(fd);
	/* its times are recorded, and it is clean */
	set("/proc/sys/vm/dirty_expire_centisecs", "10");
	set("/proc/sys/vm/dirty_writeback_centisecs", "10");
	usleep(1500000);
	set("/proc/sys/vm/dirty_writeback_centisecs", "500");
	set("/proc/sys/vm/dirty_expire_centisecs", "3000");
	put_pattern(other, 0, BLOCK, 1);
	OK(fsync(other));
	close(other);
	/* no sync: that would empty the cache */
	set("/proc/sys/vm/drop_caches", "3");
	fd = OK(open(path("a"), O_RDWR));
	before = flushes();
	OK(fdatasync(fd));
	CHECK(flushes() > before);
	check_pattern(fd, 0, BLOCK, 3);
	close(fd);
}

const struct test flush_tests[] = {
	{ "flush_of_another_block", flush_of_another_block, false },
	{ "flush_after_eviction", flush_after_eviction, false },
	{ NULL, NULL, false }
};
