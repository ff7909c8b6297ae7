// SPDX-License-Identifier: MPL-2.0
/*
 * lakebench DIR: times file operations in DIR and prints "NAME SECONDS", a
 * line each. The clock of anything that writes stops after syncfs, so work
 * that a filesystem puts off, or a daemon does for it, counts.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILES	2000
#define MIB	48
#define CHUNK	(256 * 1024)
#define RANDOMS	1000
#define FSYNCS	100

static int root;
static char buffer[CHUNK];
static struct timespec begun;

static void die(const char *what)
{
	fprintf(stderr, "lakebench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void start(void)
{
	clock_gettime(CLOCK_MONOTONIC, &begun);
}

static void stop(const char *name, int sync)
{
	struct timespec now;

	if (sync && syncfs(root))
		die("syncfs");
	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%s %.6f\n", name, now.tv_sec - begun.tv_sec +
	       (now.tv_nsec - begun.tv_nsec) / 1e9);
	fflush(stdout);
}

static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	if (syncfs(root) || fd < 0 || write(fd, "3", 1) != 1)
		die("drop_caches");
	close(fd);
}

static uint32_t next_random(void)
{
	static uint32_t state = 1;

	state = state * 1664525u + 1013904223u;
	return state >> 8;
}

static const char *name_of(int i)
{
	static char name[32];

	snprintf(name, sizeof(name), "f/file%05d", i);
	return name;
}

static void create_files(void)
{
	if (mkdirat(root, "f", 0755))
		die("mkdir");
	start();
	for (int i = 0; i < FILES; i++) {
		int fd = openat(root, name_of(i), O_CREAT | O_EXCL | O_WRONLY,
				0644);

		if (fd < 0)
			die("create");
		close(fd);
	}
	stop("create", 1);
}

static void stat_files(const char *name)
{
	struct stat st;

	start();
	for (int i = 0; i < FILES; i++)
		if (fstatat(root, name_of(i), &st, 0))
			die("stat");
	stop(name, 0);
}

static void read_directory(const char *name)
{
	int found = 0;
	DIR *dir;

	start();
	dir = fdopendir(openat(root, "f", O_RDONLY | O_DIRECTORY));
	if (!dir)
		die("opendir");
	while (readdir(dir))
		found++;
	closedir(dir);
	stop(name, 0);
	if (found != FILES + 2)
		die("readdir does not show every file");
}

static void rename_files(void)
{
	char to[32];

	start();
	for (int i = 0; i < FILES; i++) {
		snprintf(to, sizeof(to), "f/other%05d", i);
		if (renameat(root, name_of(i), root, to))
			die("rename");
	}
	stop("rename", 1);
	for (int i = 0; i < FILES; i++) {
		snprintf(to, sizeof(to), "f/other%05d", i);
		if (renameat(root, to, root, name_of(i)))
			die("rename back");
	}
}

static void unlink_files(void)
{
	start();
	for (int i = 0; i < FILES; i++)
		if (unlinkat(root, name_of(i), 0))
			die("unlink");
	stop("unlink", 1);
	if (unlinkat(root, "f", AT_REMOVEDIR))
		die("rmdir");
}

static int big_file(int flags)
{
	int fd = openat(root, "big", flags, 0644);

	if (fd < 0)
		die("open");
	return fd;
}

static void write_big(void)
{
	int fd = big_file(O_CREAT | O_TRUNC | O_WRONLY);

	start();
	for (int i = 0; i < MIB * (1 << 20) / CHUNK; i++)
		if (write(fd, buffer, CHUNK) != CHUNK)
			die("write");
	stop("write-sequential", 1);
	close(fd);
}

static void read_big(const char *name)
{
	int fd = big_file(O_RDONLY);

	start();
	for (int i = 0; i < MIB * (1 << 20) / CHUNK; i++)
		if (read(fd, buffer, CHUNK) != CHUNK)
			die("read");
	stop(name, 0);
	close(fd);
}

static void random_io(const char *name, int writes)
{
	int fd = big_file(O_RDWR);

	start();
	for (int i = 0; i < RANDOMS; i++) {
		off_t at = (off_t)(next_random() % (MIB * 256)) * 4096;
		ssize_t n = writes ? pwrite(fd, buffer, 4096, at) :
				     pread(fd, buffer, 4096, at);

		if (n != 4096)
			die(name);
	}
	stop(name, writes);
	close(fd);
}

static void fsync_appends(void)
{
	int fd = openat(root, "log", O_CREAT | O_WRONLY | O_APPEND, 0644);

	start();
	for (int i = 0; i < FSYNCS; i++)
		if (write(fd, buffer, 4096) != 4096 || fsync(fd))
			die("fsync");
	stop("fsync-append-4k", 0);
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: lakebench DIR\n");
		return 2;
	}
	root = open(argv[1], O_RDONLY | O_DIRECTORY);
	if (root < 0)
		die(argv[1]);
	for (int i = 0; i < CHUNK; i++)
		buffer[i] = (char)(next_random() >> 4);
	create_files();
	rename_files();
	drop_caches();
	stat_files("stat-cold");
	stat_files("stat-warm");
	drop_caches();
	read_directory("readdir-cold");
	read_directory("readdir-warm");
	unlink_files();
	write_big();
	drop_caches();
	read_big("read-sequential-cold");
	random_io("write-random-4k", 1);
	drop_caches();
	random_io("read-random-4k-cold", 0);
	fsync_appends();
	if (unlinkat(root, "big", 0) || unlinkat(root, "log", 0))
		die("unlink");
	return 0;
}
