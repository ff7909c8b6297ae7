// SPDX-License-Identifier: MPL-2.0
/* stat, chmod, chown, times, sizes, flags */
#include "vfstest.h"
#include <linux/fs.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

static bool later(struct timespec a, struct timespec b)
{
	return a.tv_sec > b.tv_sec ||
	       (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

static bool same(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static void test_chmod(void)
{
	struct stat before, after;
	int mode;

	put_file("f", "x");
	OK(mkdir("d", 0755));
	before = stat_of("f");
	tick();
	OK(chmod("f", 07777));
	after = stat_of("f");
	EQ(after.st_mode, S_IFREG | 07777);
	CHECK(later(after.st_ctim, before.st_ctim));
	CHECK(same(after.st_mtim, before.st_mtim));
	for (mode = 0; mode <= 07777; mode += 0111) {
		OK(chmod("d", mode));
		EQ(stat_of("d").st_mode, S_IFDIR | mode);
	}
	OK(chmod("d", 01751));
	ERR(chmod("none", 0644), ENOENT);
	drop_caches();
	EQ(stat_of("f").st_mode, S_IFREG | 07777);
	EQ(stat_of("d").st_mode, S_IFDIR | 01751);
	CHECK(same(stat_of("f").st_ctim, after.st_ctim));
}

static void test_chown(void)
{
	put_file("f", "x");
	OK(chmod("f", 06755));
	OK(chown("f", 1234, 5678));
	EQ(stat_of("f").st_uid, 1234);
	EQ(stat_of("f").st_gid, 5678);
	EQ(stat_of("f").st_mode, S_IFREG | 0755);	/* setid bits go */
	OK(chown("f", -1, 42));
	EQ(stat_of("f").st_uid, 1234);
	OK(symlink("f", "l"));
	OK(lchown("l", 99, 98));
	EQ(stat_of("f").st_uid, 1234);
	OK(chown("f", 0xfffffffe, 0xfffffffe));
	drop_caches();
	EQ(stat_of("f").st_uid, 0xfffffffe);
	EQ(stat_of("f").st_gid, 0xfffffffe);
	EQ(stat_of("l").st_uid, 99);
	EQ(stat_of("l").st_gid, 98);
}

static void test_utimes(void)
{
	static const struct timespec set[][2] = {
		{ { 1, 2 }, { 1577836800, 123456789 } },
		{ { 4102444800, 999999999 }, { 0, 0 } },
		{ { -86400, 500000000 }, { 2147483649ll, 1 } },
	};
	struct timespec t[2];
	struct stat st, before;
	unsigned int i;

	put_file("f", "x");
	OK(symlink("f", "l"));
	OK(mkdir("d", 0755));
	for (i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
		before = stat_of("f");
		tick();
		OK(utimensat(AT_FDCWD, "f", set[i], 0));
		OK(utimensat(AT_FDCWD, "d", set[i], 0));
		OK(utimensat(AT_FDCWD, "l", set[i], AT_SYMLINK_NOFOLLOW));
		drop_caches();
		st = stat_of("f");
		CHECK(same(st.st_atim, set[i][0]));
		CHECK(same(st.st_mtim, set[i][1]));
		CHECK(later(st.st_ctim, before.st_ctim));
		CHECK(same(stat_of("d").st_mtim, set[i][1]));
		CHECK(same(stat_of("l").st_mtim, set[i][1]));
	}
	t[0].tv_nsec = UTIME_OMIT;
	t[1].tv_nsec = UTIME_NOW;
	OK(utimensat(AT_FDCWD, "f", t, 0));
	CHECK(same(stat_of("f").st_atim, st.st_atim));
	CHECK(llabs((long long)stat_of("f").st_mtim.tv_sec - time(NULL)) < 100);
	t[1].tv_nsec = 1000000000;
	ERR(utimensat(AT_FDCWD, "f", t, 0), EINVAL);
}

/* times set just after writing must survive the later writeback */
static void test_utimes_after_write(void)
{
	static const struct timespec set[2] = { { 10, 0 }, { 20, 30 } };
	char name[16];
	int i;

	for (i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		put_file(name, "some content");
		OK(utimensat(AT_FDCWD, name, set, 0));
	}
	drop_caches();
	for (i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		CHECK(same(stat_of(name).st_mtim, set[1]));
		EQ(stat_of(name).st_size, 12);
	}
}

static void test_times_of_ops(void)
{
	struct stat d, f, now;
	int fd;

	put_file("f", "x");
	d = stat_of(".");
	f = stat_of("f");
	tick();
	put_file("g", "x");
	now = stat_of(".");
	CHECK(later(now.st_mtim, d.st_mtim) && later(now.st_ctim, d.st_ctim));
	CHECK(same(stat_of("f").st_mtim, f.st_mtim));
	d = now;
	tick();
	OK(unlink("g"));
	now = stat_of(".");
	CHECK(later(now.st_mtim, d.st_mtim) && later(now.st_ctim, d.st_ctim));
	fd = OK(open("f", O_RDWR));
	EQ(pwrite(fd, "y", 1, 0), 1);
	now = stat_of("f");
	CHECK(later(now.st_mtim, f.st_mtim) && later(now.st_ctim, f.st_ctim));
	tick();
	OK(ftruncate(fd, 1));		/* the same size: times move */
	CHECK(later(stat_of("f").st_ctim, now.st_ctim));
	now = stat_of("f");
	d = stat_of(".");
	close(fd);
	drop_caches();
	CHECK(same(stat_of("f").st_mtim, now.st_mtim));
	CHECK(same(stat_of("f").st_ctim, now.st_ctim));
	CHECK(same(stat_of(".").st_mtim, d.st_mtim));
	CHECK(same(stat_of(".").st_ctim, d.st_ctim));
}

static void test_atime(void)
{
	static const struct timespec old[2] = { { 100, 0 }, { 200, 0 } };
	struct stat st;
	char c;
	int fd;

	put_file("f", "x");
	OK(utimensat(AT_FDCWD, "f", old, 0));
	fd = OK(open("f", O_RDONLY));
	EQ(read(fd, &c, 1), 1);
	close(fd);
	st = stat_of("f");
	CHECK(st.st_atim.tv_sec > 200);	/* relatime: older than mtime */
	CHECK(same(st.st_mtim, old[1]));
	drop_caches();
	CHECK(same(stat_of("f").st_atim, st.st_atim));
	OK(utimensat(AT_FDCWD, "f", old, 0));
	fd = OK(open("f", O_RDONLY | O_NOATIME));
	EQ(read(fd, &c, 1), 1);
	close(fd);
	CHECK(same(stat_of("f").st_atim, old[0]));
}

static void test_truncate(void)
{
	char buf[16];
	int fd;

	put_file("f", "0123456789");
	OK(mkdir("d", 0755));
	ERR(truncate("d", 0), EISDIR);
	ERR(truncate("none", 0), ENOENT);
	ERR(truncate("f", -1), EINVAL);
	fd = OK(open("f", O_RDONLY));
	ERR(ftruncate(fd, 0), EINVAL);
	close(fd);
	OK(truncate("f", 4));
	OK(truncate("f", 10));
	drop_caches();
	fd = OK(open("f", O_RDWR));
	EQ(read(fd, buf, 16), 10);
	CHECK(!memcmp(buf, "0123\0\0\0\0\0\0", 10));
	OK(ftruncate(fd, 1ll << 40));
	drop_caches();
	EQ(stat_of("f").st_size, 1ll << 40);
	CHECK(stat_of("f").st_blocks < 100);
	OK(ftruncate(fd, 0));
	EQ(stat_of("f").st_size, 0);
	EQ(stat_of("f").st_blocks, 0);
	close(fd);
	fd = OK(open("f", O_WRONLY | O_TRUNC));
	close(fd);
}

static void test_statx(void)
{
	struct statx a, b;

	put_file("f", "x");
	OK(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS | STATX_BTIME, &a));
	CHECK(a.stx_mask & STATX_BTIME);
	CHECK(llabs((long long)a.stx_btime.tv_sec - time(NULL)) < 100);
	tick();
	OK(chmod("f", 0600));
	put_file("f", "yy");
	OK(rename("f", "g"));
	drop_caches();
	OK(statx(AT_FDCWD, "g", 0, STATX_BASIC_STATS | STATX_BTIME, &b));
	EQ(a.stx_btime.tv_sec, b.stx_btime.tv_sec);
	EQ(a.stx_btime.tv_nsec, b.stx_btime.tv_nsec);
	EQ(a.stx_ino, b.stx_ino);
	EQ(b.stx_blksize, 4096);
}

static void test_statx_direct(void)
{
	struct statx a;

	put_file("f", "x");
	OK(mkdir("d", 0755));
	OK(statx(AT_FDCWD, "f", 0, STATX_DIOALIGN, &a));
	if (fs_kind == FS_TMPFS)
		return;
	CHECK(a.stx_mask & STATX_DIOALIGN);
	CHECK(a.stx_dio_mem_align && a.stx_dio_mem_align <= 4096);
	CHECK(a.stx_dio_offset_align && a.stx_dio_offset_align <= 4096);
	OK(statx(AT_FDCWD, "d", 0, STATX_DIOALIGN, &a));
	CHECK(!(a.stx_mask & STATX_DIOALIGN));
}


static int get_flags(const char *path)
{
	int fd = OK(open(path, O_RDONLY)), flags = 0;

	OK(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	close(fd);
	return flags;
}

static int set_flags(const char *path, int flags)
{
	int fd = OK(open(path, O_RDONLY)), ret, saved;

	ret = ioctl(fd, FS_IOC_SETFLAGS, &flags);
	saved = errno;
	close(fd);
	errno = saved;
	return ret;
}

static void test_immutable(void)
{
	/* ext4 shows more flags than those that can be set here */
	int base;

	put_file("f", "x");
	OK(mkdir("d", 0755));
	put_file("d/in", "x");
	base = get_flags("f");
	OK(set_flags("f", base | FS_IMMUTABLE_FL));
	OK(set_flags("d", get_flags("d") | FS_IMMUTABLE_FL));
	drop_caches();
	CHECK(get_flags("f") & FS_IMMUTABLE_FL);
	ERR(open("f", O_WRONLY), EPERM);
	ERR(truncate("f", 0), EPERM);
	ERR(chmod("f", 0600), EPERM);
	ERR(chown("f", 1, 1), EPERM);
	ERR(unlink("f"), EPERM);
	ERR(link("f", "g"), EPERM);
	ERR(rename("f", "g"), EPERM);
	ERR(open("d/new", O_CREAT | O_RDWR, 0644), EPERM);
	ERR(unlink("d/in"), EPERM);
	ERR(rmdir("d"), EPERM);
	OK(open("f", O_RDONLY));
	OK(set_flags("f", base));
	OK(set_flags("d", get_flags("d") & ~FS_IMMUTABLE_FL));
	OK(unlink("f"));
}

static sigjmp_buf caught;

static void catch_sigbus(int sig)
{
	(void)sig;
	siglongjmp(caught, 1);
}

/* does writing to it end in SIGBUS? */
static bool no_write(volatile char *mapped)
{
	signal(SIGBUS, catch_sigbus);
	if (sigsetjmp(caught, 1))
		return true;
	*mapped = 'z';
	return false;
}

/* Who has a file open or mapped when it becomes immutable cannot change it. */
static void test_immutable_open(void)
{
	struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	struct stat before, after;
	char *mapped;
	int fd, base;

	put_file("f", "x");
	base = get_flags("f");
	fd = OK(open("f", O_RDWR));
	mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(mapped != MAP_FAILED);
	*mapped = 'y';			/* dirty, and writable from here on */
	OK(set_flags("f", base | FS_IMMUTABLE_FL));
	ERR(write(fd, "z", 1), EPERM);
	ERR(ftruncate(fd, 0), EPERM);
	ERR(fallocate(fd, 0, 0, 8192), EPERM);
	ERR(fchmod(fd, 0600), EPERM);
	ERR(futimens(fd, times), EPERM);
	before = stat_of("f");
	CHECK(no_write(mapped));
	after = stat_of("f");
	CHECK(!memcmp(&before.st_mtim, &after.st_mtim, sizeof(after.st_mtim)));
	CHECK(!memcmp(&before.st_ctim, &after.st_ctim, sizeof(after.st_ctim)));
	drop_caches();
	EQ(*mapped, 'y');
	EQ(stat_of("f").st_size, 1);
	OK(set_flags("f", base));
	*mapped = 'z';
	EQ(write(fd, "zz", 2), 2);
	close(fd);
}

/* the other call for flags, by which xfs_io and cp know them */
static void test_flags_fsx(void)
{
	struct fsxattr fsx = { };
	int fd;

	put_file("f", "x");
	fd = OK(open("f", O_RDONLY));
	OK(ioctl(fd, FS_IOC_FSGETXATTR, &fsx));
	EQ(fsx.fsx_xflags, 0);
	fsx.fsx_xflags = FS_XFLAG_APPEND | FS_XFLAG_NODUMP;
	OK(ioctl(fd, FS_IOC_FSSETXATTR, &fsx));
	EQ(get_flags("f") & (FS_APPEND_FL | FS_NODUMP_FL | FS_IMMUTABLE_FL),
	   FS_APPEND_FL | FS_NODUMP_FL);
	ERR(open("f", O_WRONLY), EPERM);
	drop_caches();
	OK(ioctl(fd, FS_IOC_FSGETXATTR, &fsx));
	EQ(fsx.fsx_xflags, FS_XFLAG_APPEND | FS_XFLAG_NODUMP);
	fsx.fsx_projid = 7;
	ERR(ioctl(fd, FS_IOC_FSSETXATTR, &fsx), EOPNOTSUPP);
	fsx.fsx_projid = 0;
	fsx.fsx_xflags = 0;
	OK(ioctl(fd, FS_IOC_FSSETXATTR, &fsx));
	OK(open("f", O_WRONLY));
	close(fd);
}

static void test_lease(void)
{
	int fd;

	put_file("f", "x");
	fd = OK(open("f", O_RDONLY));
	signal(SIGIO, SIG_IGN);		/* what tells of who wants to write */
	OK(fcntl(fd, F_SETLEASE, F_RDLCK));
	EQ(fcntl(fd, F_GETLEASE), F_RDLCK);
	ERR(open("f", O_WRONLY | O_NONBLOCK), EAGAIN);
	OK(fcntl(fd, F_SETLEASE, F_UNLCK));
	OK(open("f", O_WRONLY | O_NONBLOCK));
	close(fd);
}

static void test_append(void)
{
	int fd, base;

	put_file("f", "x");
	OK(mkdir("d", 0755));
	put_file("d/in", "x");
	base = get_flags("f");
	OK(set_flags("f", base | FS_APPEND_FL));
	OK(set_flags("d", get_flags("d") | FS_APPEND_FL));
	ERR(open("f", O_WRONLY), EPERM);
	ERR(open("f", O_WRONLY | O_APPEND | O_TRUNC), EPERM);
	fd = OK(open("f", O_WRONLY | O_APPEND));
	EQ(write(fd, "y", 1), 1);
	close(fd);
	ERR(unlink("f"), EPERM);
	put_file("d/new", "");
	ERR(unlink("d/in"), EPERM);
	ERR(rename("d/in", "out"), EPERM);
	drop_caches();
	CHECK(get_flags("f") & FS_APPEND_FL);
	EQ(stat_of("f").st_size, 2);
	OK(set_flags("f", base));
	OK(set_flags("d", get_flags("d") & ~FS_APPEND_FL));
}

static void test_flags_inherited(void)
{
	OK(mkdir("d", 0755));
	OK(set_flags("d", get_flags("d") | FS_NODUMP_FL | FS_NOATIME_FL));
	put_file("d/f", "");
	OK(mkdir("d/e", 0755));
	if (fs_kind == FS_EXT || fs_kind == FS_LAKE) {
		drop_caches();
		CHECK((get_flags("d/f") & (FS_NODUMP_FL | FS_NOATIME_FL)) ==
		      (FS_NODUMP_FL | FS_NOATIME_FL));
		CHECK(get_flags("d/e") & FS_NODUMP_FL);
	}
	OK(set_flags("d", get_flags("d") & ~FS_NODUMP_FL));
	CHECK(!(get_flags("d") & FS_NODUMP_FL));
	ERR(set_flags("d", 0x80000000), EOPNOTSUPP);
}

const struct test attr_tests[] = {
	{ "attr_chmod", test_chmod },
	{ "attr_chown", test_chown },
	{ "attr_utimes", test_utimes },
	{ "attr_utimes_after_write", test_utimes_after_write },
	{ "attr_times_of_ops", test_times_of_ops },
	{ "attr_atime", test_atime },
	{ "attr_truncate", test_truncate },
	{ "attr_statx", test_statx },
	{ "attr_statx_direct", test_statx_direct },
	{ "attr_immutable", test_immutable },
	{ "attr_immutable_open", test_immutable_open },
	{ "attr_flags_fsx", test_flags_fsx },
	{ "attr_lease", test_lease },
	{ "attr_append", test_append },
	{ "attr_flags_inherited", test_flags_inherited },
	{ NULL, NULL }
};
