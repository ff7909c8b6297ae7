// SPDX-License-Identifier: MPL-2.0
/*
 * lakebench [-d BLOCKDEVICE] [-s SYNCDIR] [-n N] [-t] [-q] DIR [ROW...]
 * Runs the rows whose names begin with one of the given words (without any, all
 * that are not extra) and prints a line of figures for each. -s names a filesystem below that
 * is to be synced too; -n divides the number of operations; -t adds the threads that used processor time; -q leaves
 * the warm-up out.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench.h"

int bench_root;
const char *bench_root_path;

static int lower_root = -1;
static long divisor = 1;

static const struct row *const tables[] = {
	name_rows, list_rows, data_rows, tree_rows,
};

void die(const char *what)
{
	fprintf(stderr, "lakebench: %s: %s\n", what, strerror(errno));
	exit(1);
}

uint32_t next_random(void)
{
	static uint32_t state = 1;

	state = state * 1664525u + 1013904223u;
	return state >> 8;
}

void sync_root(void)
{
	if (syncfs(bench_root) || (lower_root >= 0 && syncfs(lower_root)))
		die("syncfs");
}

void settle(void)
{
	sync_root();
	sleep(7);
	sync_root();
	sleep(1);
}

void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	if (fd < 0 || write(fd, "3", 1) != 1)
		die("drop_caches");
	close(fd);
	sleep(1);
}

void run_command(const char *command)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		if (fchdir(bench_root))
			die("fchdir");
		execl("/bin/sh", "sh", "-c", command, NULL);
		die("sh");
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	if (status) {
		fprintf(stderr, "lakebench: %s: status %#x\n", command, status);
		exit(1);
	}
}

static int chosen(const struct row *row, char **words)
{
	if (!*words)
		return !(row->flags & ROW_EXTRA);
	for (; *words; words++)
		if (!strncmp(row->name, *words, strlen(*words)))
			return 1;
	return 0;
}

static void run_row(const struct row *row, int measure, int threads)
{
	long full = (row->count + divisor - 1) / divisor;
	long count = measure ? full : (full + 9) / 10;

	if (row->prepare)
		row->prepare(count);
	if (measure)
		settle();
	else
		sync_root();
	if (row->flags & ROW_COLD)
		drop_caches();
	if (measure)
		meter_start();
	row->body(count);
	if (measure)
		meter_program_done();
	if (row->flags & ROW_SYNC)
		sync_root();
	if (measure)
		meter_stop(row, count, threads);
	if (row->finish)
		row->finish(count);
}

static void run_tables(char **words, int measure, int threads)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const struct row *row = tables[t]; row->name; row++)
			if (chosen(row, words))
				run_row(row, measure, threads);
}

int main(int argc, char **argv)
{
	int threads = 0, quick = 0, option;
	const char *device = NULL;

	while ((option = getopt(argc, argv, "d:s:n:tq")) != -1) {
		switch (option) {
		case 'd':
			device = optarg;
			break;
		case 's':
			lower_root = open(optarg, O_RDONLY | O_DIRECTORY);
			if (lower_root < 0)
				die(optarg);
			break;
		case 'n':
			divisor = atol(optarg);
			break;
		case 't':
			threads = 1;
			break;
		case 'q':
			quick = 1;
			break;
		default:
			return 2;
		}
	}
	if (optind == argc || divisor < 1) {
		fprintf(stderr,
			"usage: lakebench [-d DEVICE] [-s SYNCDIR] [-n N] [-t] "
			"[-q] DIR [ROW...]\n");
		return 2;
	}
	bench_root_path = argv[optind];
	bench_root = open(bench_root_path, O_RDONLY | O_DIRECTORY);
	if (bench_root < 0)
		die(bench_root_path);
	meter_init(device);
	/* Twice: a daemon's compiler works on what was called often enough. */
	for (int i = quick ? 2 : 0; i < 2; i++) {
		run_tables(argv + optind + 1, 0, 0);
		settle();
	}
	run_tables(argv + optind + 1, 1, threads);
	return 0;
}
