// SPDX-License-Identifier: MPL-2.0
/*
 * What a row cost: time, processor time of everybody, requests of the device.
 * Processor time is read per thread from schedstat, which counts nanoseconds;
 * the totals of /proc/stat count ticks.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "bench.h"

#define TASKS	4096

struct task {
	int tid;
	int kernel;
	unsigned long long ns;
	char name[32];
};

struct device {
	unsigned long long reads, read_sectors, writes, write_sectors, flushes;
};

struct snapshot {
	int tasks;
	struct task task[TASKS];
	struct device device;
	unsigned long long own;
	struct timespec time;
};

static struct snapshot before, after;
static struct timespec program_end;
static const char *block_device;

static unsigned long long ns_of(const struct timespec *time)
{
	return time->tv_sec * 1000000000ull + time->tv_nsec;
}

static int read_text(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t length;

	if (!file)
		return 0;
	length = fread(text, 1, size - 1, file);
	text[length] = 0;
	fclose(file);
	return (int)length;
}

/* A thread may end at any moment: then it is left out. */
static void read_task(struct snapshot *to, const char *pid, const char *tid,
		      int kernel)
{
	struct task *task = &to->task[to->tasks];
	char path[600], text[64];

	snprintf(path, sizeof(path), "/proc/%s/task/%s/schedstat", pid, tid);
	if (to->tasks == TASKS || !read_text(path, text, sizeof(text)))
		return;
	task->tid = atoi(tid);
	task->kernel = kernel;
	task->ns = strtoull(text, NULL, 10);
	snprintf(path, sizeof(path), "/proc/%s/task/%s/comm", pid, tid);
	if (!read_text(path, task->name, sizeof(task->name)))
		return;
	task->name[strcspn(task->name, "\n")] = 0;
	to->tasks++;
}

/* Only kernel threads have no command line. */
static void read_process(struct snapshot *to, const char *pid)
{
	char path[300], text[16];
	struct dirent *entry;
	int kernel;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	kernel = !read_text(path, text, sizeof(text));
	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (isdigit(entry->d_name[0]))
			read_task(to, pid, entry->d_name, kernel);
	closedir(dir);
}

static void read_tasks(struct snapshot *to)
{
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	if (!dir)
		die("/proc");
	to->tasks = 0;
	while ((entry = readdir(dir)))
		if (isdigit(entry->d_name[0]) && atoi(entry->d_name) != getpid())
			read_process(to, entry->d_name);
	closedir(dir);
}

/* Fields of Documentation/block/stat.rst. */
static void read_device(struct device *to)
{
	unsigned long long field[17] = { 0 };
	char path[300], text[512], *at = text;

	if (!block_device)
		return;
	snprintf(path, sizeof(path), "/sys/block/%s/stat", block_device);
	if (!read_text(path, text, sizeof(text)))
		die(path);
	for (int i = 0; i < 17; i++)
		field[i] = strtoull(at, &at, 10);
	to->reads = field[0];
	to->read_sectors = field[2];
	to->writes = field[4];
	to->write_sectors = field[6];
	to->flushes = field[15];
}

/* Of this process and the children it waited for. */
static unsigned long long own_cpu(void)
{
	struct timespec now;
	struct rusage use;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) ||
	    getrusage(RUSAGE_CHILDREN, &use))
		die("own processor time");
	return ns_of(&now) +
	       (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000000ull +
	       (use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1000ull;
}

void meter_init(const char *device)
{
	block_device = device;
}

/*
 * The no-op is for tests/bench/profile: its instrument counts between the two
 * kinds. (0x4c4b0001 and 0x4c4b0002 are displacements that nobody uses.)
 */
void meter_start(void)
{
	read_device(&before.device);
	read_tasks(&before);
	before.own = own_cpu();
	asm volatile("nopl 0x4c4b0001(%rax)");
	clock_gettime(CLOCK_MONOTONIC, &before.time);
}

void meter_program_done(void)
{
	clock_gettime(CLOCK_MONOTONIC, &program_end);
}

static unsigned long long since(const struct task *task)
{
	for (int i = 0; i < before.tasks; i++)
		if (before.task[i].tid == task->tid)
			return task->ns - before.task[i].ns;
	return task->ns;
}

static int busier(const void *a, const void *b)
{
	unsigned long long x = since(a), y = since(b);

	return x < y ? 1 : x > y ? -1 : 0;
}

static void print_threads(const char *row)
{
	qsort(after.task, after.tasks, sizeof(after.task[0]), busier);
	for (int i = 0; i < after.tasks && i < 8; i++)
		if (since(&after.task[i]))
			printf("thread %s %s %d %llu %s\n", row,
			       after.task[i].kernel ? "kernel" : "daemon",
			       after.task[i].tid, since(&after.task[i]),
			       after.task[i].name);
}

void meter_stop(const struct row *row, long count, int threads)
{
	unsigned long long daemon = 0, kernel = 0;
	const struct device *a = &after.device, *b = &before.device;

	clock_gettime(CLOCK_MONOTONIC, &after.time);
	asm volatile("nopl 0x4c4b0002(%rax)");
	after.own = own_cpu();
	read_tasks(&after);
	read_device(&after.device);
	for (int i = 0; i < after.tasks; i++)
		*(after.task[i].kernel ? &kernel : &daemon) +=
			since(&after.task[i]);
	printf("row %s ops %ld ns %llu program_ns %llu cpu_program %llu "
	       "cpu_daemon %llu cpu_kernel %llu reads %llu read_bytes %llu "
	       "writes %llu write_bytes %llu flushes %llu\n",
	       row->name, count, ns_of(&after.time) - ns_of(&before.time),
	       ns_of(&program_end) - ns_of(&before.time),
	       after.own - before.own, daemon, kernel, a->reads - b->reads,
	       (a->read_sectors - b->read_sectors) * 512,
	       a->writes - b->writes,
	       (a->write_sectors - b->write_sectors) * 512,
	       a->flushes - b->flushes);
	if (threads)
		print_threads(row->name);
	fflush(stdout);
}
