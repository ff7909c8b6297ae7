// SPDX-License-Identifier: MPL-2.0
/* extended attributes */
#include "vfstest.h"
#include <sys/xattr.h>

#define USER	1001

static bool listed(const char *path, const char *name)
{
	static char list[65536];
	int n = OK(llistxattr(path, list, sizeof(list))), at;

	for (at = 0; at < n; at += strlen(list + at) + 1)
		if (!strcmp(list + at, name))
			return true;
	return false;
}

static void test_xattr_basic(void)
{
	char buf[64];

	put_file("f", "x");
	EQ(listxattr("f", NULL, 0), 0);
	ERR(getxattr("f", "user.a", buf, 64), ENODATA);
	ERR(removexattr("f", "user.a"), ENODATA);
	ERR(setxattr("f", "user.a", "v", 1, XATTR_REPLACE), ENODATA);
	OK(setxattr("f", "user.a", "value", 5, XATTR_CREATE));
	ERR(setxattr("f", "user.a", "v", 1, XATTR_CREATE), EEXIST);
	EQ(getxattr("f", "user.a", buf, 64), 5);
	CHECK(!memcmp(buf, "value", 5));
	EQ(getxattr("f", "user.a", NULL, 0), 5);
	ERR(getxattr("f", "user.a", buf, 4), ERANGE);
	OK(setxattr("f", "user.a", "other value", 11, XATTR_REPLACE));
	OK(setxattr("f", "user.empty", "", 0, 0));
	EQ(getxattr("f", "user.empty", buf, 64), 0);
	ERR(listxattr("f", buf, 10), ERANGE);
	EQ(listxattr("f", NULL, 0), 7 + 11);
	drop_caches();
	EQ(getxattr("f", "user.a", buf, 64), 11);
	CHECK(!memcmp(buf, "other value", 11));
	EQ(getxattr("f", "user.empty", buf, 64), 0);
	ERR(getxattr("f", "user.b", buf, 64), ENODATA);
	CHECK(listed("f", "user.a") && listed("f", "user.empty"));
	OK(removexattr("f", "user.a"));
	ERR(removexattr("f", "user.a"), ENODATA);
	CHECK(!listed("f", "user.a"));
	OK(removexattr("f", "user.empty"));
	drop_caches();
	EQ(listxattr("f", NULL, 0), 0);
}

static void test_xattr_errors(void)
{
	static char big[65537];
	char name[300], buf[8];

	put_file("f", "x");
	OK(symlink("f", "l"));
	memset(name, 'n', sizeof(name));
	memcpy(name, "user.", 5);
	name[256] = 0;
	ERR(setxattr("f", name, "", 0, 0), ERANGE);
	name[255] = 0;
	OK(setxattr("f", name, "v", 1, 0));
	drop_caches();
	EQ(getxattr("f", name, buf, 8), 1);
	ERR(setxattr("f", "user.", "", 0, 0), EINVAL);
	ERR(setxattr("f", "nospace.x", "", 0, 0), EOPNOTSUPP);
	ERR(setxattr("f", "x", "", 0, 0), EOPNOTSUPP);
	ERR(lsetxattr("l", "user.x", "", 0, 0), EPERM);
	ERR(setxattr("none", "user.x", "", 0, 0), ENOENT);
	ERR(setxattr("f", "user.x", big, 65537, 0), E2BIG);
	ERR(setxattr("f", "user.x", "", 0, 4), EINVAL);
}

static void user_trusted(void)
{
	char buf[8];

	CHECK(!listed("f", "trusted.t"));
	CHECK(listed("f", "user.u"));
	ERR(getxattr("f", "trusted.t", buf, 8), ENODATA);
	EQ(getxattr("f", "user.u", buf, 8), 1);
}

static void test_xattr_namespaces(void)
{
	char buf[8];

	put_file("f", "x");
	OK(symlink("f", "l"));
	OK(mkfifo("p", 0644));
	OK(setxattr("f", "trusted.t", "1", 1, 0));
	OK(setxattr("f", "user.u", "2", 1, 0));
	OK(setxattr("f", "security.s", "3", 1, 0));
	OK(lsetxattr("l", "trusted.t", "4", 1, 0));
	OK(lsetxattr("p", "trusted.t", "5", 1, 0));
	ERR(lsetxattr("p", "user.x", "", 0, 0), EPERM);
	drop_caches();
	CHECK(listed("f", "trusted.t") && listed("f", "security.s"));
	CHECK(listed("l", "trusted.t"));
	EQ(lgetxattr("l", "trusted.t", buf, 8), 1);
	EQ(lgetxattr("p", "trusted.t", buf, 8), 1);
	EQ(getxattr("f", "security.s", buf, 8), 1);
	as_user(USER, USER, user_trusted);
}

