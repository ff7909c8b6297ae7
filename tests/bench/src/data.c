// SPDX-License-Identifier: MPL-2.0
/* Rows about file content. Operations are units of 4 KiB. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "bench.h"

#define CHUNK	(256 * 1024)
#define UNIT	4096
#define BIG	(65536L)	/* 256 MiB */
#define RANDOMS	4000
#define FSYNCS	500

static char buffer[CHUNK];
static long present;	/* units in the big file */
static int log_fd;

static void fill_buffer(void)
{
	for (long i = 0; i < CHUNK; i++)
		buffer[i] = (char)(next_random() >> 4);
}

static int open_big(int flags)
{
	int fd = openat(bench_root, "big", flags, 0644);

	if (fd < 0)
		die("open");
	return fd;
}

static void need_no_big(long count)
{
	(void)count;
	fill_buffer();
	if (present && unlinkat(bench_root, "big", 0))
		die("unlink");
	present = 0;
}

static void write_big(long count)
{
	int fd = open_big(O_CREAT | O_EXCL | O_WRONLY);

	for (long i = 0; i < count; i += CHUNK / UNIT)
		if (write(fd, buffer, CHUNK) != CHUNK)
			die("write");
	close(fd);
	present = count;
}

static void need_big(long count)
{
	fill_buffer();
	if (present >= count)
		return;
	need_no_big(0);
	write_big(count);
}

static void need_random_big(long count)
{
	need_big(BIG / RANDOMS * count);
}

static void read_big(long count)
{
	int fd = open_big(O_RDONLY);

	for (long i = 0; i + CHUNK / UNIT <= count; i += CHUNK / UNIT)
		if (read(fd, buffer, CHUNK) != CHUNK)
			die("read");
	close(fd);
}

static void random_io(long count, int writes)
{
	int fd = open_big(O_RDWR);

	for (long i = 0; i < count; i++) {
		off_t at = (off_t)(next_random() % present) * UNIT;
		ssize_t n = writes ? pwrite(fd, buffer, UNIT, at) :
				     pread(fd, buffer, UNIT, at);

		if (n != UNIT)
			die("random access");
	}
	close(fd);
}

static void write_random(long count)
{
	random_io(count, 1);
}

static void read_random(long count)
{
	random_io(count, 0);
}

static void open_log(long count)
{
	(void)count;
	fill_buffer();
	log_fd = openat(bench_root, "log", O_CREAT | O_WRONLY | O_APPEND, 0644);
	if (log_fd < 0)
		die("open");
}

static void append_and_fsync(long count)
{
	for (long i = 0; i < count; i++)
		if (write(log_fd, buffer, UNIT) != UNIT || fsync(log_fd))
			die("fsync");
}

static void remove_log(long count)
{
	(void)count;
	close(log_fd);
	if (unlinkat(bench_root, "log", 0))
		die("unlink");
}

/*
 * New data, as much as the ingest has to do for long. It waits until a file has
 * been quiet for 30 s, and looks every 5 s; 8 s come before each row anyway.
 */
static void open_log_beside_new_data(long count)
{
	need_no_big(0);
	write_big(BIG);
	sync_root();
	sleep(30);
	open_log(count);
}

const struct row data_rows[] = {
	{ "fsync", 0, FSYNCS, open_log, append_and_fsync, remove_log },
	{ "many-fsyncs", ROW_EXTRA, 5 * FSYNCS, open_log, append_and_fsync, remove_log },
	{ "ingest-fsyncs", ROW_EXTRA, 5 * FSYNCS, open_log_beside_new_data,
	  append_and_fsync, remove_log },
	{ "write-seq", ROW_SYNC, BIG, need_no_big, write_big, NULL },
	{ "read-seq-cold", ROW_COLD, BIG, need_big, read_big, NULL },
	{ "write-random", ROW_SYNC, RANDOMS, need_random_big, write_random, NULL },
	{ "read-random-cold", ROW_COLD, RANDOMS, need_random_big,
	  read_random, NULL },
	{ 0 }
};
