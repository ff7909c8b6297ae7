// SPDX-License-Identifier: MPL-2.0
/*
 * SHARE: two files that are equal map the same blocks afterwards, and nobody
 * who uses either sees a difference but in the free space. When it is refused
 * nothing has changed. share.c is about the same by reflink.
 */
#include "sealing.h"
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/uio.h>

#define BLOCKS	20
#define BYTES	(BLOCKS * BLOCK)
#define SEED	5	/* of share_write() */
#define OTHER	9

static int make(const char *name, uint64_t bytes)
{
	int fd = OK(open(path(name), O_RDWR | O_CREAT | O_TRUNC, 0644));

	put_pattern(fd, 0, bytes, SEED);
	return fd;
}

static int make_checked(const char *name, uint64_t bytes)
{
	int fd = make(name, bytes);

	seal_checked(fd, 0, (bytes + BLOCK - 1) / BLOCK);
	return fd;
}

static uint64_t phys(int fd, uint64_t block)
{
	return seal_where(fd, block).phys;
}

static void check_same_places(int a, int b, uint64_t blocks)
{
	for (uint64_t i = 0; i < blocks; i++) {
		struct seal_answer at = seal_where(b, i);

		EQ(at.phys, phys(a, i));
		EQ(at.flags, SEAL_IS_SEALED | SEAL_IS_CHECKED);
	}
}

static void check_same_stat(int fd, const struct stat *before)
{
	struct stat now;

	OK(fstat(fd, &now));
	EQ(now.st_size, before->st_size);
	EQ(now.st_blocks, before->st_blocks);
	EQ(now.st_mtim.tv_sec, before->st_mtim.tv_sec);
	EQ(now.st_mtim.tv_nsec, before->st_mtim.tv_nsec);
	EQ(now.st_ctim.tv_sec, before->st_ctim.tv_sec);
	EQ(now.st_ctim.tv_nsec, before->st_ctim.tv_nsec);
}

/* ---- done ---------------------------------------------------------------- */

/* The last block is a part of one: what is behind the end differs. */
static void sharing_equal(void)
{
	const uint64_t bytes = BYTES - 700;
	int a = make("a", BYTES), b = make("b", bytes);
	uint64_t before = lake_number("checked_reads");
	struct stat stat_a, stat_b;

	OK(fsync(a));
	OK(ftruncate(a, bytes));
	seal_checked(a, 0, BLOCKS);
	seal_checked(b, 0, BLOCKS);
	OK(fstat(a, &stat_a));
	OK(fstat(b, &stat_b));
	CHECK(phys(a, 0) != phys(b, 0));
	EQ(shared_blocks(b), 0);
	seal_share(a, b, 0, BLOCKS);
	check_same_places(a, b, BLOCKS);
	EQ(shared_blocks(a), BLOCKS);
	EQ(shared_blocks(b), BLOCKS);
	check_same_stat(a, &stat_a);
	check_same_stat(b, &stat_b);
	check_pattern(a, 0, bytes, SEED);
	check_pattern(b, 0, bytes, SEED);
	/* its pages were dropped: what was read is compared again */
	CHECK(lake_number("checked_reads") >= before + BLOCKS);
	/* once more is no matter, nor is the other way */
	seal_share(a, b, 0, BLOCKS);
	seal_share(b, a, 3, 4);
	OK(ftruncate(b, BYTES));
	check_zero(b, bytes, 700);
	OK(ftruncate(b, bytes));
	close(a);
	close(b);
	drop_caches();
	a = OK(open(path("a"), O_RDWR));
	b = OK(open(path("b"), O_RDWR));
	/* growing wrote the last block anew */
	EQ(shared_blocks(a), BLOCKS - 1);
	EQ(file_size(b), bytes);
	check_pattern(a, 0, bytes, SEED);
	check_pattern(b, 0, bytes, SEED);
	close(a);
	close(b);
}

static void sharing_remount(void)
{
	int a = make_checked("a", BYTES), b = make_checked("b", BYTES);
	struct stat stat_b;

	OK(fstat(b, &stat_b));
	seal_share(a, b, 0, BLOCKS);
	close(a);
	close(b);
	CHECK(remount());
	a = OK(open(path("a"), O_RDWR));
	b = OK(open(path("b"), O_RDWR));
	check_same_stat(b, &stat_b);
	check_same_places(a, b, BLOCKS);
	check_pattern(b, 0, BYTES, SEED);
	close(a);
	close(b);
}