/* written to by somebody without the right, capabilities go */
static void user_writes(void)
{
	int fd = OK(open("f", O_WRONLY));

	EQ(write(fd, "y", 1), 1);
	close(fd);
}

static void test_xattr_capability(void)
{
	/* version 2, effective, cap_net_raw */
	static const uint32_t cap[5] = { 0x02000001, 1 << 13, 0, 0, 0 };
	uint32_t got[8];

	put_file("f", "x");
	OK(chmod("f", 0777));
	OK(setxattr("f", "security.capability", cap, sizeof(cap), 0));
	drop_caches();
	EQ(getxattr("f", "security.capability", got, sizeof(got)), 20);
	CHECK(!memcmp(cap, got, 20));
	as_user(USER, USER, user_writes);
	ERR(getxattr("f", "security.capability", got, 32), ENODATA);
	OK(setxattr("f", "security.capability", cap, sizeof(cap), 0));
	OK(chown("f", 5, 5));
	ERR(getxattr("f", "security.capability", got, 32), ENODATA);
}

static void test_xattr_large(void)
{
	static char value[65536], got[65536];
	/* ext4 without ea_inode has one block for all */
	int big = fs_kind == FS_LAKE ? 65536 : 2048;
	int i;

	put_file("f", "x");
	for (i = 0; i < big; i++)
		value[i] = i * 7 + (i >> 8);
	OK(setxattr("f", "user.big", value, big, 0));
	drop_caches();
	EQ(getxattr("f", "user.big", NULL, 0), big);
	EQ(getxattr("f", "user.big", got, sizeof(got)), big);
	CHECK(!memcmp(value, got, big));
	ERR(getxattr("f", "user.big", got, big - 1), ERANGE);
	OK(setxattr("f", "user.big", "now small", 9, 0));
	EQ(getxattr("f", "user.big", got, sizeof(got)), 9);
	drop_caches();
	EQ(getxattr("f", "user.big", got, sizeof(got)), 9);
}

static void test_xattr_many(void)
{
	int count = fs_kind == FS_LAKE ? 300 : 40;
	char name[256], value[16], got[16];
	int i;

	put_file("f", "x");
	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "user.name%04d", i);
		snprintf(value, sizeof(value), "v%d", i * i);
		OK(setxattr("f", name, value, strlen(value), 0));
	}
	EQ(listxattr("f", NULL, 0), count * 14);
	for (i = 0; i < count; i += 2) {
		snprintf(name, sizeof(name), "user.name%04d", i);
		OK(removexattr("f", name));
	}
	drop_caches();
	EQ(listxattr("f", NULL, 0), count / 2 * 14);
	for (i = 1; i < count; i += 2) {
		snprintf(name, sizeof(name), "user.name%04d", i);
		snprintf(value, sizeof(value), "v%d", i * i);
		EQ(getxattr("f", name, got, 16), strlen(value));
		CHECK(!memcmp(value, got, strlen(value)));
	}
}

/* all names of an inode fit into one listxattr(): the next is refused */
static void test_xattr_list_limit(void)
{
	char name[256];
	int i, n = 0;

	if (fs_kind != FS_LAKE)
		return;
	put_file("f", "x");
	memset(name, 'x', sizeof(name));
	memcpy(name, "user.", 5);
	name[255] = 0;
	for (i = 0; i < 256; i++) {
		name[5] = 'a' + i / 26;
		name[6] = 'a' + i % 26;
		OK(setxattr("f", name, "", 0, 0));
		n += 256;
	}
	ERR(setxattr("f", "user.more", "", 0, 0), ENOSPC);
	OK(setxattr("f", name, "replaced", 8, 0));
	drop_caches();
	EQ(listxattr("f", NULL, 0), n);
	OK(removexattr("f", name));
	OK(setxattr("f", "user.more", "", 0, 0));
}

const struct test xattr_tests[] = {
	{ "xattr_basic", test_xattr_basic },
	{ "xattr_errors", test_xattr_errors },
	{ "xattr_namespaces", test_xattr_namespaces },
	{ "xattr_capability", test_xattr_capability },
	{ "xattr_large", test_xattr_large },
	{ "xattr_many", test_xattr_many },
	{ "xattr_list_limit", test_xattr_list_limit },
	{ NULL, NULL }
};
