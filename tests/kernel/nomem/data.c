// SPDX-License-Identifier: MPL-2.0
/* the content of files */
#include "nomem.h"
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>

#define BYTES		21000	/* of f; six blocks, the last one in part */
#define BLOCK		4096

static int open_f(void)
{
	return open("f", O_RDWR);
}

static void put_f(void)
{
	put_pattern("f", BYTES);
}

static void put_none(void)
{
	unlink("f");
}

/* g has the same blocks */
static void put_shared(void)
{
	int from, to;

	put_f();
	from = OK(open("f", O_RDONLY));
	to = OK(open("g", O_RDWR | O_CREAT | O_TRUNC, 0644));
	OK(ioctl(to, FICLONE, from));
	OK(fsync(to));
	close(from);
	close(to);
}

static void put_equal(void)
{
	put_f();
	put_pattern("g", BYTES);
}

static void put_holes(void)
{
	int fd;

	put_f();
	fd = OK(open_f());
	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, BLOCK,
		     2 * BLOCK));
	OK(fsync(fd));
	close(fd);
}

static void all_there(void)
{
	CHECK(has_pattern("f", 0, BYTES));
}

static void twin_there(void)
{
	CHECK(has_pattern("f", 0, BYTES));
	CHECK(has_pattern("g", 0, BYTES));
}

static void half_there(void)
{
	CHECK(has_pattern("f", 0, 6000));
}

/* fd, or what open said; closes it with the call's result */
#define WITH_F(call) \
	({ \
		int fd = open_f(), err_; \
		err_ = fd < 0 ? -errno : result_of(call); \
		if (fd >= 0) \
			close(fd); \
		err_; \
	})

/* [from, to) of the pattern */
static int write_some(int flags, long from, long to)
{
	int fd = open("f", O_RDWR | O_CREAT | flags, 0644), err = 0;
	static char buf[BYTES + BLOCK] __attribute__((aligned(BLOCK)));
	long i, n;

	if (fd < 0)
		return -errno;
	for (i = from; i < to; i++)
		buf[i - from] = pattern(i);
	for (i = from; i < to && !err; i += n) {
		n = pwrite(fd, buf + (i - from), to - i, i);
		if (n <= 0)
			err = n ? -errno : -EBADMSG;
	}
	if (!err)
		err = result_of(fsync(fd));
	close(fd);
	return err;
}

static int run_write(void) { return write_some(0, 0, BYTES); }
static int run_write_in(void) { return write_some(0, 3000, 9000); }
static int run_append(void) { return write_some(0, BYTES, BYTES + 300); }
static int run_direct(void) { return write_some(O_DIRECT, 0, 5 * BLOCK); }

static int run_read(void)
{
	static char buf[BYTES];
	int fd = open_f(), err = 0;
	long i, n;

	if (fd < 0)
		return -errno;
	n = pread(fd, buf, BYTES, 0);
	if (n < 0)
		err = -errno;
	for (i = 0; i < n && !err; i++)
		if (buf[i] != pattern(i))
			err = -EBADMSG;
	close(fd);
	return err;
}

static int run_direct_read(void)
{
	static char buf[4 * BLOCK] __attribute__((aligned(BLOCK)));
	int fd = open("f", O_RDONLY | O_DIRECT), err = 0;
	long n;

	if (fd < 0)
		return -errno;
	n = pread(fd, buf, sizeof(buf), 0);
	if (n < 0)
		err = -errno;
	else if (n && buf[n - 1] != pattern(n - 1))
		err = -EBADMSG;
	close(fd);
	return err;
}

static int run_store(void)
{
	int fd = open_f(), err;
	char *map;

	if (fd < 0)
		return -errno;
	map = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	err = map == MAP_FAILED ? -errno : 0;
	if (!err) {
		map[100] = pattern(100);
		map[3 * BLOCK] = pattern(3 * BLOCK);
		err = result_of(msync(map, BYTES, MS_SYNC));
		munmap(map, BYTES);
	}
	close(fd);
	return err;
}

static int run_shrink(void) { return result_of(truncate("f", 6000)); }
static int run_grow(void) { return result_of(truncate("f", 100000)); }

static int run_falloc(void) { return WITH_F(fallocate(fd, 0, 0, 200000)); }

static int run_punch(void)
{
	return WITH_F(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				6000, 9000));
}