static uint64_t free_blocks(int fd)
{
	struct statvfs st;

	OK(syncfs(fd));
	OK(fstatvfs(fd, &st));
	return st.f_bfree;
}

static void sharing_space(void)
{
	const uint64_t blocks = 1024, slack = 64;
	int a = make_checked("a", blocks * BLOCK);
	int b = make_checked("b", blocks * BLOCK);
	uint64_t before = free_blocks(b), after;

	/* in pieces, as a larger file has to be */
	for (uint64_t at = 0; at < blocks; at += 400)
		seal_share(a, b, at, at + 400 < blocks ? 400 : blocks - at);
	after = free_blocks(b);
	CHECK(after >= before + blocks - slack);
	CHECK(after <= before + blocks + slack);
	EQ(shared_blocks(b), blocks);
	close(a);
	OK(unlink(path("a")));
	/* what was given up is written by others */
	before = free_blocks(b);
	a = make("c", blocks * BLOCK);
	put_pattern(a, 0, blocks * BLOCK, OTHER);
	CHECK(free_blocks(b) <= before - blocks + slack);
	drop_caches();
	check_pattern(b, 0, blocks * BLOCK, SEED);
	close(a);
	close(b);
}

/* Each way of writing to one side leaves the other one as it was. */
static void sharing_sides(void)
{
	for (int way = 0; way < SHARE_WAYS; way++)
		for (int side = 0; side < 2; side++) {
			uint64_t pos = 3 * BLOCK + 512, len = 5 * BLOCK;
			int a = make_checked("a", BYTES);
			int b = make_checked("b", BYTES);
			int written = side ? b : a, kept = side ? a : b;
			uint64_t was = phys(a, 5);

			seal_share(a, b, 0, BLOCKS);
			EQ(phys(b, 5), was);
			share_write(written, way, pos, len);
			share_check(written, way, pos, len);
			check_pattern(kept, 0, BYTES, SEED);
			EQ(phys(kept, 5), was);
			OK(fsync(written));
			CHECK(seal_ask(written, SEAL_CALL_WHERE, 5, 1).phys !=
			      was);
			drop_caches();
			share_check(written, way, pos, len);
			check_pattern(kept, 0, BYTES, SEED);
			close(a);
			close(b);
		}
}

static int64_t mapped(int fd)
{
	struct stat st;

	OK(fsync(fd));
	OK(fstat(fd, &st));
	return st.st_blocks / (BLOCK / 512);
}

static void check_hole(int fd, uint64_t block)
{
	EQ(seal_ask(fd, SEAL_CALL_WHERE, block, 1).error, ENOENT);
}

static void put_zero(int fd, uint64_t pos, uint64_t len)
{
	void *zero = calloc(1, len);

	EQ(pwrite(fd, zero, len, pos), len);
	free(zero);
}

/* Zeroes are a hole, preallocated, or written; behind the end is nothing. */
static void sharing_holes(void)
{
	int a = make("a", 8 * BLOCK), b = make("b", 8 * BLOCK);

	put_zero(a, 4 * BLOCK, 2 * BLOCK);
	OK(fallocate(b, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4 * BLOCK,
		     2 * BLOCK));
	OK(fallocate(a, 0, 12 * BLOCK, 4 * BLOCK));
	put_zero(b, 8 * BLOCK, 8 * BLOCK);
	put_pattern(a, 16 * BLOCK, 4 * BLOCK, SEED);
	put_pattern(b, 16 * BLOCK, 4 * BLOCK, SEED);
	OK(fallocate(b, FALLOC_FL_KEEP_SIZE, BYTES, 8 * BLOCK));
	EQ(mapped(a), 16);
	EQ(mapped(b), 26);
	seal_checked(a, 0, 40);
	seal_checked(b, 0, 40);
	seal_share(a, b, 0, 40);
	EQ(mapped(a), 16);
	EQ(mapped(b), 12);
	EQ(phys(b, 4), phys(a, 4));
	check_hole(b, 9);
	check_hole(b, 13);
	check_hole(b, BLOCKS);
	EQ(shared_blocks(b), 12);
	/* the preallocated ones are the source's alone */
	put_pattern(a, 13 * BLOCK, BLOCK, OTHER);
	put_pattern(b, 14 * BLOCK, BLOCK, OTHER);
	drop_caches();
	EQ(file_size(b), BYTES);
	check_pattern(b, 0, 4 * BLOCK, SEED);
	check_zero(b, 4 * BLOCK, 2 * BLOCK);
	check_zero(b, 8 * BLOCK, 6 * BLOCK);
	check_pattern(b, 14 * BLOCK, BLOCK, OTHER);
	check_pattern(b, 16 * BLOCK, 4 * BLOCK, SEED);
	check_zero(a, 14 * BLOCK, 2 * BLOCK);
	close(a);
	close(b);
}

