// SPDX-License-Identifier: MPL-2.0
/* file handles, locks, many processes at once */
#include "vfstest.h"
#include <sys/file.h>
#include <sys/statvfs.h>
#include <time.h>

union handle {
	struct file_handle h;
	char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
};

static int handle_of(const char *path, union handle *h)
{
	int mount_id;

	h->h.handle_bytes = MAX_HANDLE_SZ;
	return name_to_handle_at(AT_FDCWD, path, &h->h, &mount_id, 0);
}

static void test_handles(void)
{
	union handle file, dir, sub, gone;
	struct stat st;
	int fd, mnt;

	OK(mkdir("d", 0755));
	OK(mkdir("d/e", 0755));
	put_file("d/e/f", "handle");
	put_file("gone", "");
	OK(handle_of("d/e/f", &file));
	OK(handle_of("d", &dir));
	OK(handle_of("d/e", &sub));
	OK(handle_of("gone", &gone));
	file.h.handle_bytes = 0;
	ERR(name_to_handle_at(AT_FDCWD, "d/e/f", &file.h, &mnt, 0), EOVERFLOW);
	OK(handle_of("d/e/f", &file));
	OK(unlink("gone"));
	drop_caches();
	mnt = OK(open(".", O_RDONLY));
	fd = OK(open_by_handle_at(mnt, &file.h, O_RDONLY));
	OK(fstat(fd, &st));
	EQ(st.st_size, 6);
	close(fd);
	drop_caches();
	fd = OK(open_by_handle_at(mnt, &sub.h, O_RDONLY));
	OK(fstatat(fd, "f", &st, 0));
	EQ(st.st_size, 6);
	OK(fstatat(fd, "..", &st, 0));
	EQ(st.st_ino, stat_of("d").st_ino);
	close(fd);
	OK(rename("d/e/f", "moved"));	/* handles are not names */
	fd = OK(open_by_handle_at(mnt, &file.h, O_RDWR));
	close(fd);
	ERR(open_by_handle_at(mnt, &gone.h, O_RDONLY), ESTALE);
	OK(rmdir("d/e"));
	OK(rmdir("d"));
	drop_caches();
	ERR(open_by_handle_at(mnt, &dir.h, O_RDONLY), ESTALE);
	close(mnt);
}

static void test_locks(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd, fd2, status;

	put_file("f", "x");
	fd = OK(open("f", O_RDWR));
	fd2 = OK(open("f", O_RDWR));
	OK(flock(fd, LOCK_EX));
	ERR(flock(fd2, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	OK(flock(fd, LOCK_UN));
	OK(fcntl(fd, F_SETLK, &lock));
	if (!OK(fork())) {
		ERR(fcntl(fd2, F_SETLK, &lock), EAGAIN);
		_exit(0);
	}
	OK(wait(&status));
	EQ(status, 0);
}

static void test_statfs(void)
{
	struct statvfs sv;

	OK(statvfs(".", &sv));
	EQ(sv.f_namemax, 255);
	CHECK(sv.f_blocks >= sv.f_bfree && sv.f_bfree >= sv.f_bavail);
	CHECK(sv.f_blocks > 0);
}

/* ---- many at once -------------------------------------------------------- */

static unsigned int next_random(unsigned int *state)
{
	*state = *state * 1103515245 + 12345;
	return *state >> 8;
}

/* only errors that another's operations explain are allowed */
static void expect(int ret, const char *what)
{
	switch (ret < 0 ? errno : 0) {
	case 0:
	case ENOENT:
	case EEXIST:
	case ENOTEMPTY:
	case ENOTDIR:
	case EISDIR:
	case EINVAL:
	case ELOOP:
	case EBUSY:
		return;
	default:
		fail_at(__FILE__, __LINE__, "%s: %s", what, strerror(errno));
	}
}

static void storm(unsigned int seed, int rounds)
{
	char a[32], b[32];
	int i, fd;

	for (i = 0; i < rounds; i++) {
		snprintf(a, sizeof(a), "d%u/n%u", next_random(&seed) % 3,
			 next_random(&seed) % 8);
		snprintf(b, sizeof(b), "d%u/n%u", next_random(&seed) % 3,
			 next_random(&seed) % 8);
		switch (next_random(&seed) % 12) {
		case 0:
		case 1:
			fd = open(a, O_CREAT | O_RDWR, 0644);
			expect(fd, "create");
			if (fd >= 0) {
				expect(write(fd, b, 5), "write");
				close(fd);
			}
			break;
		case 2:
			expect(mkdir(a, 0755), "mkdir");
			break;
		case 3:
			expect(symlink(b, a), "symlink");
			break;
		case 4:
			expect(link(a, b) && errno != EPERM ? -1 : 0, "link");
			break;
		case 5:
			expect(unlink(a), "unlink");
			break;
		case 6:
			expect(rmdir(a), "rmdir");
			break;
		case 7:
			expect(rename(a, b), "rename");
			break;
		case 8:
			expect(renameat2(AT_FDCWD, a, AT_FDCWD, b,
					 RENAME_EXCHANGE), "exchange");
			break;
		case 9:
			expect(chmod(a, 0600 + next_random(&seed) % 64),
			       "chmod");
			break;
		case 10:
			expect(truncate(a, next_random(&seed) % 9000),
			       "truncate");
			break;
		default:
			expect(access(a, F_OK), "access");
		}
	}
}

/* What the tree says of itself: link counts, entries, readable names */
static void check_tree(void)
{
	char path[300];
	struct dirent *de;
	struct stat st;
	int i, subdirs;
	DIR *d;

	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "d%d", i);
		st = stat_of(path);
		d = opendir(path);
		CHECK(d);
		subdirs = 0;
		while ((de = readdir(d))) {
			if (de->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "d%d/%s", i, de->d_name);
			EQ(stat_of(path).st_ino, de->d_ino);
			if (S_ISDIR(stat_of(path).st_mode))
				subdirs++;
			CHECK(stat_of(path).st_nlink >= 1);
		}
		closedir(d);
		EQ(st.st_nlink, 2 + subdirs);
	}
}

