// SPDX-License-Identifier: MPL-2.0
/*
 * passthrough SOURCE MOUNTPOINT: shows the folder SOURCE at MOUNTPOINT through
 * FUSE, each call passed on by path or by descriptor. A peer of the benchmarks:
 * what a filesystem costs whose every operation waits for a daemon. Attributes
 * and names may be cached for a second, as is the library's default.
 */
#define FUSE_USE_VERSION 31
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int source;

/* Paths come with a leading slash; the folder itself is ".". */
static const char *below(const char *path)
{
	return path[1] ? path + 1 : ".";
}

static int result(int value)
{
	return value < 0 ? -errno : 0;
}

static void *pass_init(struct fuse_conn_info *conn, struct fuse_config *cfg)
{
	(void)conn;
	cfg->use_ino = 1;
	return NULL;
}

static int pass_getattr(const char *path, struct stat *st,
			struct fuse_file_info *fi)
{
	if (fi)
		return result(fstat((int)fi->fh, st));
	return result(fstatat(source, below(path), st, AT_SYMLINK_NOFOLLOW));
}

static int pass_readdir(const char *path, void *buf, fuse_fill_dir_t fill,
			off_t offset, struct fuse_file_info *fi,
			enum fuse_readdir_flags flags)
{
	int fd = openat(source, below(path), O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	(void)offset;
	(void)fi;
	(void)flags;
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		struct stat st = { .st_ino = entry->d_ino,
				   .st_mode = (mode_t)entry->d_type << 12 };

		if (fill(buf, entry->d_name, &st, 0, 0))
			break;
	}
	closedir(dir);
	return 0;
}

static int pass_open(const char *path, struct fuse_file_info *fi)
{
	int fd = openat(source, below(path), fi->flags & ~O_CREAT);

	fi->fh = (uint64_t)fd;
	return result(fd);
}

static int pass_create(const char *path, mode_t mode, struct fuse_file_info *fi)
{
	int fd = openat(source, below(path), fi->flags, mode);

	fi->fh = (uint64_t)fd;
	return result(fd);
}

static int pass_release(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	return result(close((int)fi->fh));
}

static int pass_read(const char *path, char *to, size_t size, off_t at,
		     struct fuse_file_info *fi)
{
	ssize_t n = pread((int)fi->fh, to, size, at);

	(void)path;
	return n < 0 ? -errno : (int)n;
}

static int pass_write(const char *path, const char *from, size_t size, off_t at,
		      struct fuse_file_info *fi)
{
	ssize_t n = pwrite((int)fi->fh, from, size, at);

	(void)path;
	return n < 0 ? -errno : (int)n;
}

static int pass_fsync(const char *path, int data, struct fuse_file_info *fi)
{
	(void)path;
	return result(data ? fdatasync((int)fi->fh) : fsync((int)fi->fh));
}

static int pass_mkdir(const char *path, mode_t mode)
{
	return result(mkdirat(source, below(path), mode));
}

static int pass_unlink(const char *path)
{
	return result(unlinkat(source, below(path), 0));
}

static int pass_rmdir(const char *path)
{
	return result(unlinkat(source, below(path), AT_REMOVEDIR));
}

static int pass_rename(const char *from, const char *to, unsigned int flags)
{
	return result(renameat2(source, below(from), source, below(to), flags));
}

static int pass_link(const char *from, const char *to)
{
	return result(linkat(source, below(from), source, below(to), 0));
}

static int pass_chmod(const char *path, mode_t mode, struct fuse_file_info *fi)
{
	(void)fi;
	return result(fchmodat(source, below(path), mode, 0));
}

static int pass_chown(const char *path, uid_t uid, gid_t gid,
		      struct fuse_file_info *fi)
{
	(void)fi;
	return result(fchownat(source, below(path), uid, gid,
			       AT_SYMLINK_NOFOLLOW));
}

static int pass_truncate(const char *path, off_t size,
			 struct fuse_file_info *fi)
{
	int fd = fi ? (int)fi->fh : openat(source, below(path), O_WRONLY);
	int status = fd < 0 ? -errno : result(ftruncate(fd, size));

	if (!fi && fd >= 0)
		close(fd);
	return status;
}

static int pass_utimens(const char *path, const struct timespec times[2],
			struct fuse_file_info *fi)
{
	(void)fi;
	return result(utimensat(source, below(path), times,
				AT_SYMLINK_NOFOLLOW));
}

static int pass_statfs(const char *path, struct statvfs *to)
{
	(void)path;
	return result(fstatvfs(source, to));
}

static const struct fuse_operations operations = {
	.init = pass_init,
	.getattr = pass_getattr,
	.readdir = pass_readdir,
	.open = pass_open,
	.create = pass_create,
	.release = pass_release,
	.read = pass_read,
	.write = pass_write,
	.fsync = pass_fsync,
	.mkdir = pass_mkdir,
	.unlink = pass_unlink,
	.rmdir = pass_rmdir,
	.rename = pass_rename,
	.link = pass_link,
	.chmod = pass_chmod,
	.chown = pass_chown,
	.truncate = pass_truncate,
	.utimens = pass_utimens,
	.statfs = pass_statfs,
};

int main(int argc, char **argv)
{
	char *arguments[] = { argv[0], argv[2], "-s", NULL };

	if (argc != 3) {
		fprintf(stderr, "usage: passthrough SOURCE MOUNTPOINT\n");
		return 2;
	}
	source = open(argv[1], O_RDONLY | O_DIRECTORY);
	if (source < 0) {
		perror(argv[1]);
		return 1;
	}
	umask(0);
	return fuse_main(3, arguments, &operations, NULL);
}
