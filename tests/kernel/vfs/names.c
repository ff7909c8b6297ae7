// SPDX-License-Identifier: MPL-2.0
/* creating and removing names of every kind */
#include "vfstest.h"
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

static char long_name[300];

static const char *name_of(int bytes)
{
	memset(long_name, 'n', bytes);
	long_name[bytes] = 0;
	return long_name;
}

static void test_open_errors(void)
{
	put_file("f", "x");
	OK(mkdir("d", 0755));
	ERR(open("none", O_RDONLY), ENOENT);
	ERR(open("none/x", O_CREAT | O_RDWR, 0644), ENOENT);
	ERR(open("f/x", O_CREAT | O_RDWR, 0644), ENOTDIR);
	ERR(open("f", O_CREAT | O_EXCL | O_RDWR, 0644), EEXIST);
	ERR(open("d", O_RDWR), EISDIR);
	ERR(open("d", O_CREAT | O_RDONLY, 0644), EISDIR);
	ERR(open("new/", O_CREAT | O_RDWR, 0644), EISDIR);
	ERR(open("f", O_DIRECTORY | O_RDONLY), ENOTDIR);
	ERR(open("", O_RDONLY), ENOENT);
	OK(symlink("f", "l"));
	ERR(open("l", O_NOFOLLOW | O_RDONLY), ELOOP);
	ERR(open("l", O_CREAT | O_EXCL | O_RDWR, 0644), EEXIST);
	EQ(count_names("."), 3);
}

static void test_name_lengths(void)
{
	ERR(open(name_of(256), O_CREAT | O_RDWR, 0644), ENAMETOOLONG);
	ERR(mkdir(name_of(256), 0755), ENAMETOOLONG);
	ERR(unlink(name_of(256)), ENAMETOOLONG);
	ERR(access(name_of(256), F_OK), ENAMETOOLONG);
	put_file(name_of(255), "long");
	OK(mkdir(name_of(254), 0755));
	OK(symlink("x", name_of(253)));
	OK(link(name_of(255), "short"));
	ERR(rename("short", name_of(256)), ENAMETOOLONG);
	drop_caches();
	EQ(stat_of(name_of(255)).st_nlink, 2);
	OK(unlink(name_of(255)));
	OK(rmdir(name_of(254)));
	OK(unlink(name_of(253)));
	EQ(count_names("."), 1);
}

static void test_odd_names(void)
{
	static const char *const odd[] = {
		"\xff\xfe", "a b\nc", "...", "-", "\\", "*", "\xc3\xa4",
		"\x01", "~", "a@b", ".lake", NULL
	};
	int i;

	for (i = 0; odd[i]; i++)
		put_file(odd[i], odd[i]);
	drop_caches();
	EQ(count_names("."), i);
	for (i = 0; odd[i]; i++) {
		EQ(stat_of(odd[i]).st_size, strlen(odd[i]));
		OK(unlink(odd[i]));
		ERR(access(odd[i], F_OK), ENOENT);
	}
	EQ(count_names("."), 0);
}

static void test_negative_names(void)
{
	int i;

	for (i = 0; i < 3; i++)
		ERR(access("x", F_OK), ENOENT);
	put_file("x", "1");
	OK(access("x", F_OK));
	OK(unlink("x"));
	ERR(access("x", F_OK), ENOENT);
	drop_caches();
	ERR(access("x", F_OK), ENOENT);
	OK(mkdir("x", 0755));
	CHECK(S_ISDIR(stat_of("x").st_mode));
	OK(rmdir("x"));
	ERR(access("x", F_OK), ENOENT);
}

static void test_mkdir(void)
{
	struct stat st;

	put_file("f", "");
	EQ(stat_of(".").st_nlink, 2);
	OK(mkdir("d", 0777));
	st = stat_of("d");
	EQ(st.st_mode, S_IFDIR | 0755);
	EQ(st.st_nlink, 2);
	EQ(stat_of(".").st_nlink, 3);
	ERR(mkdir("d", 0755), EEXIST);
	ERR(mkdir("f", 0755), EEXIST);
	ERR(mkdir("f/x", 0755), ENOTDIR);
	ERR(mkdir("none/x", 0755), ENOENT);
	OK(mkdir("d/e", 0700));
	OK(mkdir("d/e/f", 01777));
	EQ(stat_of("d/e/f").st_mode, S_IFDIR | 01755);
	drop_caches();
	EQ(stat_of(".").st_nlink, 3);
	EQ(stat_of("d").st_nlink, 3);
	EQ(stat_of("d/e").st_nlink, 3);
	EQ(stat_of("d/e/f").st_nlink, 2);
	EQ(stat_of("d/e/..").st_ino, stat_of("d").st_ino);
}

