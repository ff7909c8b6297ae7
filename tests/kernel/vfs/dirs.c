// SPDX-License-Identifier: MPL-2.0
/* reading directories */
#include "vfstest.h"
#include <sys/syscall.h>

#define MANY	1500

static void fill(int from, int to)
{
	char name[64];
	int i;

	for (i = from; i < to; i++) {
		snprintf(name, sizeof(name), "entry-%d-with-some-length", i);
		OK(close(OK(open(name, O_CREAT | O_EXCL | O_RDWR, 0644))));
	}
}

static void test_dir_types(void)
{
	static const struct { const char *name; int type; } want[] = {
		{ "reg", DT_REG }, { "dir", DT_DIR }, { "lnk", DT_LNK },
		{ "fifo", DT_FIFO }, { "chr", DT_CHR }, { "blk", DT_BLK },
		{ "sock", DT_SOCK }, { ".", DT_DIR }, { "..", DT_DIR },
	};
	unsigned int i, n = 0;
	struct dirent *de;
	DIR *d;

	put_file("reg", "");
	OK(mkdir("dir", 0755));
	OK(symlink("x", "lnk"));
	OK(mkfifo("fifo", 0644));
	OK(mknod("chr", S_IFCHR | 0644, 0x105));
	OK(mknod("blk", S_IFBLK | 0644, 0x105));
	OK(mknod("sock", S_IFSOCK | 0644, 0));
	drop_caches();
	d = opendir(".");
	CHECK(d);
	while ((de = readdir(d))) {
		for (i = 0; i < 9 && strcmp(want[i].name, de->d_name); i++)
			;
		CHECK(i < 9);
		EQ(de->d_type, want[i].type);
		EQ(de->d_ino, stat_of(de->d_name).st_ino);
		n++;
	}
	EQ(n, 9);
	closedir(d);
}

static void test_dir_many(void)
{
	static bool seen[MANY];
	struct dirent *de;
	int i, n = 0;
	DIR *d;

	fill(0, MANY);
	drop_caches();
	d = opendir(".");
	CHECK(d);
	while ((de = readdir(d))) {
		if (sscanf(de->d_name, "entry-%d-with", &i) != 1)
			continue;
		CHECK(i >= 0 && i < MANY && !seen[i]);
		seen[i] = true;
		n++;
	}
	EQ(n, MANY);
	closedir(d);
}

/* the raw call, with a buffer that holds one or two entries */
static void test_dir_small_buffer(void)
{
	char buf[100];
	int fd, n = 0, got, at;

	fill(0, 100);
	fd = OK(open(".", O_RDONLY | O_DIRECTORY));
	while ((got = OK(syscall(SYS_getdents64, fd, buf, sizeof(buf)))) > 0)
		for (at = 0; at < got;
		     at += ((struct dirent64 *)(buf + at))->d_reclen)
			n++;
	EQ(n, 102);
	EQ(syscall(SYS_getdents64, fd, buf, sizeof(buf)), 0);
	EQ(lseek(fd, 0, SEEK_SET), 0);
	ERR(syscall(SYS_getdents64, fd, buf, 8), EINVAL);
	CHECK(syscall(SYS_getdents64, fd, buf, sizeof(buf)) > 0);
	close(fd);
}

/* who reads a directory sees a name that is replaced meanwhile, and once */
static void test_dir_replaced_while_reading(void)
{
	char buf[100], name[64];
	int seen[40] = { 0 };
	int fd, got, at, i;

	OK(mkdir("beside", 0755));
	fill(0, 40);
	fd = OK(open(".", O_RDONLY | O_DIRECTORY));
	while ((got = OK(syscall(SYS_getdents64, fd, buf, sizeof(buf)))) > 0) {
		for (at = 0; at < got;
		     at += ((struct dirent64 *)(buf + at))->d_reclen) {
			const char *text = ((struct dirent64 *)(buf + at))->d_name;

			if (sscanf(text, "entry-%d-with", &i) == 1)
				seen[i]++;
		}
		for (i = 0; i < 40; i++) {
			put_file("beside/new", "");
			snprintf(name, sizeof(name),
				 "entry-%d-with-some-length", i);
			OK(rename("beside/new", name));
		}
	}
	for (i = 0; i < 40; i++)
		EQ(seen[i], 1);
	close(fd);
}

