// SPDX-License-Identifier: MPL-2.0
/* Does one operation on a real filesystem, in the current directory. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lakecrash.h"

#define PATH_BYTES 4096

void lc_executor_init(struct lc_executor *x)
{
	memset(x, 0, sizeof(*x));
	for (int i = 0; i < LC_ORPHANS; i++)
		x->orphans[i] = -1;
	x->buffer = aligned_alloc(4096, LC_MAX_SIZE);
	if (!x->buffer) {
		fputs("lakecrash: out of memory\n", stderr);
		exit(2);
	}
}

/* 0 or an errno; a short write counts as an I/O error. */
static int write_pattern(struct lc_executor *x, const struct lc_model *m,
			 const struct lc_op *op, int fd)
{
	uint32_t done = 0;

	lc_pattern(m->seed, m->stream, op->node, op->index, op->offset,
		   op->length, x->buffer);
	while (done < op->length) {
		ssize_t n = pwrite(fd, x->buffer + done, op->length - done,
				   op->offset + done);

		if (n < 0)
			return errno;
		if (n == 0)
			return EIO;
		done += n;
	}
	return 0;
}

static int write_mapped(struct lc_executor *x, const struct lc_model *m,
			const struct lc_op *op, int fd)
{
	uint32_t start = op->offset / 4096 * 4096;
	uint32_t length = op->offset - start + op->length;
	uint8_t *map = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED,
			    fd, start);

	(void)x;
	if (map == MAP_FAILED)
		return errno;
	lc_pattern(m->seed, m->stream, op->node, op->index, op->offset,
		   op->length, map + (op->offset - start));
	return munmap(map, length) ? errno : 0;
}

/* The file stays open without a name until LC_ORPHANS others followed. */
static int keep_orphan(struct lc_executor *x, const struct lc_model *m,
		       const struct lc_op *op, int fd)
{
	int *slot = &x->orphans[x->next_orphan++ % LC_ORPHANS];
	int error = write_pattern(x, m, op, fd);

	if (*slot >= 0 && close(*slot) && !error)
		error = errno;
	*slot = fd;
	return error;
}

static int run_create(struct lc_executor *x, const struct lc_model *m,
		      const struct lc_op *op, const char *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, op->mode);
	int error;

	if (fd < 0)
		return errno;
	error = op->length ? write_pattern(x, m, op, fd) : 0;
	return close(fd) && !error ? errno : error;
}

static int run_tmpfile(struct lc_executor *x, const struct lc_model *m,
		       const struct lc_op *op, const char *path)
{
	char dir[PATH_BYTES], link_path[64];
	int fd, error;

	lc_path(m, op->dir, -1, dir, sizeof(dir));
	fd = open(dir, O_TMPFILE | O_WRONLY, op->mode);
	if (fd < 0)
		return errno;
	error = write_pattern(x, m, op, fd);
	if (!error && op->sync && fsync(fd))
		error = errno;
	snprintf(link_path, sizeof(link_path), "/proc/self/fd/%d", fd);
	if (!error && linkat(AT_FDCWD, link_path, AT_FDCWD, path,
			     AT_SYMLINK_FOLLOW))
		error = errno;
	return close(fd) && !error ? errno : error;
}

static int run_orphan(struct lc_executor *x, const struct lc_model *m,
		      const struct lc_op *op)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);

	return fd < 0 ? errno : keep_orphan(x, m, op, fd);
}

static int run_write(struct lc_executor *x, const struct lc_model *m,
		     const struct lc_op *op, const char *path)
{
	int flags = op->how == LC_DIRECT ? O_DIRECT :
		    op->how == LC_DSYNC ? O_DSYNC : 0;
	int fd = open(path, O_RDWR | flags);
	int error;

	if (fd < 0)
		return errno;
	error = op->how == LC_MMAP ? write_mapped(x, m, op, fd)
				   : write_pattern(x, m, op, fd);
	return close(fd) && !error ? errno : error;
}

/* Where there is no reflink (ext4) the same by hand. */
static int copy_over(struct lc_executor *x, int from, int to)
{
	ssize_t n = pread(from, x->buffer, LC_MAX_SIZE, 0);
	ssize_t done = 0, got;

	if (n < 0)
		return errno;
	for (; done < n; done += got) {
		got = pwrite(to, x->buffer + done, n - done, done);
		if (got <= 0)
			return got ? errno : EIO;
	}
	return 0;
}