static void test_rmdir(void)
{
	put_file("f", "");
	OK(mkdir("d", 0755));
	put_file("d/f", "");
	ERR(rmdir("none"), ENOENT);
	ERR(rmdir("f"), ENOTDIR);
	ERR(rmdir("d"), ENOTEMPTY);
	ERR(rmdir("d/."), EINVAL);
	ERR(rmdir("d/.."), ENOTEMPTY);
	ERR(unlink("d"), EISDIR);
	drop_caches();
	ERR(rmdir("d"), ENOTEMPTY);	/* known without reading it */
	OK(unlink("d/f"));
	EQ(stat_of(".").st_nlink, 3);
	OK(rmdir("d"));
	EQ(stat_of(".").st_nlink, 2);
	ERR(rmdir("d"), ENOENT);
}

static void test_removed_dir(void)
{
	struct stat st;
	int fd;

	OK(mkdir("d", 0755));
	fd = OK(open("d", O_RDONLY | O_DIRECTORY));
	OK(rmdir("d"));
	OK(fstat(fd, &st));
	EQ(st.st_nlink, 0);
	ERR(openat(fd, "x", O_CREAT | O_RDWR, 0644), ENOENT);
	ERR(mkdirat(fd, "x", 0755), ENOENT);
	ERR(faccessat(fd, "x", F_OK, 0), ENOENT);
	OK(fsync(fd));
	drop_caches();
	OK(mkdir("d", 0755));
	CHECK(stat_of("d").st_ino != st.st_ino);
	OK(close(fd));
}

static void test_unlink(void)
{
	char buf[8];
	struct stat st;
	int fd;

	put_file("f", "content");
	ERR(unlink("none"), ENOENT);
	ERR(unlink("f/x"), ENOTDIR);
	fd = OK(open("f", O_RDWR));
	OK(unlink("f"));
	ERR(access("f", F_OK), ENOENT);
	OK(fstat(fd, &st));
	EQ(st.st_nlink, 0);
	drop_caches();
	EQ(pread(fd, buf, 8, 0), 7);
	CHECK(!memcmp(buf, "content", 7));
	EQ(pwrite(fd, "more", 4, 7), 4);
	OK(fsync(fd));
	OK(fchmod(fd, 0600));
	OK(ftruncate(fd, 3));
	OK(fstat(fd, &st));
	EQ(st.st_size, 3);
	EQ(st.st_mode, S_IFREG | 0600);
	put_file("f", "another");
	CHECK(stat_of("f").st_ino != st.st_ino);
	OK(close(fd));
}

