// SPDX-License-Identifier: MPL-2.0
/*
 * vfstest DIR [NAME...]: runs all tests (or those whose names begin with one
 * of NAME) in DIR. One line each on standard output, "pass NAME" or
 * "fail NAME: reason"; exit status 1 when any failed. With VFSTEST_KEEP set
 * what the tests made stays.
 */
#include "vfstest.h"
#include <grp.h>
#include <sys/vfs.h>
#include <time.h>

enum fs_kind fs_kind;

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
	struct timespec t = { .tv_nsec = 25000000 }, before, now;

	clock_gettime(CLOCK_REALTIME_COARSE, &before);
	/* and later where the processor that minds it gets no time */
	do {
		nanosleep(&t, NULL);
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	} while (now.tv_sec == before.tv_sec && now.tv_nsec == before.tv_nsec);
}

static void begin(void)
{
	if (chdir(test_dir))
		_exit(2);
	umask(022);
}

int main(int argc, char **argv)
{
	static const struct test *const all[] = {
		name_tests, rename_tests, attr_tests, perm_tests, xattr_tests,
		dir_tests, misc_tests, cache_tests, NULL
	};
	struct frame frame = {
		.lists = all, .names = argv + 2, .seconds = 300,
		.keep = getenv("VFSTEST_KEEP"), .begin = begin,
	};
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
	return run_tests(&frame) ? 1 : 0;
}
