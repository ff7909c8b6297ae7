// SPDX-License-Identifier: MPL-2.0
/* what other users may not do; set-id bits; POSIX ACLs */
#include "vfstest.h"
#include <sys/xattr.h>
#include <time.h>

#define USER	1001
#define OTHER	1002
#define ACCESS	"system.posix_acl_access"
#define DEFAULT	"system.posix_acl_default"

static void user_denied(void)
{
	static const struct timespec set[2] = { { 1, 0 }, { 1, 0 } };

	ERR(open("private", O_RDONLY), EACCES);
	ERR(open("public", O_WRONLY), EACCES);
	OK(open("public", O_RDONLY));
	ERR(open("new", O_CREAT | O_RDWR, 0644), EACCES);
	ERR(mkdir("new", 0755), EACCES);
	ERR(symlink("x", "new"), EACCES);
	ERR(unlink("public"), EACCES);
	ERR(rmdir("locked"), EACCES);
	ERR(rename("public", "p2"), EACCES);
	ERR(link("open/mine", "p2"), EACCES);
	ERR(access("locked/x", F_OK), EACCES);
	ERR(opendir("locked") ? 0 : -1, EACCES);
	ERR(chmod("public", 0777), EPERM);
	ERR(chown("public", USER, USER), EPERM);
	ERR(truncate("public", 0), EACCES);
	ERR(utimensat(AT_FDCWD, "public", set, 0), EPERM);
	ERR(utimensat(AT_FDCWD, "public", NULL, 0), EACCES);
	ERR(mknod("open/c", S_IFCHR | 0600, 0x103), EPERM);
	ERR(setxattr("public", "user.x", "", 0, 0), EACCES);
	ERR(setxattr("open/mine", "trusted.x", "", 0, 0), EPERM);
	OK(chmod("open/mine", 0600));
	ERR(chown("open/mine", OTHER, -1), EPERM);
	OK(chown("open/mine", -1, USER));
}

static void test_denied(void)
{
	put_file("private", "x");
	OK(chmod("private", 0600));
	put_file("public", "x");
	OK(mkdir("locked", 0700));
	OK(mkdir("open", 0777));
	OK(chmod("open", 0777));
	put_file("open/mine", "");
	OK(chown("open/mine", USER, USER));
	as_user(USER, USER, user_denied);
}

static void user_sticky(void)
{
	ERR(unlink("t/root"), EPERM);
	ERR(rename("t/root", "t/x"), EPERM);
	ERR(unlink("t/other"), EPERM);
	put_file("t/own", "");
	ERR(rename("t/own", "t/other"), EPERM);
	OK(rename("t/own", "t/own2"));
	OK(unlink("t/own2"));
}

static void test_sticky(void)
{
	OK(mkdir("t", 0777));
	OK(chmod("t", 01777));
	put_file("t/root", "");
	put_file("t/other", "");
	OK(chown("t/other", OTHER, OTHER));
	as_user(USER, USER, user_sticky);
}

static void user_setid(void)
{
	int fd;

	fd = OK(open("suid", O_WRONLY));
	EQ(write(fd, "y", 1), 1);
	close(fd);
	EQ(stat_of("suid").st_mode & 07777, 0777);
	OK(truncate("suid2", 0));
	EQ(stat_of("suid2").st_mode & 07777, 0777);
	put_file("sg/own", "");
	EQ(stat_of("sg/own").st_gid, 777);
	/* a group one is not in: the setgid bit is not given */
	OK(chmod("sg/own", 02755));
	EQ(stat_of("sg/own").st_mode & 07777, 0755);
	OK(mkdir("sg/sub", 0755));
	EQ(stat_of("sg/sub").st_mode & 07777, 02755);
}

