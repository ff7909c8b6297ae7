// SPDX-License-Identifier: MPL-2.0
/*
 * vfstest --list DIR: everything a tree holds, in text: to be compared before
 * and after an unmount. Access times are left out: listing changes them.
 */
#include "vfstest.h"
#include <sys/ioctl.h>
#include <linux/fs.h>
#include <sys/xattr.h>

static uint32_t hash_bytes(uint32_t hash, const void *data, size_t bytes)
{
	const unsigned char *p = data;

	while (bytes--)
		hash = (hash ^ *p++) * 16777619u;
	return hash;
}

static uint32_t hash_file(const char *path)
{
	static char buf[65536];
	uint32_t hash = 2166136261u;
	int fd = open(path, O_RDONLY | O_NOATIME);
	ssize_t n;

	if (fd < 0)
		return errno;
	/* sparse giants: their first 16 MiB will do */
	for (int i = 0; i < 256 && (n = read(fd, buf, sizeof(buf))) > 0; i++)
		hash = hash_bytes(hash, buf, n);
	close(fd);
	return hash;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_xattrs(const char *path)
{
	static char names[65536], value[65536];
	ssize_t n = llistxattr(path, names, sizeof(names)), got;
	char *sorted[4096];
	int count = 0;

	if (n < 0)
		printf(" xattrs=%s", strerror(errno));
	for (char *p = names; n > 0 && p < names + n && count < 4096;
	     p += strlen(p) + 1)
		sorted[count++] = p;
	qsort(sorted, count, sizeof(sorted[0]), by_name);
	for (int i = 0; i < count; i++) {
		got = lgetxattr(path, sorted[i], value, sizeof(value));
		printf(" %s=%zd:%x", sorted[i], got,
		       got > 0 ? hash_bytes(2166136261u, value, got) : 0);
	}
}

static void list_one(const char *path, const struct statx *s)
{
	char target[5000];
	ssize_t n;

	printf("%s ino %llu mode %o links %u owner %u:%u rdev %u:%u size %llu",
	       path, (unsigned long long)s->stx_ino, s->stx_mode, s->stx_nlink,
	       s->stx_uid, s->stx_gid, s->stx_rdev_major, s->stx_rdev_minor,
	       (unsigned long long)s->stx_size);
	printf(" m %lld.%09u c %lld.%09u b %lld.%09u flags %llx",
	       (long long)s->stx_mtime.tv_sec, s->stx_mtime.tv_nsec,
	       (long long)s->stx_ctime.tv_sec, s->stx_ctime.tv_nsec,
	       (long long)s->stx_btime.tv_sec, s->stx_btime.tv_nsec,
	       (unsigned long long)s->stx_attributes);
	if (S_ISLNK(s->stx_mode)) {
		n = readlink(path, target, sizeof(target));
		printf(" -> %x", n < 0 ? 0u :
		       hash_bytes(2166136261u, target, n));
	}
	if (S_ISREG(s->stx_mode))
		printf(" content %x", hash_file(path));
	list_xattrs(path);
	putchar('\n');
}

/* Returns the number of things that could not be listed. */
int list_tree(const char *path)
{
	struct dirent **entries;
	char child[PATH_MAX];
	struct statx s;
	int n, bad = 0;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW,
		  STATX_BASIC_STATS | STATX_BTIME, &s)) {
		printf("%s: %s\n", path, strerror(errno));
		return 1;
	}
	list_one(path, &s);
	if (!S_ISDIR(s.stx_mode))
		return 0;
	n = scandir(path, &entries, NULL, alphasort);
	if (n < 0) {
		printf("%s: %s\n", path, strerror(errno));
		return 1;
	}
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;

		if (strcmp(name, ".") && strcmp(name, "..")) {
			if (snprintf(child, sizeof(child), "%s/%s", path,
				     name) < (int)sizeof(child))
				bad += list_tree(child);
			else
				bad++;
		}
		free(entries[i]);
	}
	free(entries);
	return bad;
}
