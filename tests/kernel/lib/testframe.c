// SPDX-License-Identifier: MPL-2.0
#include "testframe.h"
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

char top_dir[PATH_MAX];
const char *test_name;
char test_dir[PATH_MAX + 64];
static int reason_fd;

void fail_at(const char *file, int line, const char *fmt, ...)
{
	const char *base = strrchr(file, '/');
	char text[512];
	va_list args;
	int n;

	n = snprintf(text, sizeof(text), "%s:%d: ", base ? base + 1 : file,
		     line);
	va_start(args, fmt);
	vsnprintf(text + n, sizeof(text) - n, fmt, args);
	va_end(args);
	if (write(reason_fd, text, strlen(text)) < 0)
		_exit(3);
	_exit(1);
}

void drop_caches(void)
{
	int fd;

	sync();
	fd = OK(open("/proc/sys/vm/drop_caches", O_WRONLY));
	OK(write(fd, "3\n", 2));
	close(fd);
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void run_child(const struct frame *frame, const struct test *t)
{
	alarm(frame->seconds);
	if (frame->begin)
		frame->begin();
	t->run();
	_exit(0);
}

/* Its status; what it said goes to reason. */
static int run_in_child(const struct frame *frame, const struct test *t,
			char *reason, size_t room)
{
	int fds[2], status, n;
	size_t got = 0;
	pid_t pid;

	if (pipe(fds)) {
		snprintf(reason, room, "pipe: %s", strerror(errno));
		return -1;
	}
	fflush(stdout);
	pid = fork();
	if (!pid) {
		close(fds[0]);
		reason_fd = fds[1];
		run_child(frame, t);
	}
	close(fds[1]);
	while (got < room - 1 &&
	       (n = read(fds[0], reason + got, room - 1 - got)) > 0)
		got += n;
	reason[got] = 0;
	close(fds[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

/* Returns true when it passed. */
static bool run_test(const struct frame *frame, const struct test *t)
{
	char reason[600] = "";
	int status;

	test_name = t->name;
	snprintf(test_dir, sizeof(test_dir), "%s/t-%s", top_dir, t->name);
	if (mkdir(test_dir, 0755)) {
		printf("fail %s: cannot begin: %s\n", t->name,
		       strerror(errno));
		return false;
	}
	status = run_in_child(frame, t, reason, sizeof(reason));
	if (!frame->keep &&
	    nftw(test_dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) && !status) {
		printf("fail %s: cannot remove its directory: %s\n", t->name,
		       strerror(errno));
		return false;
	}
	if (!status) {
		printf("pass %s\n", t->name);
		return true;
	}
	printf("fail %s: %s (status %x)\n", t->name, reason, status);
	return false;
}

static bool wanted(const struct frame *frame, const struct test *t)
{
	char *const *name = frame->names;

	if (t->alone && frame->no_alone)
		return false;
	if (!*name)
		return true;
	for (; *name; name++)
		if (!strncmp(t->name, *name, strlen(*name)))
			return true;
	return false;
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

int run_tests(const struct frame *frame)
{
	const struct test *const *list, *t;
	int passed = 0, failed = 0;
	long long begun;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (list = frame->lists; *list; list++)
		for (t = *list; t->name; t++) {
			if (!wanted(frame, t))
				continue;
			begun = now_ms();
			if (run_test(frame, t))
				passed++;
			else
				failed++;
			fprintf(stderr, "%6lld ms %s\n", now_ms() - begun,
				t->name);
		}
	fprintf(stderr, "%d passed, %d failed\n", passed, failed);
	return failed;
}
