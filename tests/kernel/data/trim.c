// SPDX-License-Identifier: MPL-2.0
/* FITRIM: the device forgets what is free, and nothing that is not. */
#include "datatest.h"
#include <linux/fs.h>
#include <signal.h>
#include <sys/ioctl.h>

#define FILE_BYTES	(600 * BLOCK)

static uint64_t trim(uint64_t start, uint64_t len, uint64_t min)
{
	struct fstrim_range range = { .start = start, .len = len,
				      .minlen = min };
	int dir = OK(open(path(""), O_RDONLY | O_DIRECTORY));

	OK(ioctl(dir, FITRIM, &range));
	close(dir);
	return range.len;
}

static int make(const char *name, uint64_t seed)
{
	int fd = OK(open(path(name), O_RDWR | O_CREAT | O_TRUNC, 0644));

	put_pattern(fd, 0, FILE_BYTES, seed);
	return fd;
}

/* files come and go and are written again while free blocks are discarded */
static void churn(void)
{
	for (int i = 0; ; i++) {
		char name[16];
		int fd;

		sprintf(name, "churn%d", i % 7);
		fd = make(name, i);
		if (i % 3 == 0)
			OK(fsync(fd));
		if (i % 5 == 0)
			OK(unlink(path(name)));
		OK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
		check_pattern(fd, 0, FILE_BYTES, i);
		put_pattern(fd, 10 * BLOCK, 5 * BLOCK, i);
		close(fd);
	}
}

static void trim_free(void)
{
	int a = make("a", 1), b = make("b", 2), status;
	pid_t pid;

	close(make("c", 3));
	OK(unlink(path("c")));
	sync();
	CHECK(trim(0, UINT64_MAX, 0) > 0);
	pid = OK(fork());
	if (!pid)
		churn();
	for (int i = 0; i < 12; i++) {
		trim(0, UINT64_MAX, i % 3 ? BLOCK : 64 * BLOCK);
		usleep(50000);
		if (i % 4 == 0)
			drop_caches();
	}
	OK(kill(pid, SIGKILL));
	OK(waitpid(pid, &status, 0));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	trim(0, UINT64_MAX, 0);
	drop_caches();
	check_pattern(a, 0, FILE_BYTES, 1);
	check_pattern(b, 0, FILE_BYTES, 2);
	close(a);
	close(b);
}

static void trim_limits(void)
{
	struct fstrim_range beyond = { .start = 1ull << 50, .len = 1 << 20 };
	/* rounding it up to a block wrapped, and all was trimmed */
	struct fstrim_range last = { .start = UINT64_MAX, .len = UINT64_MAX };
	struct fstrim_range nothing = { .len = 100 };
	struct fstrim_range huge = { .len = UINT64_MAX,
				     .minlen = 1ull << 50 };
	int dir = OK(open(path(""), O_RDONLY | O_DIRECTORY));

	ERR(ioctl(dir, FITRIM, &beyond), EINVAL);
	ERR(ioctl(dir, FITRIM, &last), EINVAL);
	ERR(ioctl(dir, FITRIM, &nothing), EINVAL);
	ERR(ioctl(dir, FITRIM, &huge), EINVAL);
	ERR(ioctl(dir, FITRIM, NULL), EFAULT);
	close(dir);
}

const struct test trim_tests[] = {
	{ "trim_free", trim_free, false },
	{ "trim_limits", trim_limits, false },
	{ NULL, NULL, false }
};
