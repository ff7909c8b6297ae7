// SPDX-License-Identifier: MPL-2.0
/* names, attributes, directories */
#include "nomem.h"
#include <dirent.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <linux/fs.h>

#define VALUE_BYTES	3000

static void clear(void)
{
	unlink("a");
	unlink("b");
	rmdir("a");
	rmdir("b");
}

static void put_a(void)
{
	clear();
	put_pattern("a", 5000);
}

static void put_both(void)
{
	put_a();
	put_pattern("b", 100);
}

static void put_dir(void)
{
	clear();
	OK(mkdir("a", 0755));
}

static void is_there(void)
{
	struct stat st;

	OK(lstat("a", &st));
}

static void moved(void)
{
	struct stat st;

	CHECK(has_pattern("b", 0, 5000));
	ERR(lstat("a", &st), ENOENT);
}

static void gone(void)
{
	struct stat st;

	ERR(lstat("a", &st), ENOENT);
}

static int run_create(void)
{
	int fd = open("a", O_CREAT | O_EXCL | O_WRONLY, 0600);

	if (fd >= 0)
		close(fd);
	return result_of(fd);
}

static int run_mkdir(void) { return result_of(mkdir("a", 0755)); }
static int run_fifo(void) { return result_of(mknod("a", S_IFIFO | 0600, 0)); }
static int run_symlink(void) { return result_of(symlink("target/of/a/link", "a")); }
static int run_link(void) { return result_of(link("a", "b")); }
static int run_unlink(void) { return result_of(unlink("a")); }
static int run_rmdir(void) { return result_of(rmdir("a")); }
static int run_rename(void) { return result_of(rename("a", "b")); }

static int run_exchange(void)
{
	return result_of(renameat2(AT_FDCWD, "a", AT_FDCWD, "b",
				   RENAME_EXCHANGE));
}

static int run_whiteout(void)
{
	return result_of(renameat2(AT_FDCWD, "a", AT_FDCWD, "b",
				   RENAME_WHITEOUT));
}

static int run_tmpfile(void)
{
	char proc[64];
	int fd = open(".", O_TMPFILE | O_RDWR, 0600), err;

	if (fd < 0)
		return -errno;
	err = result_of(write(fd, "tmp", 3));
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	if (!err)
		err = result_of(linkat(AT_FDCWD, proc, AT_FDCWD, "a",
				       AT_SYMLINK_FOLLOW));
	close(fd);
	return err;
}

/* ---- attributes -------------------------------------------------------------- */

static char value[VALUE_BYTES];

static void put_valued(void)
{
	put_a();
	memset(value, 'v', sizeof(value));
	OK(setxattr("a", "user.big", value, sizeof(value), 0));
	OK(setxattr("a", "user.small", "s", 1, 0));
}

static int run_setxattr(void)
{
	return result_of(setxattr("a", "user.other", value, sizeof(value), 0));
}

static int run_getxattr(void)
{
	char got[VALUE_BYTES];
	long n = getxattr("a", "user.big", got, sizeof(got));

	if (n < 0)
		return -errno;
	return n == VALUE_BYTES && !memcmp(got, value, n) ? 0 : -EBADMSG;
}

static int run_listxattr(void)
{
	char list[1000];

	return result_of(listxattr("a", list, sizeof(list)));
}

static int run_removexattr(void)
{
	return result_of(removexattr("a", "user.big"));
}

static int run_acl(void)
{
	static const struct {
		unsigned int version;
		struct {
			unsigned short tag, perm;
			unsigned int id;
		} e[5];
	} acl = { 2, {
		{ 0x01, 7, -1 }, { 0x02, 4, 1001 }, { 0x04, 4, -1 },
		{ 0x10, 7, -1 }, { 0x20, 0, -1 },
	} };

	return result_of(setxattr("a", "system.posix_acl_access", &acl,
				  sizeof(acl), 0));
}

static int run_chmod(void) { return result_of(chmod("a", 0640)); }

static int run_flags(void)
{
	int fd = open("a", O_RDONLY), flags = FS_NODUMP_FL, err;

	if (fd < 0)
		return -errno;
	err = result_of(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	close(fd);
	return err;
}

static int run_stat(void)
{
	struct stat st;

	return result_of(stat("a", &st));
}

static int run_statfs(void)
{
	struct statvfs st;

	return result_of(statvfs(".", &st));
}

static void put_names(void)
{
	char name[32];
	int i;

	if (!access("d/40", F_OK))
		return;
	mkdir("d", 0755);
	for (i = 0; i <= 40; i++) {
		snprintf(name, sizeof(name), "d/%d", i);
		put_pattern(name, i * 300);
	}
}

static int run_readdir(void)
{
	DIR *d = opendir("d");
	int n = 0, err;

	if (!d)
		return -errno;
	errno = 0;
	while (readdir(d))
		n++;
	err = -errno;
	closedir(d);
	return err ? err : n == 43 ? 0 : -EBADMSG;
}

static int run_lookup(void)
{
	struct stat st;
	int err = result_of(stat("d/33", &st));

	if (!err && st.st_size != 9900)
		return -EBADMSG;
	return err ? err : result_of(stat("d/none", &st)) == -ENOENT ? 0 :
	       -errno;
}

const struct op name_ops[] = {
	{ "nomem_create", clear, run_create, is_there, -EEXIST },
	{ "nomem_mkdir", clear, run_mkdir, is_there, -EEXIST },
	{ "nomem_fifo", clear, run_fifo, is_there, -EEXIST },
	{ "nomem_symlink", clear, run_symlink, is_there, -EEXIST },
	{ "nomem_link", put_a, run_link, is_there, -EEXIST },
	{ "nomem_unlink", put_a, run_unlink, gone, -ENOENT },
	{ "nomem_unlink_cold", put_a, run_unlink, gone, -ENOENT, .cold = true },
	{ "nomem_rmdir", put_dir, run_rmdir, gone, -ENOENT },
	{ "nomem_rename", put_a, run_rename, moved, -ENOENT },
	{ "nomem_rename_over", put_both, run_rename, moved, -ENOENT },
	{ "nomem_exchange", put_both, run_exchange, is_there },
	{ "nomem_whiteout", put_a, run_whiteout, is_there },
	{ "nomem_tmpfile", clear, run_tmpfile, is_there, -EEXIST },
	{ "nomem_setxattr", put_valued, run_setxattr, is_there },
	{ "nomem_setxattr_cold", put_valued, run_setxattr, is_there,
		.cold = true },
	{ "nomem_getxattr_cold", put_valued, run_getxattr, is_there,
		.cold = true },
	{ "nomem_listxattr_cold", put_valued, run_listxattr, is_there,
		.cold = true },
	{ "nomem_removexattr", put_valued, run_removexattr, is_there, -ENODATA },
	{ "nomem_acl", put_a, run_acl, is_there },
	{ "nomem_chmod", put_a, run_chmod, is_there },
	{ "nomem_chmod_acl_cold", put_valued, run_chmod, is_there, .cold = true },
	{ "nomem_flags", put_a, run_flags, is_there },
	{ "nomem_stat_cold", put_a, run_stat, is_there, .cold = true },
	{ "nomem_statfs", put_a, run_statfs, is_there },
	{ "nomem_readdir_cold", put_names, run_readdir, .cold = true },
	{ "nomem_lookup_cold", put_names, run_lookup, .cold = true },
	{ }
};
