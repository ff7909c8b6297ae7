// SPDX-License-Identifier: MPL-2.0
/* file handles, locks, many processes at once */
#include "vfstest.h"
#include <sys/file.h>
#include <sys/statvfs.h>

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

const struct test misc_tests[] = {
	{ "misc_handles", test_handles },
	{ "misc_locks", test_locks },
	{ "misc_statfs", test_statfs },
	{ "misc_storm", test_storm },
	{ NULL, NULL }
};