static void test_setid(void)
{
	put_file("suid", "x");
	put_file("suid2", "x");
	OK(chmod("suid", 06777));
	OK(chmod("suid2", 06777));
	OK(mkdir("sg", 0777));
	OK(chown("sg", 0, 777));
	OK(chmod("sg", 02777));
	as_user(USER, USER, user_setid);
	drop_caches();
	EQ(stat_of("suid").st_mode & 07777, 0777);
	EQ(stat_of("suid2").st_mode & 07777, 0777);
	EQ(stat_of("sg/sub").st_gid, 777);
	put_file("sg/root", "");
	EQ(stat_of("sg/root").st_gid, 777);
	OK(chmod("suid", 06777));
	put_file("suid", "root may");
	EQ(stat_of("suid").st_mode & 07777, 06777);
}

/* ---- ACLs, in the encoding of the xattr ---------------------------------- */

struct acl_entry {
	uint16_t tag, perm;
	uint32_t id;
};

#define ALL_IDS	0xffffffffu

struct acl {
	uint32_t version;
	struct acl_entry e[8];
};

static int acl_set(const char *path, const char *name,
		   const struct acl_entry *e, int n)
{
	struct acl acl = { .version = 2 };

	memcpy(acl.e, e, n * sizeof(*e));
	return setxattr(path, name, &acl, 4 + n * 8, 0);
}

/* perm of the entry with tag (and id) */
static int acl_perm(const char *path, const char *name, int tag, uint32_t id)
{
	struct acl acl;
	int i, n = OK(getxattr(path, name, &acl, sizeof(acl)));

	for (i = 0; i < (n - 4) / 8; i++)
		if (acl.e[i].tag == tag &&
		    (acl.e[i].id == id || (tag != 2 && tag != 8)))
			return acl.e[i].perm;
	return -1;
}

static const struct acl_entry named_user[] = {
	{ 0x01, 6, ALL_IDS }, { 0x02, 6, USER }, { 0x04, 4, ALL_IDS },
	{ 0x10, 6, ALL_IDS }, { 0x20, 0, ALL_IDS },
};

static void user_acl_yes(void)
{
	OK(open("f", O_RDWR));
}

static void user_acl_read(void)
{
	OK(open("f", O_RDONLY));
	ERR(open("f", O_RDWR), EACCES);
}

static void user_acl_no(void)
{
	ERR(open("f", O_RDONLY), EACCES);
}

static void test_acl_access(void)
{
	static const struct acl_entry minimal[] = {
		{ 0x01, 7, ALL_IDS }, { 0x04, 5, ALL_IDS },
		{ 0x20, 1, ALL_IDS },
	};
	static const struct acl_entry bad[] = {
		{ 0x01, 7, ALL_IDS }, { 0x02, 7, USER }, { 0x20, 1, ALL_IDS },
	};
	char buf[64];

	put_file("f", "x");
	ERR(getxattr("f", ACCESS, buf, 64), ENODATA);
	OK(acl_set("f", ACCESS, named_user, 5));
	EQ(stat_of("f").st_mode, S_IFREG | 0660);	/* the mask shows */
	as_user(USER, USER, user_acl_yes);
	as_user(OTHER, OTHER, user_acl_no);
	drop_caches();
	EQ(stat_of("f").st_mode, S_IFREG | 0660);
	as_user(USER, USER, user_acl_yes);
	as_user(OTHER, OTHER, user_acl_no);
	OK(chmod("f", 0640));				/* changes the mask */
	EQ(acl_perm("f", ACCESS, 0x10, 0), 4);
	EQ(acl_perm("f", ACCESS, 0x04, 0), 4);
	as_user(USER, USER, user_acl_read);
	drop_caches();
	as_user(USER, USER, user_acl_read);
	ERR(acl_set("f", ACCESS, bad, 3), EINVAL);
	ERR(acl_set("f", DEFAULT, named_user, 5), EACCES);
	OK(acl_set("f", ACCESS, minimal, 3));		/* is only a mode */
	EQ(stat_of("f").st_mode, S_IFREG | 0751);
	ERR(getxattr("f", ACCESS, buf, 64), ENODATA);
	OK(acl_set("f", ACCESS, minimal, 3));
	OK(acl_set("f", ACCESS, named_user, 5));
	OK(removexattr("f", ACCESS));
	ERR(getxattr("f", ACCESS, buf, 64), ENODATA);
	drop_caches();
	ERR(getxattr("f", ACCESS, buf, 64), ENODATA);
	EQ(listxattr("f", NULL, 0), 0);
}