static void test_dir_seek(void)
{
	static char names[300][256];
	static long where[300];
	struct dirent *de;
	int i, n = 0;
	DIR *d;

	fill(0, 200);
	d = opendir(".");
	CHECK(d);
	for (;;) {
		where[n] = telldir(d);
		de = readdir(d);
		if (!de)
			break;
		snprintf(names[n++], 256, "%s", de->d_name);
	}
	EQ(n, 202);
	drop_caches();
	for (i = n - 1; i >= 0; i -= 7) {
		seekdir(d, where[i]);
		de = readdir(d);
		CHECK(de && !strcmp(de->d_name, names[i]));
	}
	/* positions hold although entries before them went and others came */
	OK(unlink(names[0][0] == '.' ? "entry-0-with-some-length" : names[0]));
	put_file("late", "");
	seekdir(d, where[150]);
	de = readdir(d);
	CHECK(de && (fs_kind != FS_LAKE || !strcmp(de->d_name, names[150])));
	closedir(d);
}

static void test_dir_rewind(void)
{
	struct dirent *de;
	int n = 0;
	DIR *d;

	fill(0, 10);
	d = opendir(".");
	CHECK(d);
	while ((de = readdir(d)))
		n++;
	EQ(n, 12);
	fill(10, 20);
	OK(unlink("entry-0-with-some-length"));
	rewinddir(d);
	for (n = 0; (de = readdir(d)); n++)
		CHECK(strcmp(de->d_name, "entry-0-with-some-length"));
	EQ(n, 21);
	closedir(d);
}

/* removing what is read must leave nothing behind */
static void test_dir_remove_while_reading(void)
{
	struct dirent *de;
	DIR *d;

	fill(0, 1000);
	d = opendir(".");
	CHECK(d);
	while ((de = readdir(d)))
		if (de->d_name[0] != '.')
			OK(unlink(de->d_name));
	closedir(d);
	EQ(count_names("."), 0);
}

/* renaming what is read must come to an end */
static void test_dir_rename_while_reading(void)
{
	char name[300];
	struct dirent *de;
	int n = 0;
	DIR *d;

	fill(0, 300);
	d = opendir(".");
	CHECK(d);
	while ((de = readdir(d)) && n < 5000) {
		if (de->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "r%d", n++);
		OK(rename(de->d_name, name));
	}
	CHECK(n < 5000);
	closedir(d);
	EQ(count_names("."), 300);
}

static void test_dir_removed_open(void)
{
	DIR *d;

	OK(mkdir("d", 0755));
	d = opendir("d");
	CHECK(d);
	OK(rmdir("d"));
	errno = 0;
	CHECK(!readdir(d));
	CHECK(errno == 0 || errno == ENOENT);
	closedir(d);
}

static void test_dir_errors(void)
{
	char c;
	int fd;

	put_file("f", "");
	fd = OK(open(".", O_RDONLY));
	ERR(read(fd, &c, 1), EISDIR);
	ERR(pread(fd, &c, 1, 0), EISDIR);
	ERR(write(fd, &c, 1), EBADF);
	ERR(lseek(fd, -5, SEEK_SET), EINVAL);
	OK(fsync(fd));
	OK(fdatasync(fd));
	close(fd);
	fd = OK(open("f", O_RDONLY));
	ERR(syscall(SYS_getdents64, fd, &c, 1), ENOTDIR);
	close(fd);
}

const struct test dir_tests[] = {
	{ "dir_types", test_dir_types },
	{ "dir_many", test_dir_many },
	{ "dir_small_buffer", test_dir_small_buffer },
	{ "dir_replaced_while_reading", test_dir_replaced_while_reading },
	{ "dir_seek", test_dir_seek },
	{ "dir_rewind", test_dir_rewind },
	{ "dir_remove_while_reading", test_dir_remove_while_reading },
	{ "dir_rename_while_reading", test_dir_rename_while_reading },
	{ "dir_removed_open", test_dir_removed_open },
	{ "dir_errors", test_dir_errors },
	{ NULL, NULL }
};