static int run_zero(void)
{
	return WITH_F(fallocate(fd, FALLOC_FL_ZERO_RANGE, 6000, 9000));
}

static int run_collapse(void)
{
	return WITH_F(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 2 * BLOCK,
				BLOCK));
}

static int run_insert(void)
{
	return WITH_F(fallocate(fd, FALLOC_FL_INSERT_RANGE, 2 * BLOCK, BLOCK));
}

static int run_unshare(void)
{
	return WITH_F(fallocate(fd, FALLOC_FL_UNSHARE_RANGE, 0, BYTES));
}

static int run_clone(void)
{
	int to = open("g", O_RDWR | O_CREAT | O_TRUNC, 0644), err;

	if (to < 0)
		return -errno;
	err = WITH_F(ioctl(to, FICLONE, fd));
	close(to);
	return err;
}

static int run_copy(void)
{
	int to = open("g", O_RDWR | O_CREAT | O_TRUNC, 0644), err;
	loff_t in, out;

	if (to < 0)
		return -errno;
	in = out = 0;
	err = WITH_F(copy_file_range(fd, &in, to, &out, BYTES, 0));
	close(to);
	return err ? err : out == BYTES ? 0 : -ENOMEM; /* short: no error */
}

static int run_dedupe(void)
{
	struct {
		struct file_dedupe_range head;
		struct file_dedupe_range_info info;
	} arg = { { .src_length = 4 * BLOCK, .dest_count = 1 } };
	int to = open("g", O_RDWR), err;

	if (to < 0)
		return -errno;
	arg.info.dest_fd = to;
	err = WITH_F(ioctl(fd, FIDEDUPERANGE, &arg));
	close(to);
	return err ? err : arg.info.status < 0 ? arg.info.status : 0;
}

static int run_fiemap(void)
{
	struct {
		struct fiemap head;
		struct fiemap_extent extents[8];
	} arg = { { .fm_length = ~0ull, .fm_extent_count = 8 } };

	return WITH_F(ioctl(fd, FS_IOC_FIEMAP, &arg));
}

static int run_seek(void)
{
	return WITH_F(lseek(fd, 0, SEEK_HOLE));
}

static int run_trim(void)
{
	struct fstrim_range range = { .len = ~0ull };

	return WITH_F(ioctl(fd, FITRIM, &range));
}

const struct op data_ops[] = {
	{ "nomem_write", put_none, run_write, all_there },
	{ "nomem_write_in", put_f, run_write_in, all_there },
	{ "nomem_write_in_cold", put_f, run_write_in, all_there, .cold = true },
	{ "nomem_write_shared", put_shared, run_write_in, twin_there },
	{ "nomem_write_hole", put_holes, run_write, all_there, .cold = true },
	{ "nomem_append_cold", put_f, run_append, all_there, .cold = true },
	{ "nomem_direct", put_f, run_direct, all_there, .cold = true },
	{ "nomem_direct_new", put_none, run_direct },
	{ "nomem_direct_read", put_f, run_direct_read, all_there,
		.cold = true },
	{ "nomem_read_cold", put_f, run_read, all_there, .cold = true,
		.also = -EIO },
	{ "nomem_store", put_f, run_store, all_there },
	{ "nomem_store_cold", put_f, run_store, all_there, .cold = true },
	{ "nomem_store_shared", put_shared, run_store, twin_there,
		.cold = true },
	{ "nomem_shrink", put_f, run_shrink, half_there },
	{ "nomem_shrink_cold", put_f, run_shrink, half_there, .cold = true },
	{ "nomem_grow", put_f, run_grow, all_there },
	{ "nomem_falloc", put_f, run_falloc, all_there },
	{ "nomem_punch", put_f, run_punch, half_there },
	{ "nomem_zero", put_f, run_zero, half_there },
	{ "nomem_collapse", put_f, run_collapse },
	{ "nomem_insert", put_f, run_insert },
	{ "nomem_unshare", put_shared, run_unshare, twin_there },
	{ "nomem_clone", put_f, run_clone, twin_there },
	{ "nomem_copy", put_f, run_copy, twin_there },
	{ "nomem_dedupe", put_equal, run_dedupe, twin_there },
	{ "nomem_fiemap_cold", put_shared, run_fiemap, .cold = true },
	{ "nomem_seek_cold", put_holes, run_seek, .cold = true },
	{ "nomem_trim", put_f, run_trim, all_there },
	{ }
};