static void test_link(void)
{
	struct stat before, after;
	char path[64];
	int fd;

	put_file("f", "x");
	OK(mkdir("d", 0755));
	before = stat_of("f");
	tick();
	OK(link("f", "d/g"));
	after = stat_of("d/g");
	EQ(after.st_ino, before.st_ino);
	EQ(after.st_nlink, 2);
	CHECK(after.st_ctim.tv_sec > before.st_ctim.tv_sec ||
	      after.st_ctim.tv_nsec > before.st_ctim.tv_nsec);
	EQ(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	ERR(link("f", "d/g"), EEXIST);
	ERR(link("f", "d"), EEXIST);
	ERR(link("d", "e"), EPERM);
	ERR(link("none", "e"), ENOENT);
	ERR(link("f", "none/e"), ENOENT);
	ERR(link("f", "f/e"), ENOTDIR);
	OK(symlink("f", "l"));
	OK(link("l", "l2"));
	EQ(stat_of("l").st_nlink, 2);
	CHECK(S_ISLNK(stat_of("l2").st_mode));
	drop_caches();
	EQ(stat_of("f").st_nlink, 2);
	EQ(stat_of("f").st_ino, stat_of("d/g").st_ino);
	OK(unlink("f"));
	EQ(stat_of("d/g").st_nlink, 1);
	fd = OK(open("d/g", O_RDWR));
	OK(unlink("d/g"));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ERR(linkat(AT_FDCWD, path, AT_FDCWD, "back", AT_SYMLINK_FOLLOW),
	    ENOENT);
	close(fd);
}

static void test_symlink(void)
{
	static char target[4200], got[4200];
	int i;

	put_file("f", "x");
	OK(symlink("f", "l"));
	EQ(stat_of("l").st_mode, S_IFLNK | 0777);
	EQ(stat_of("l").st_size, 1);
	EQ(stat_of("l").st_nlink, 1);
	ERR(symlink("f", "l"), EEXIST);
	ERR(symlink("", "e"), ENOENT);
	ERR(symlink("f", "none/l"), ENOENT);
	ERR(readlink("f", got, sizeof(got)), EINVAL);
	OK(symlink("loop", "loop"));
	ERR(open("loop", O_RDONLY), ELOOP);
	OK(symlink("none", "dangling"));
	ERR(open("dangling", O_RDONLY), ENOENT);
	for (i = 0; i < 4095; i++)
		target[i] = i % 10 ? 'a' + i % 26 : '/';
	target[4095] = 'x';
	ERR(symlink(target, "too-long"), ENAMETOOLONG);
	target[4095] = 0;
	OK(symlink(target, "long"));
	drop_caches();
	EQ(readlink("long", got, sizeof(got)), 4095);
	CHECK(!memcmp(target, got, 4095));
	EQ(stat_of("long").st_size, 4095);
	EQ(readlink("l", got, sizeof(got)), 1);
	EQ(readlink("long", got, 10), 10);
	OK(open("l", O_RDONLY));
	OK(unlink("l"));
	OK(access("f", F_OK));
}

static void test_mknod(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "s" };
	dev_t big = makedev(0xabc, 0x12345);
	int fd;

	OK(mkfifo("p", 0640));
	OK(mknod("c", S_IFCHR | 0600, makedev(1, 3)));
	OK(mknod("b", S_IFBLK | 0660, big));
	OK(mknod("r", S_IFREG | 0644, 0));
	fd = OK(socket(AF_UNIX, SOCK_STREAM, 0));
	OK(bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
	ERR(mknod("d", S_IFDIR | 0755, 0), EPERM);
	ERR(mkfifo("p", 0640), EEXIST);
	close(fd);
	drop_caches();
	EQ(stat_of("p").st_mode, S_IFIFO | 0640);
	EQ(stat_of("c").st_mode, S_IFCHR | 0600);
	EQ(stat_of("c").st_rdev, makedev(1, 3));
	EQ(stat_of("b").st_mode, S_IFBLK | 0640);
	EQ(stat_of("b").st_rdev, big);
	EQ(stat_of("s").st_mode, S_IFSOCK | 0755);
	EQ(stat_of("r").st_mode, S_IFREG | 0644);
	fd = OK(open("c", O_RDWR));	/* the null device */
	EQ(write(fd, "x", 1), 1);
	close(fd);
}

static void test_tmpfile(void)
{
	char path[64];
	struct stat st;
	int fd;

	fd = OK(open(".", O_TMPFILE | O_RDWR, 0640));
	OK(fstat(fd, &st));
	EQ(st.st_nlink, 0);
	EQ(st.st_mode, S_IFREG | 0640);
	EQ(count_names("."), 0);
	EQ(write(fd, "temporary", 9), 9);
	OK(fsync(fd));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	OK(linkat(AT_FDCWD, path, AT_FDCWD, "kept", AT_SYMLINK_FOLLOW));
	OK(fstat(fd, &st));
	EQ(st.st_nlink, 1);
	close(fd);
	drop_caches();
	EQ(stat_of("kept").st_ino, st.st_ino);
	EQ(stat_of("kept").st_size, 9);
	OK(unlink("kept"));
	fd = OK(open(".", O_TMPFILE | O_RDWR | O_EXCL, 0640));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ERR(linkat(AT_FDCWD, path, AT_FDCWD, "no", AT_SYMLINK_FOLLOW), ENOENT);
	close(fd);
	/* linked, unlinked and used on */
	fd = OK(open(".", O_TMPFILE | O_RDWR, 0640));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	OK(linkat(AT_FDCWD, path, AT_FDCWD, "a", AT_SYMLINK_FOLLOW));
	OK(link("a", "b"));
	OK(unlink("a"));
	OK(unlink("b"));
	EQ(write(fd, "x", 1), 1);
	close(fd);
	EQ(count_names("."), 0);
}

const struct test name_tests[] = {
	{ "name_open_errors", test_open_errors },
	{ "name_lengths", test_name_lengths },
	{ "name_odd", test_odd_names },
	{ "name_negative", test_negative_names },
	{ "name_mkdir", test_mkdir },
	{ "name_rmdir", test_rmdir },
	{ "name_removed_dir", test_removed_dir },
	{ "name_unlink", test_unlink },
	{ "name_link", test_link },
	{ "name_symlink", test_symlink },
	{ "name_mknod", test_mknod },
	{ "name_tmpfile", test_tmpfile },
	{ NULL, NULL }
};
