// SPDX-License-Identifier: MPL-2.0
/*
 * vfstest DIR [NAME...]: runs all tests (or those whose names begin with one
 * of NAME) in DIR. One line each on standard output, "pass NAME" or
 * "fail NAME: reason"; exit status 1 when any failed. With VFSTEST_TIMES set
 * the time of each goes to standard error; with VFSTEST_KEEP set what the
 * tests made stays.
 */
#include "vfstest.h"
#include <ftw.h>
#include <grp.h>
#include <stdarg.h>
#include <sys/vfs.h>
#include <time.h>

enum fs_kind fs_kind;
char top_dir[PATH_MAX];
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

void forget(void)
{
	int fd;

	sync();
	fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	if (fd < 0)
		fail_at(__FILE__, __LINE__, "drop_caches: %s", strerror(errno));
	OK(write(fd, "3\n", 2));
	close(fd);
}

void as_user(uid_t uid, gid_t gid, void (*fn)(void))
{
	pid_t pid = OK(fork());
	int status;

	if (!pid) {
		if (setgroups(0, NULL) || setresgid(gid, gid, gid) ||
		    setresuid(uid, uid, uid))
			fail_at(__FILE__, __LINE__, "setuid: %s",
				strerror(errno));
		fn();
		_exit(0);
	}
	OK(waitpid(pid, &status, 0));
	if (status)
		_exit(1);	/* the child has told why */
}

void put_file(const char *path, const char *text)
{
	int fd = OK(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));

	EQ(write(fd, text, strlen(text)), strlen(text));
	OK(close(fd));
}

int count_names(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *de;
	int n = 0;

	CHECK(d);
	while ((de = readdir(d)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			n++;
	closedir(d);
	return n;
}

struct stat stat_of(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		fail_at(__FILE__, __LINE__, "lstat %s: %s", path,
			strerror(errno));
	return st;
}

void tick(void)
{
	/* the kernel's coarse clock moves with its timer, up to 10 ms */
	struct timespec t = { .tv_nsec = 25000000 };

	nanosleep(&t, NULL);
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

/* Returns true when it passed. */
static bool run_test(const struct test *t)
{
	char dir[PATH_MAX + 64], reason[600];
	int fds[2], status, got = 0, n;
	pid_t pid;

	snprintf(dir, sizeof(dir), "%s/t-%s", top_dir, t->name);
	if (mkdir(dir, 0755) || pipe(fds)) {
		printf("fail %s: cannot begin: %s\n", t->name,
		       strerror(errno));
		return false;
	}
	fflush(stdout);
	pid = fork();
	if (!pid) {
		close(fds[0]);
		reason_fd = fds[1];
		if (chdir(dir))
			_exit(2);
		umask(022);
		alarm(300);
		t->run();
		_exit(0);
	}
	close(fds[1]);
	while (got < (int)sizeof(reason) - 1 &&
	       (n = read(fds[0], reason + got, sizeof(reason) - 1 - got)) > 0)
		got += n;
	reason[got] = 0;
	close(fds[0]);
	waitpid(pid, &status, 0);
	if (!getenv("VFSTEST_KEEP") &&
	    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) && !status) {
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

static bool wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strncmp(name, *names, strlen(*names)))
			return true;
	return false;
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

static bool timed_test(const struct test *t)
{
	long long start = now_ms();
	bool passed = run_test(t);

	if (getenv("VFSTEST_TIMES"))
		fprintf(stderr, "%6lld ms %s\n", now_ms() - start, t->name);
	return passed;
}

int main(int argc, char **argv)
{
	static const struct test *const all[] = {
		name_tests, rename_tests, attr_tests, perm_tests, xattr_tests,
		dir_tests, misc_tests, NULL
	};
	const struct test *const *list, *t;
	int passed = 0, failed = 0;
	struct statfs sf;

	if (argc == 3 && !strcmp(argv[1], "--list"))
		return list_tree(argv[2]) ? 1 : 0;
	if (argc < 2 || !realpath(argv[1], top_dir) || statfs(top_dir, &sf)) {
		fprintf(stderr, "usage: vfstest DIR [NAME...]\n");
		return 2;
	}
	fs_kind = sf.f_type == 0xef53 ? FS_EXT :
		  sf.f_type == 0x01021994 ? FS_TMPFS :
		  sf.f_type == 0x4c414b45 ? FS_LAKE : FS_OTHER;
	chmod(top_dir, 0755);
	for (list = all; *list; list++)
		for (t = *list; t->name; t++)
			if (wanted(t->name, argv + 2)) {
				if (timed_test(t))
					passed++;
				else
					failed++;
			}
	fprintf(stderr, "%d passed, %d failed\n", passed, failed);
	return failed ? 1 : 0;
}