static void test_acl_default(void)
{
	char list[256];

	OK(mkdir("d", 0755));
	OK(acl_set("d", DEFAULT, named_user, 5));
	EQ(stat_of("d").st_mode, S_IFDIR | 0755);
	umask(077);			/* does not count here */
	OK(close(OK(open("d/f", O_CREAT | O_RDWR, 0666))));
	OK(close(OK(open("d/g", O_CREAT | O_RDWR, 0600))));
	OK(mkdir("d/e", 0777));
	OK(symlink("x", "d/l"));
	OK(mkfifo("d/p", 0666));
	drop_caches();
	EQ(stat_of("d/f").st_mode, S_IFREG | 0660);
	EQ(acl_perm("d/f", ACCESS, 0x02, USER), 6);
	EQ(acl_perm("d/f", ACCESS, 0x10, 0), 6);
	EQ(stat_of("d/g").st_mode, S_IFREG | 0600);
	EQ(acl_perm("d/g", ACCESS, 0x10, 0), 0);
	EQ(stat_of("d/e").st_mode, S_IFDIR | 0660);
	EQ(acl_perm("d/e", DEFAULT, 0x02, USER), 6);
	EQ(acl_perm("d/e", ACCESS, 0x02, USER), 6);
	EQ(stat_of("d/p").st_mode, S_IFIFO | 0660);
	EQ(llistxattr("d/l", list, sizeof(list)), 0);
	EQ(listxattr("d/e", list, sizeof(list)),
	   sizeof(ACCESS) + sizeof(DEFAULT));
	OK(removexattr("d", DEFAULT));
	OK(removexattr("d", DEFAULT));		/* none: not an error */
	OK(close(OK(open("d/h", O_CREAT | O_RDWR, 0666))));
	EQ(stat_of("d/h").st_mode, S_IFREG | 0600);
	EQ(listxattr("d/h", list, sizeof(list)), 0);
}

static long available_kib(void)
{
	char line[128];
	long kib = -1;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && kib < 0 && fgets(line, sizeof(line), f))
		sscanf(line, "MemAvailable: %ld", &kib);
	if (f)
		fclose(f);
	return kib;
}

/*
 * An ACL so long that what a folder would be born with does not fit into a
 * record. Regression: each attempt took its memory along.
 */
static void test_acl_too_long(void)
{
	const int entries = 8000, times = 300;
	uint8_t *acl = calloc(1, 4 + entries * sizeof(struct acl_entry));
	struct acl_entry *e = (struct acl_entry *)(acl + 4);
	int refused = 0;
	long before;

	*(uint32_t *)acl = 2;
	e[0] = (struct acl_entry){ 0x01, 7, ALL_IDS };
	for (int i = 1; i < entries - 3; i++)
		e[i] = (struct acl_entry){ 0x02, 7, 10000 + i };
	e[entries - 3] = (struct acl_entry){ 0x04, 5, ALL_IDS };
	e[entries - 2] = (struct acl_entry){ 0x10, 7, ALL_IDS };
	e[entries - 1] = (struct acl_entry){ 0x20, 5, ALL_IDS };
	OK(mkdir("d", 0755));
	if (setxattr("d", DEFAULT, acl, 4 + entries * sizeof(*e), 0)) {
		EQ(errno, ENOSPC);	/* ext4 */
		return;
	}
	before = available_kib();
	for (int i = 0; i < times; i++) {
		refused += mkdir("d/x", 0755) && errno == ENOSPC;
		rmdir("d/x");
	}
	CHECK(refused == times);
	/* 75 MiB, and more, if it stays */
	CHECK(available_kib() > before - 32 * 1024);
	free(acl);
}

const struct test perm_tests[] = {
	{ "perm_denied", test_denied },
	{ "perm_sticky", test_sticky },
	{ "perm_setid", test_setid },
	{ "acl_access", test_acl_access },
	{ "acl_default", test_acl_default },
	{ "acl_too_long", test_acl_too_long },
	{ NULL, NULL }
};