static void refused_once(const struct seal_call *call)
{
	struct seal_answer a = seal_ask_call(call);

	EQ(a.error, EAGAIN);
	for (int i = 0; i < 100 && a.error == EAGAIN; i++) {
		usleep(10000);
		a = seal_ask_call(call);
	}
	EQ(a.error, 0);
}

/* A part of two files that differ elsewhere, dirty and longer ones at that. */
static void sharing_parts(void)
{
	int a = make("a", BYTES), b = make("b", BYTES);
	struct seal_call call = share_call_of(a, b, 4, 8);

	seal_checked(a, 4, 8);
	seal_checked(b, 4, 8);
	put_pattern(b, 0, 4 * BLOCK, OTHER);
	OK(fsync(b));
	put_pattern(b, BYTES, 3 * BLOCK + 5, OTHER);
	put_pattern(b, 100, 50, SEED);
	put_pattern(a, 12 * BLOCK, BLOCK, OTHER);
	/* once refused: what will be written in place is said first */
	refused_once(&call);
	EQ(phys(b, 4), phys(a, 4));
	CHECK(phys(b, 3) != phys(a, 3));
	CHECK(phys(b, 12) != phys(a, 12));
	drop_caches();
	check_pattern(b, 0, 100, OTHER);
	check_pattern(b, 100, 50, SEED);
	check_pattern(b, 4 * BLOCK, 16 * BLOCK, SEED);
	check_pattern(b, BYTES, 3 * BLOCK + 5, OTHER);
	check_pattern(a, 12 * BLOCK, BLOCK, OTHER);
	close(a);
	close(b);
}

static void sharing_truncate(void)
{
	int a = make_checked("a", BYTES), b = make_checked("b", BYTES), c;
	struct seal_call call = share_call_of(a, b, 0, BLOCKS);

	/* before it is asked for */
	OK(fsync(a));
	call.map_seq = seal_where(b, 0).map_seq;
	OK(ftruncate(a, 10 * BLOCK + 100));
	seal_ask_refused(&call, EAGAIN);
	check_pattern(b, 0, BYTES, SEED);
	/* one ends within the range, and the other one does not */
	OK(fsync(a));
	seal_checked(a, 0, BLOCKS);
	call.map_seq = SEAL_NOW;
	seal_ask_refused(&call, EAGAIN);
	call.blocks = 11;
	seal_ask_refused(&call, EAGAIN);
	seal_share(a, b, 0, 10);
	EQ(shared_blocks(b), 10);
	check_pattern(b, 0, BYTES, SEED);
	/* afterwards, and what it had is written by others */
	OK(ftruncate(a, 3 * BLOCK + 50));
	OK(fsync(a));
	c = make("c", BYTES);
	put_pattern(c, 0, BYTES, OTHER);
	OK(fsync(c));
	drop_caches();
	check_pattern(b, 0, BYTES, SEED);
	OK(ftruncate(b, 2 * BLOCK + 7));
	OK(ftruncate(b, BYTES));
	drop_caches();
	check_pattern(a, 0, 3 * BLOCK + 50, SEED);
	check_pattern(b, 0, 2 * BLOCK + 7, SEED);
	check_zero(b, 2 * BLOCK + 7, BYTES - 2 * BLOCK - 7);
	close(a);
	OK(unlink(path("a")));
	check_pattern(b, 0, 2 * BLOCK + 7, SEED);
	close(b);
	close(c);
}

/* ---- refused ------------------------------------------------------------- */

static void refused(struct seal_call call, int error)
{
	seal_ask_refused(&call, error);
}

