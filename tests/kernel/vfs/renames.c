// SPDX-License-Identifier: MPL-2.0
/* rename(2) and the flags of renameat2(2) */
#include "vfstest.h"

static void test_rename_basic(void)
{
	struct stat before, after;

	put_file("a", "a");
	before = stat_of("a");
	tick();
	OK(rename("a", "b"));
	ERR(access("a", F_OK), ENOENT);
	after = stat_of("b");
	EQ(after.st_ino, before.st_ino);
	CHECK(after.st_ctim.tv_nsec != before.st_ctim.tv_nsec);
	EQ(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	OK(rename("b", "b"));
	OK(link("b", "c"));
	OK(rename("b", "c"));		/* the same file: nothing happens */
	OK(access("b", F_OK));
	ERR(rename("none", "x"), ENOENT);
	ERR(rename("b", "none/x"), ENOENT);
	ERR(rename("b", "c/x"), ENOTDIR);
	drop_caches();
	ERR(access("a", F_OK), ENOENT);
	EQ(stat_of("b").st_nlink, 2);
	EQ(count_names("."), 2);
}

static void test_rename_replace(void)
{
	char buf[8];
	int fd;

	put_file("a", "new");
	put_file("b", "old!");
	fd = OK(open("b", O_RDONLY));
	OK(rename("a", "b"));
	EQ(stat_of("b").st_size, 3);
	EQ(read(fd, buf, 8), 4);
	CHECK(!memcmp(buf, "old!", 4));
	close(fd);
	put_file("c", "c");
	OK(link("b", "b2"));
	OK(rename("c", "b"));
	EQ(stat_of("b2").st_nlink, 1);
	OK(symlink("b2", "s"));
	OK(rename("s", "b2"));		/* any kind of non-directory */
	CHECK(S_ISLNK(stat_of("b2").st_mode));
	drop_caches();
	EQ(stat_of("b").st_size, 1);
	EQ(count_names("."), 2);
}

static void test_rename_dirs(void)
{
	OK(mkdir("a", 0755));
	OK(mkdir("b", 0755));
	OK(mkdir("a/sub", 0755));
	put_file("f", "");
	ERR(rename("a", "f"), ENOTDIR);
	ERR(rename("f", "a"), EISDIR);
	ERR(rename("b", "a"), ENOTEMPTY);
	ERR(rename("a", "a/sub/x"), EINVAL);
	ERR(rename("a/sub", "a"), ENOTEMPTY);
	EQ(stat_of(".").st_nlink, 4);
	OK(rename("a/sub", "b/moved"));
	EQ(stat_of("a").st_nlink, 2);
	EQ(stat_of("b").st_nlink, 3);
	EQ(stat_of("b/moved/..").st_ino, stat_of("b").st_ino);
	OK(rename("b", "a"));		/* over an empty one */
	EQ(stat_of(".").st_nlink, 3);
	EQ(stat_of("a").st_nlink, 3);
	drop_caches();
	EQ(stat_of(".").st_nlink, 3);
	EQ(stat_of("a").st_nlink, 3);
	EQ(stat_of("a/moved/..").st_ino, stat_of("a").st_ino);
	OK(rename("a/moved", "moved"));
	EQ(stat_of("a").st_nlink, 2);
	EQ(stat_of(".").st_nlink, 4);
	OK(rmdir("a"));
	OK(rmdir("moved"));
	EQ(count_names("."), 1);
}

static void test_rename_over_open_dir(void)
{
	struct stat st;
	int fd;

	OK(mkdir("a", 0755));
	OK(mkdir("b", 0755));
	fd = OK(open("b", O_RDONLY | O_DIRECTORY));
	OK(rename("a", "b"));
	OK(fstat(fd, &st));
	EQ(st.st_nlink, 0);
	ERR(openat(fd, "x", O_CREAT | O_RDWR, 0644), ENOENT);
	close(fd);
	put_file("b/f", "");
	drop_caches();
	EQ(count_names("b"), 1);
}

static void test_rename_noreplace(void)
{
	put_file("a", "a");
	put_file("b", "b");
	ERR(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE), EEXIST);
	OK(renameat2(AT_FDCWD, "a", AT_FDCWD, "c", RENAME_NOREPLACE));
	ERR(renameat2(AT_FDCWD, "b", AT_FDCWD, "c", 0x80), EINVAL);
	ERR(renameat2(AT_FDCWD, "b", AT_FDCWD, "c",
		      RENAME_NOREPLACE | RENAME_EXCHANGE), EINVAL);
	EQ(count_names("."), 2);
}