static void test_storm(void)
{
	int i, status;

	for (i = 0; i < 3; i++) {
		char name[8];

		snprintf(name, sizeof(name), "d%d", i);
		OK(mkdir(name, 0755));
	}
	for (i = 0; i < 4; i++)
		if (!OK(fork())) {
			storm(i * 77 + 1, 1500);
			_exit(0);
		}
	if (!OK(fork())) {
		for (i = 0; i < 5; i++)
			drop_caches();
		_exit(0);
	}
	for (i = 0; i < 5; i++) {
		OK(wait(&status));
		if (status)
			_exit(1);
	}
	check_tree();
	drop_caches();
	check_tree();
}

/* how often the threads that serve the mount have gone to sleep; -1: none */
static long daemon_sleeps(void)
{
	char path[300], line[128];
	long sum = -1, n;
	struct dirent *de;
	DIR *d = opendir("/proc");

	CHECK(d);
	while ((de = readdir(d))) {
		DIR *tasks;
		struct dirent *task;

		snprintf(path, sizeof(path), "/proc/%.20s/task", de->d_name);
		tasks = opendir(path);
		while (tasks && (task = readdir(tasks))) {
			bool serves = false;
			FILE *f;

			snprintf(path, sizeof(path),
				 "/proc/%.20s/task/%.20s/status",
				 de->d_name, task->d_name);
			f = fopen(path, "r");
			while (f && fgets(line, sizeof(line), f)) {
				if (!strncmp(line, "Name:\tfakelaked", 15) ||
				    !strncmp(line, "Name:\tlake ", 11))
					serves = true;
				if (serves && sscanf(line,
						"voluntary_ctxt_switches: %ld",
						&n) == 1)
					sum = (sum < 0 ? 0 : sum) + n;
			}
			if (f)
				fclose(f);
		}
		if (tasks)
			closedir(tasks);
	}
	closedir(d);
	return sum;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/*
 * Records that nobody waits for reach the daemon some milliseconds at a time,
 * also when the ring has been through its end: it is not woken for each.
 */
static void test_batches(void)
{
	long before = -1, slept, began, ms;
	int i;

	if (fs_kind != FS_LAKE)
		return;
	put_file("f", "");
	/* one that died is replaced soon */
	for (i = 0; i < 100 && (before = daemon_sleeps()) < 0; i++)
		usleep(100000);
	CHECK(before >= 0);
	began = now_ms();
	for (i = 0; i < 8000; i++) {
		OK(chmod("f", i & 1 ? 0644 : 0600));
		usleep(50);		/* time enough to take one and sleep */
	}
	ms = now_ms() - began;
	slept = daemon_sleeps() - before;
	/* the bell rings each 4 ms at most; a daemon that died starts anew */
	CHECK(slept <= ms / 2 + 200);
}

const struct test misc_tests[] = {
	{ "misc_batches", test_batches },
	{ "misc_handles", test_handles },
	{ "misc_locks", test_locks },
	{ "misc_statfs", test_statfs },
	{ "misc_storm", test_storm },
	{ NULL, NULL }
};