static void sharing_refused(void)
{
	int a = make_checked("a", BYTES), b = make_checked("b", BYTES);
	uint64_t place_a = phys(a, 3), place_b = phys(b, 3);
	struct seal_call good = share_call_of(a, b, 0, BLOCKS), bad = good;
	int dir = OK(open(path(""), O_RDONLY | O_DIRECTORY));

	bad.dst_ino = bad.ino;
	bad.dst_generation = bad.generation;
	refused(bad, EINVAL);
	refused(share_call_of(dir, b, 0, BLOCKS), EINVAL);
	refused(share_call_of(a, dir, 0, BLOCKS), EINVAL);
	close(dir);
	bad = good;
	bad.generation++;
	refused(bad, ENOENT);
	bad = good;
	bad.dst_generation++;
	refused(bad, ENOENT);
	bad = good;
	bad.ino = 0;
	refused(bad, ENOENT);
	bad = good;
	bad.dst_ino += 1000000;
	refused(bad, ENOENT);
	refused(share_call_of(a, b, 0, 0), EINVAL);
	refused(share_call_of(a, b, 0, 4097), EINVAL);
	refused(share_call_of(a, b, 2, UINT64_MAX), EINVAL);
	refused(share_call_of(a, b, UINT64_MAX, 1), EINVAL);
	bad = good;
	bad.flags = 1;
	refused(bad, EINVAL);

	/* nothing of that has shared anything */
	EQ(phys(a, 3), place_a);
	EQ(phys(b, 3), place_b);
	EQ(shared_blocks(a) + shared_blocks(b), 0);
	seal_ask_refused(&good, 0);
	close(b);
	OK(unlink(path("b")));
	refused(good, ENOENT);
	close(a);
}

/* with all applied, so that nothing but the checks is why */
static void refused_now(int src, int dst)
{
	OK(fsync(src));
	OK(fsync(dst));
	refused(share_call_of(src, dst, 0, BLOCKS), EAGAIN);
}

static void sharing_refused_unchecked(void)
{
	int a = make_checked("a", BYTES), b = make("b", BYTES);

	refused_now(a, b);
	refused_now(b, a);
	seal(b, 0, BLOCKS);
	refused_now(a, b);
	refused_now(b, a);
	seal_checked(b, 0, BLOCKS - 1);
	refused_now(a, b);
	refused_now(b, a);
	seal_checked(b, 0, BLOCKS);
	unseal(a, 7, 1);
	refused_now(a, b);
	refused_now(b, a);
	EQ(shared_blocks(a) + shared_blocks(b), 0);
	seal_checked(a, 7, 1);
	seal_share(b, a, 0, BLOCKS);
	close(a);
	close(b);
}

/* changed is of either file; the other one is as it was looked at */
static void check_changed(int src, int dst, int changed)
{
	struct seal_call call = share_call_of(src, dst, 0, BLOCKS);

	/* behind the range: only the number tells */
	OK(fsync(src));
	OK(fsync(dst));
	call.map_seq = seal_where(changed, 0).map_seq;
	put_pattern(changed, BYTES, BLOCK, OTHER);
	OK(fsync(changed));
	refused(call, EAGAIN);
	/* in it, and on its way; dirty, then written, then not checked */
	put_pattern(changed, 3 * BLOCK, BLOCK, OTHER);
	call.map_seq = SEAL_NOW;
	refused(call, EAGAIN);
	check_pattern(changed, 3 * BLOCK, BLOCK, OTHER);
	OK(fsync(changed));
	refused_now(src, dst);
	drop_caches();
	check_pattern(changed, 0, 3 * BLOCK, SEED);
	check_pattern(changed, 3 * BLOCK, BLOCK, OTHER);
	EQ(shared_blocks(src) + shared_blocks(dst), 0);
	put_pattern(changed, 3 * BLOCK, BLOCK, SEED);
	seal_checked(changed, 0, BLOCKS);
}

static void sharing_refused_changed(void)
{
	int a = make_checked("a", BYTES), b = make_checked("b", BYTES);

	check_changed(a, b, a);
	check_changed(a, b, b);
	seal_share(a, b, 0, BLOCKS);
	check_pattern(b, 0, BYTES, SEED);
	close(a);
	close(b);
}

/*
 * A write that fails has noted its block, to be said to the daemon with the
 * next ones: before a checked block comes to that place.
 */