static void test_rename_exchange(void)
{
	ino_t f, d;

	OK(mkdir("x", 0755));
	OK(mkdir("y", 0755));
	put_file("x/f", "file");
	OK(mkdir("y/d", 0755));
	put_file("y/d/inner", "");
	f = stat_of("x/f").st_ino;
	d = stat_of("y/d").st_ino;
	ERR(renameat2(AT_FDCWD, "x/f", AT_FDCWD, "y/none", RENAME_EXCHANGE),
	    ENOENT);
	OK(renameat2(AT_FDCWD, "x/f", AT_FDCWD, "y/d", RENAME_EXCHANGE));
	EQ(stat_of("x/f").st_ino, d);
	EQ(stat_of("y/d").st_ino, f);
	EQ(stat_of("x").st_nlink, 3);
	EQ(stat_of("y").st_nlink, 2);
	drop_caches();
	EQ(stat_of("x/f").st_ino, d);
	EQ(stat_of("y/d").st_ino, f);
	EQ(stat_of("x").st_nlink, 3);
	EQ(stat_of("y").st_nlink, 2);
	EQ(stat_of("x/f/..").st_ino, stat_of("x").st_ino);
	EQ(count_names("x/f"), 1);
	/* back, the other way round, and within one directory */
	OK(renameat2(AT_FDCWD, "y/d", AT_FDCWD, "x/f", RENAME_EXCHANGE));
	EQ(stat_of("x").st_nlink, 2);
	EQ(stat_of("y").st_nlink, 3);
	OK(renameat2(AT_FDCWD, "x", AT_FDCWD, "y", RENAME_EXCHANGE));
	EQ(stat_of("y/f").st_ino, f);
	EQ(stat_of("x/d").st_ino, d);
	ERR(rmdir("x"), ENOTEMPTY);
	OK(unlink("y/f"));
	OK(rmdir("y"));
}

static void test_rename_whiteout(void)
{
	struct stat st;

	put_file("a", "data");
	OK(mkdir("d", 0755));
	OK(renameat2(AT_FDCWD, "a", AT_FDCWD, "d/b", RENAME_WHITEOUT));
	st = stat_of("a");
	EQ(st.st_mode & S_IFMT, S_IFCHR);
	EQ(st.st_rdev, 0);
	EQ(st.st_nlink, 1);
	EQ(count_names("."), 2);
	EQ(count_names("d"), 1);
	drop_caches();
	EQ(stat_of("a").st_mode & S_IFMT, S_IFCHR);
	EQ(stat_of("a").st_ino, st.st_ino);
	EQ(stat_of("d/b").st_size, 4);
	put_file("e", "");
	OK(rename("e", "a"));
	CHECK(S_ISREG(stat_of("a").st_mode));
	OK(unlink("a"));
	OK(unlink("d/b"));
	OK(rmdir("d"));
	EQ(count_names("."), 0);
}

/* a chain of names, each looked up afresh */
static void test_rename_chain(void)
{
	char from[32], to[32];
	int i;

	put_file("n0", "chain");
	for (i = 0; i < 200; i++) {
		snprintf(from, sizeof(from), "n%d", i);
		snprintf(to, sizeof(to), "n%d", i + 1);
		OK(rename(from, to));
		ERR(access(from, F_OK), ENOENT);
	}
	drop_caches();
	EQ(count_names("."), 1);
	EQ(stat_of("n200").st_size, 5);
}

const struct test rename_tests[] = {
	{ "rename_basic", test_rename_basic },
	{ "rename_replace", test_rename_replace },
	{ "rename_dirs", test_rename_dirs },
	{ "rename_over_open_dir", test_rename_over_open_dir },
	{ "rename_noreplace", test_rename_noreplace },
	{ "rename_exchange", test_rename_exchange },
	{ "rename_whiteout", test_rename_whiteout },
	{ "rename_chain", test_rename_chain },
	{ NULL, NULL }
};