static int run_clone(struct lc_executor *x, const char *path,
		     const char *path2)
{
	int from = open(path2, O_RDONLY), to = open(path, O_RDWR);
	int error = 0;

	if (from < 0 || to < 0 || ioctl(to, FICLONE, from))
		error = errno;
	if (error == EOPNOTSUPP)
		error = copy_over(x, from, to);
	if (from >= 0)
		close(from);
	return to >= 0 && close(to) && !error ? errno : error;
}

static int run_range(const struct lc_op *op, const char *path)
{
	int mode = FALLOC_FL_KEEP_SIZE |
		   (op->kind == LC_PUNCH ? FALLOC_FL_PUNCH_HOLE :
		    op->kind == LC_ZERO ? FALLOC_FL_ZERO_RANGE : 0);
	int fd = open(path, O_RDWR);
	int error;

	if (fd < 0)
		return errno;
	error = fallocate(fd, mode, op->offset, op->length) ? errno : 0;
	return close(fd) && !error ? errno : error;
}

static int run_xattr(const struct lc_op *op, const char *path)
{
	if (op->mode)
		return setxattr(path, LC_XATTR_NAME, &op->mode,
				sizeof(op->mode), 0) ? errno : 0;
	return removexattr(path, LC_XATTR_NAME) ? errno : 0;
}

static int run_unlink(struct lc_executor *x, const struct lc_model *m,
		      const struct lc_op *op, const char *path)
{
	int fd;

	if (!op->length)
		return unlink(path) ? errno : 0;
	fd = open(path, O_RDWR);
	if (fd < 0)
		return errno;
	if (unlink(path)) {
		int error = errno;

		close(fd);
		return error;
	}
	return keep_orphan(x, m, op, fd);
}

static int run_sync(const struct lc_op *op, const char *path)
{
	int fd, error = 0;

	if (op->kind == LC_SYNC) {
		sync();
		return 0;
	}
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return errno;
	if (op->kind == LC_SYNCFS ? syncfs(fd) :
	    op->kind == LC_FDATASYNC ? fdatasync(fd) : fsync(fd))
		error = errno;
	return close(fd) && !error ? errno : error;
}

static int run(struct lc_executor *x, const struct lc_model *m,
	       const struct lc_op *op, const char *path, const char *path2)
{
	char target[256];

	switch (op->kind) {
	case LC_CREATE:
		return run_create(x, m, op, path);
	case LC_TMPFILE:
		return run_tmpfile(x, m, op, path);
	case LC_ORPHAN:
		return run_orphan(x, m, op);
	case LC_WRITE:
		return run_write(x, m, op, path);
	case LC_TRUNCATE:
		return truncate(path, op->length) ? errno : 0;
	case LC_RENAME:
		return rename(path, path2) ? errno : 0;
	case LC_EXCHANGE:
		return renameat2(AT_FDCWD, path, AT_FDCWD, path2,
				 RENAME_EXCHANGE) ? errno : 0;
	case LC_CLONE:
		return run_clone(x, path, path2);
	case LC_PUNCH:
	case LC_ZERO:
	case LC_PREALLOC:
		return run_range(op, path);
	case LC_XATTR:
		return run_xattr(op, path);
	case LC_LINK:
		return link(path, path2) ? errno : 0;
	case LC_UNLINK:
		return run_unlink(x, m, op, path);
	case LC_MKDIR:
		return mkdir(path, op->mode) ? errno : 0;
	case LC_RMDIR:
		return rmdir(path) ? errno : 0;
	case LC_MKSYMLINK:
		lc_target(m, op->node, target, sizeof(target));
		return symlink(target, path) ? errno : 0;
	case LC_CHMOD:
		return chmod(path, op->mode) ? errno : 0;
	case LC_DIRSYNC:
		return run_sync(op, path2);
	case LC_SYNCFS:
	case LC_SYNC:
		return run_sync(op, ".");
	default:
		return run_sync(op, path);
	}
}

/* 0, or the errno of the call that failed, after a line on stderr. */
int lc_execute(struct lc_executor *x, const struct lc_model *m,
	       const struct lc_op *op)
{
	char path[PATH_BYTES], path2[PATH_BYTES];
	int error;

	lc_path(m, op->dir, op->name, path, sizeof(path));
	if (op->kind == LC_DIRSYNC)
		lc_path(m, op->node, -1, path2, sizeof(path2));
	else
		lc_path(m, op->dir2, op->name2, path2, sizeof(path2));
	error = run(x, m, op, path, path2);
	if (error)
		fprintf(stderr, "lakecrash: stream %u op %u %s %s: %s\n",
			m->stream, op->index, lc_kind_name(op->kind), path,
			strerror(error));
	return error;
}