static void sharing_onto_noted(void)
{
	int a = make_checked("a", BYTES), b = make("b", BYTES);
	void *none = mmap(NULL, BLOCK, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	put_zero(a, 3 * BLOCK, BLOCK);
	seal_checked(a, 3, 1);
	seal_checked(b, 0, 3);
	seal_checked(b, 4, BLOCKS - 4);
	ERR(pwrite(b, none, BLOCK, 3 * BLOCK), EFAULT);
	OK(fallocate(b, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 3 * BLOCK,
		     BLOCK));
	seal_share(a, b, 0, BLOCKS);
	/* behind it: in place the second time */
	put_pattern(b, BYTES, BLOCK, OTHER);
	OK(fsync(b));
	put_pattern(b, BYTES, BLOCK, SEED);
	OK(fsync(b));
	EQ(phys(b, 3), phys(a, 3));
	check_zero(b, 3 * BLOCK, BLOCK);
	close(a);
	close(b);
}

/*
 * Pinned is, for the kernel, what somebody has very many references to. These
 * are in a pipe. The file is of one block, as is its page.
 */
int pin_block(int fd, int pipe_end)
{
	enum { REFERENCES = 1024 };
	static struct iovec all[REFERENCES];
	char *map = mmap(NULL, BLOCK, PROT_READ, MAP_SHARED, fd, 0);
	int done = 0;

	CHECK(map != MAP_FAILED);
	OK(fcntl(pipe_end, F_SETPIPE_SZ, 2 * REFERENCES * BLOCK));
	for (int i = 0; i < REFERENCES; i++)
		all[i] = (struct iovec){ map + i, 1 };
	while (done < REFERENCES)
		done += OK(vmsplice(pipe_end, all + done, REFERENCES - done,
				    0));
	OK(munmap(map, BLOCK));
	return done;
}

static void sharing_refused_pinned(void)
{
	int a = make_checked("a", BLOCK), b = make_checked("b", BLOCK);
	int c = make("c", BLOCK), ends[2];
	struct seal_call seal_c = seal_call_of(c, SEAL_CALL_SEAL, 0, 1);

	drop_caches();
	OK(pipe(ends));
	pin_block(b, ends[1]);
	OK(fsync(a));
	OK(fsync(b));
	refused(share_call_of(a, b, 0, 1), EBUSY);
	CHECK(phys(a, 0) != phys(b, 0));
	/* of the source no page goes */
	refused(share_call_of(b, a, 0, 1), 0);
	close(ends[0]);
	close(ends[1]);
	EQ(phys(b, 0), phys(a, 0));
	check_pattern(a, 0, BLOCK, SEED);
	/* the same of SEAL */
	OK(fsync(c));
	OK(pipe(ends));
	pin_block(c, ends[1]);
	refused(seal_c, EBUSY);
	close(ends[0]);
	close(ends[1]);
	refused(seal_c, 0);
	close(a);
	close(b);
	close(c);
}

static void sharing_refused_mount(void)
{
	int a = make_checked("a", BYTES), b = make_checked("b", BYTES);
	struct seal_call call = share_call_of(a, b, 0, BLOCKS);
	int dir = OK(open(top_dir, O_RDONLY | O_DIRECTORY));

	OK(ioctl(dir, FIFREEZE, 0));
	refused(call, EBUSY);
	OK(ioctl(dir, FITHAW, 0));
	close(a);
	close(b);
	close(dir);
	OK(mount(NULL, top_dir, NULL, MS_REMOUNT | MS_RDONLY, NULL));
	refused(call, EROFS);
	OK(mount(NULL, top_dir, NULL, MS_REMOUNT, NULL));
	/* neither is in memory: they are loaded */
	drop_caches();
	refused(call, 0);
	a = OK(open(path("a"), O_RDONLY));
	b = OK(open(path("b"), O_RDONLY));
	check_same_places(a, b, BLOCKS);
	close(a);
	close(b);
}

const struct test sharing_tests[] = {
	{ "seal_share_equal", sharing_equal, false },
	{ "seal_share_remount", sharing_remount, true },
	{ "seal_share_space", sharing_space, true },
	{ "seal_share_sides", sharing_sides, false },
	{ "seal_share_holes", sharing_holes, false },
	{ "seal_share_parts", sharing_parts, false },
	{ "seal_share_truncate", sharing_truncate, false },
	{ "seal_share_refused", sharing_refused, false },
	{ "seal_share_refused_unchecked", sharing_refused_unchecked, false },
	{ "seal_share_refused_changed", sharing_refused_changed, false },
	{ "seal_share_onto_noted", sharing_onto_noted, false },
	{ "seal_share_refused_pinned", sharing_refused_pinned, false },
	{ "seal_share_refused_mount", sharing_refused_mount, true },
	{ NULL, NULL, false }
};
