// SPDX-License-Identifier: MPL-2.0
/*
 * Blocks that are packed: nobody who reads or writes the files sees that, and
 * what is wrong with a pack fails the reads of it and no others.
 */
#include "packing.h"
#include "readers.h"
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>

#define BLOCKS	20
#define BYTES	(BLOCKS * BLOCK)
#define SEED	READ_SEED	/* of share_write(), too */
#define OTHER	9

static int make_checked(const char *name, uint64_t bytes)
{
	int fd = OK(open(path(name), O_RDWR | O_CREAT | O_TRUNC, 0644));

	put_pattern(fd, 0, bytes, SEED);
	seal_checked(fd, 0, (bytes + BLOCK - 1) / BLOCK);
	return fd;
}

/* all of it packed, n blocks together */
static int make_packed(const char *name, uint64_t n)
{
	int fd = make_checked(name, BYTES);

	pack_file(fd, 0, BLOCKS, n);
	return fd;
}

static void read_all_ways(int fd)
{
	for (size_t r = 0; r < READERS; r++) {
		drop_caches();
		CHECK(readers[r](fd, 0, BYTES));
		drop_caches();
		for (int i = 0, at = 0; i < BLOCKS; i++, at = (at + 7) % BLOCKS)
			CHECK(readers[r](fd, at * BLOCK, BLOCK));
	}
	for (uint64_t pos = 0; pos < 8 * BLOCK; pos += 1536)
		CHECK(by_direct(fd, pos, 512) &&
		      by_direct_odd(fd, pos, 2 * BLOCK + 1024));
}

/* ---- reading ------------------------------------------------------------- */

static void pack_reads(void)
{
	static const int sizes[] = { BLOCKS, 7, 1 };

	for (size_t s = 0; s < 3; s++) {
		struct stat old, new;
		uint64_t before;
		int fd = make_checked("a", BYTES);

		OK(fstat(fd, &old));
		pack_file(fd, 0, BLOCKS, sizes[s]);
		OK(fstat(fd, &new));
		EQ(new.st_blocks, old.st_blocks);
		EQ(new.st_mtim.tv_nsec, old.st_mtim.tv_nsec);
		EQ(new.st_ctim.tv_nsec, old.st_ctim.tv_nsec);
		for (int i = 0; i < BLOCKS; i++)
			CHECK(is_packed(fd, i));
		before = lake_number("packed_reads");
		read_all_ways(fd);
		CHECK(lake_number("packed_reads") > before);
		close(fd);
		if (!remount())
			continue;
		fd = OK(open(path("a"), O_RDWR));
		EQ(seal_where(fd, 5).phys % PACK_BLOCKS, 5 % sizes[s]);
		read_all_ways(fd);
		close(fd);
	}
	EQ(lake_number("damaged_reads"), 0);
}

/* A frame that zstd has made; and parts of its blocks. */
static void pack_compressed(void)
{
	const uint64_t bytes = PACK_TEXT_BLOCKS * BLOCK;
	uint8_t *want = malloc(bytes), *got = aligned(bytes);
	struct pack *p = malloc(sizeof(*p));
	int fd = OK(open(path("a"), O_RDWR | O_CREAT, 0644));
	struct pack_part part = { fd, 0, PACK_TEXT_BLOCKS };

	pack_text(p, want);
	EQ(p->device_blocks, 1);
	EQ(pwrite(fd, want, bytes, 0), bytes);
	seal_checked(fd, 0, PACK_TEXT_BLOCKS);
	pack_parts(p, &part, 1, 0);
	for (int direct = 0; direct < 2; direct++) {
		OK(fcntl(fd, F_SETFL, direct ? O_DIRECT : 0));
		for (uint64_t n = 512; n <= bytes; n *= 2)
			for (uint64_t pos = 0; pos < bytes; pos += n) {
				EQ(pread(fd, got, n, pos), n);
				CHECK(!memcmp(got, want + pos, n));
			}
		drop_caches();
	}
	EQ(seal_where(fd, 3).phys % PACK_BLOCKS, 3);
	free(want);
	free(got);
	free(p);
	close(fd);
}

/* Parts of several files in one pack, one read after the other: unpacked once. */
static void pack_several(void)
{
	static const char *const names[] = { "a", "b", "c" };
	static const uint64_t sizes[] = { 5 * BLOCK - 700, 100, 9 * BLOCK };
	struct pack_part parts[3];
	uint64_t before, start;

	for (int i = 0; i < 3; i++) {
		parts[i].fd = make_checked(names[i], sizes[i]);
		parts[i].block = 0;
		parts[i].blocks = (sizes[i] + BLOCK - 1) / BLOCK;
	}
	start = pack_as_is(parts, 3);
	for (int i = 0; i < 3; i++)
		EQ(packed_at(parts[i].fd, 0), start);
	EQ(seal_where(parts[1].fd, 0).phys % PACK_BLOCKS, 5);
	EQ(seal_where(parts[2].fd, 3).phys % PACK_BLOCKS, 9);
	packs_forgotten();
	drop_caches();
	before = lake_number("packed_reads");
	for (int i = 0; i < 3; i++)
		check_pattern(parts[i].fd, 0, sizes[i], SEED);
	EQ(lake_number("packed_reads"), before + 1);
	for (int i = 0; i < 3; i++) {
		close(parts[i].fd);
		drop_caches();
		parts[i].fd = OK(open(path(names[i]), O_RDWR));
		EQ(file_size(parts[i].fd), sizes[i]);
	}
	/* one goes, one grows: the others stay as they are */
	OK(unlink(path(names[0])));
	close(parts[0].fd);
	put_pattern(parts[1].fd, 100, BLOCK, SEED);
	drop_caches();
	check_pattern(parts[1].fd, 0, 100 + BLOCK, SEED);
	check_pattern(parts[2].fd, 0, sizes[2], SEED);
	OK(fsync(parts[1].fd));
	CHECK(!is_packed(parts[1].fd, 0));
	drop_caches();
	check_pattern(parts[1].fd, 0, 100 + BLOCK, SEED);
	close(parts[1].fd);
	close(parts[2].fd);
}

/* ---- packs side by side -------------------------------------------------- */

#define ROW	3
#define ROW_BYTES	(ROW * PACK_BLOCKS * BLOCK)

/* Three files' worth of one byte each; packs of a block that lie in a row. */
static int make_row(uint8_t *want)
{
	struct pack *p = malloc(sizeof(*p)), *row = malloc(sizeof(*row));
	int fd = OK(open(path("row"), O_RDWR | O_CREAT | O_TRUNC, 0644));
	bool done = false;

	row->device_blocks = ROW;
	for (int i = 0; i < ROW; i++) {
		memset(want + i * PACK_BLOCKS * BLOCK, 'a' + i,
		       PACK_BLOCKS * BLOCK);
		pack_fill(p, 'a' + i, PACK_BLOCKS);
		EQ(p->device_blocks, 1);
		memcpy(row->image + i * BLOCK, p->image, BLOCK);
	}
	EQ(pwrite(fd, want, ROW_BYTES, 0), ROW_BYTES);
	seal_checked(fd, 0, ROW * PACK_BLOCKS);
	while (!done) {
		uint64_t start = pack_put(row, 0);

		done = true;
		for (int i = 0; i < ROW; i++) {
			struct seal_call call = remap_call_of(fd,
					i * PACK_BLOCKS, PACK_BLOCKS, p,
					start + i, 0);

			done &= pack_ask(fd, &call);
		}
	}
	EQ(packed_at(fd, PACK_BLOCKS), packed_at(fd, 0) + 1);
	EQ(packed_at(fd, 2 * PACK_BLOCKS), packed_at(fd, 0) + 2);
	free(p);
	free(row);
	return fd;
}

/* Their places follow each other, so that one request may want all of them. */
static void pack_row(void)
{
	static const uint64_t ats[] = {
		0, 31 * BLOCK, 32 * BLOCK - 512, 33 * BLOCK + 1024,
		63 * BLOCK + 512,
	};
	uint8_t *want = malloc(ROW_BYTES), *got = aligned(ROW_BYTES);
	int fd = make_row(want);

	for (int direct = 0; direct < 2; direct++)
		for (size_t i = 0; i < 5; i++)
			for (int whole = 0; whole < 2; whole++) {
				uint64_t n = whole ? ROW_BYTES - ats[i] :
						     BLOCK + 512;

				packs_forgotten();
				drop_caches();
				OK(fcntl(fd, F_SETFL, direct ? O_DIRECT : 0));
				EQ(pread(fd, got, n, ats[i]), n);
				CHECK(!memcmp(got, want + ats[i], n));
			}
	free(want);
	free(got);
	close(fd);
}

/* A file of everything: packed, checked, skewed, sealed, and plain. */
static void pack_mixed(void)
{
	int fd = make_checked("a", BYTES), src;
	uint8_t *content = malloc(5 * BLOCK);

	src = OK(open(path("b"), O_RDWR | O_CREAT, 0644));
	pattern(content, 700, OTHER, 0);
	pattern(content + 700, 5 * BLOCK - 700, SEED, 8 * BLOCK);
	EQ(pwrite(src, content, 5 * BLOCK, 0), 5 * BLOCK);
	seal_checked(src, 0, 5);
	seal_share_piece(src, 700, fd, 8, 3);
	pack_file(fd, 0, 3, 3);
	pack_file(fd, 5, 2, 1);
	pack_file(fd, 12, 8, 4);
	unseal(fd, 3, 1);
	put_pattern(fd, 14 * BLOCK, BLOCK, SEED);
	OK(fsync(fd));
	CHECK(is_packed(fd, 0) && !is_packed(fd, 3) && is_packed(fd, 6));
	CHECK(is_packed(fd, 13) && !is_packed(fd, 14) && is_packed(fd, 15));
	EQ(seal_where(fd, 9).flags >> SEAL_SKEW_SHIFT, 700);
	read_all_ways(fd);
	/* what is skewed, too, may be packed; what is packed, laid out again */
	pack_file(fd, 7, 5, 5);
	unpack_file(fd, 12, 2);
	CHECK(is_packed(fd, 9) && !is_packed(fd, 12));
	close(fd);
	drop_caches();
	fd = OK(open(path("a"), O_RDWR));
	read_all_ways(fd);
	free(content);
	close(fd);
	close(src);
}

static void pack_unpacked(void)
{
	int fd = make_packed("a", 6), twin;
	uint64_t before;

	twin = OK(open(path("b"), O_RDWR | O_CREAT | O_TRUNC, 0644));
	OK(clone_range(fd, 0, BYTES, twin, 0));
	unpack_file(fd, 0, BLOCKS);
	CHECK(seal_where(fd, 19).flags == (SEAL_IS_SEALED | SEAL_IS_CHECKED));
	before = lake_number("packed_reads");
	read_all_ways(fd);
	EQ(lake_number("packed_reads"), before);
	read_all_ways(twin);
	CHECK(lake_number("packed_reads") > before);
	close(fd);
	close(twin);
}

/* ---- writing ------------------------------------------------------------- */

/* Each way of writing to one side leaves the other one as it was. */
static void pack_sides(void)
{
	for (int way = 0; way < 2 * SHARE_WAYS; way++) {
		uint64_t pos = 3 * BLOCK + 512, len = 5 * BLOCK;
		int a = make_packed("a", way % 2 ? BLOCKS : 6);
		int b = OK(open(path("b"), O_RDWR | O_CREAT | O_TRUNC, 0644));

		OK(clone_range(a, 0, BYTES, b, 0));
		if (way % 4 < 2)
			drop_caches();
		share_write(b, way / 2, pos, len);
		share_check(b, way / 2, pos, len);
		OK(fsync(b));
		drop_caches();
		share_check(b, way / 2, pos, len);
		CHECK(by_pread(a, 0, BYTES));
		CHECK(is_packed(a, 5));
		/* a store makes all of its folio dirty */
		CHECK(is_packed(b, 1) || way / 2 == 1);
		CHECK(seal_ask(b, SEAL_CALL_WHERE, 5, 1).phys !=
		      seal_where(a, 5).phys);
		/* it is not needed any more where it was first */
		close(a);
		OK(unlink(path("a")));
		OK(syncfs(b));
		packs_forgotten();
		drop_caches();
		share_check(b, way / 2, pos, len);
		close(b);
	}
}

/* A file asks for blocks of its own. */
static void pack_unshare(void)
{
	int fd = make_packed("a", 7);

	OK(fallocate(fd, FALLOC_FL_UNSHARE_RANGE, 4 * BLOCK + 100, 9 * BLOCK));
	CHECK(is_packed(fd, 3) && !is_packed(fd, 4));
	CHECK(!is_packed(fd, 13) && is_packed(fd, 14));
	EQ(seal_where(fd, 7).flags, 0);
	packs_forgotten();
	read_all_ways(fd);
	close(fd);
}

static void check_moved(int fd, uint64_t at, uint64_t from, uint64_t bytes)
{
	uint8_t *want = malloc(bytes), *got = malloc(bytes);

	pattern(want, bytes, SEED, from);
	EQ(pread(fd, got, bytes, at), bytes);
	CHECK(!memcmp(want, got, bytes));
	free(want);
	free(got);
}

/* Collapse, insert, and calls over all of it that do not concern it. */
static void pack_moved(void)
{
	int fd = make_packed("a", 9);

	OK(fallocate(fd, FALLOC_FL_INSERT_RANGE, 6 * BLOCK, 3 * BLOCK));
	check_zero(fd, 6 * BLOCK, 3 * BLOCK);
	OK(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 12 * BLOCK, 2 * BLOCK));
	for (int i = 0; i < 3; i++) {
		check_moved(fd, 0, 0, 6 * BLOCK);
		check_moved(fd, 9 * BLOCK, 6 * BLOCK, 3 * BLOCK);
		check_moved(fd, 12 * BLOCK, 11 * BLOCK, 9 * BLOCK);
		EQ(seal_where(fd, 11).phys % PACK_BLOCKS, 8);
		EQ(seal_where(fd, 12).phys % PACK_BLOCKS, 2);
		OK(fsync(fd));
		if (i == 1) {
			unseal(fd, 0, 30);
			seal_checked(fd, 0, 30);
		}
		CHECK(is_packed(fd, 13));
		drop_caches();
	}
	close(fd);
}

/* What is packed in one file is so in the other. */
static void pack_shared(void)
{
	int a = make_packed("a", 7), b = make_checked("b", BYTES), c;
	struct {
		struct file_dedupe_range range;
		struct file_dedupe_range_info info;
	} same = {
		.range = { .src_length = BYTES, .dest_count = 1 },
	};
	struct seal_call call;

	seal_share(a, b, 2, 12);
	CHECK(!is_packed(b, 1) && is_packed(b, 2) && is_packed(b, 13));
	EQ(seal_where(b, 8).phys, seal_where(a, 8).phys);
	EQ(shared_blocks(b), 12);
	read_all_ways(b);
	/* not from within a block, of anything that is packed */
	c = make_checked("c", BYTES);
	OK(fsync(a));
	OK(fsync(c));
	call = piece_call_of(a, 100, c, 0, 3);
	seal_ask_refused(&call, EAGAIN);
	/* onto it */
	seal_share(c, a, 4, 8);
	CHECK(is_packed(a, 3) && !is_packed(a, 4) && is_packed(a, 12));
	read_all_ways(a);
	/* a person's */
	same.info.dest_fd = c;
	OK(ioctl(b, FIDEDUPERANGE, &same));
	EQ(same.info.status, FILE_DEDUPE_RANGE_SAME);
	EQ(same.info.bytes_deduped, BYTES);
	CHECK(is_packed(c, 8));
	close(a);
	close(b);
	OK(unlink(path("a")));
	OK(unlink(path("b")));
	OK(syncfs(c));
	read_all_ways(c);
	close(c);
}

static void pack_fiemap(void)
{
	struct {
		struct fiemap map;
		struct fiemap_extent e[8];
	} m = { .map = { .fm_length = FIEMAP_MAX_OFFSET,
			 .fm_extent_count = 8 } };
	int fd = make_checked("a", 8 * BLOCK);
	uint64_t start;

	pack_file(fd, 2, 4, 4);
	start = packed_at(fd, 2);
	drop_caches();
	OK(ioctl(fd, FS_IOC_FIEMAP, &m));
	EQ(m.map.fm_mapped_extents, 3);
	for (int i = 0; i < 3; i++) {
		bool packed = m.e[i].fe_flags & FIEMAP_EXTENT_ENCODED;

		EQ(packed, i == 1);
		EQ(!!(m.e[i].fe_flags & FIEMAP_EXTENT_LAST), i == 2);
		EQ(m.e[i].fe_physical, i == 1 ? start * BLOCK :
		   seal_where(fd, i == 2 ? 6 : 0).phys * BLOCK);
		EQ(m.e[i].fe_logical, (i == 0 ? 0 : i == 1 ? 2 : 6) * BLOCK);
		EQ(m.e[i].fe_length, (i == 1 ? 4 : 2) * BLOCK);
	}
	/* no more than there is room for, and from the middle */
	m.map.fm_start = 3 * BLOCK;
	m.map.fm_extent_count = 1;
	OK(ioctl(fd, FS_IOC_FIEMAP, &m));
	EQ(m.map.fm_mapped_extents, 1);
	EQ(m.e[0].fe_logical, 3 * BLOCK);
	EQ(m.e[0].fe_length, 3 * BLOCK);
	EQ(m.e[0].fe_flags & FIEMAP_EXTENT_LAST, 0);
	m.map.fm_extent_count = 0;
	OK(ioctl(fd, FS_IOC_FIEMAP, &m));
	EQ(m.map.fm_mapped_extents, 2);
	EQ(lseek(fd, 0, SEEK_HOLE), 8 * BLOCK);
	EQ(lseek(fd, 2 * BLOCK, SEEK_DATA), 2 * BLOCK);
	close(fd);
}

/* ---- any order ----------------------------------------------------------- */

struct order {
	int fds[2];
	uint8_t want[2][BYTES];
};

static void change(struct order *o, int f)
{
	uint64_t block = rnd() % BLOCKS, n = 1 + rnd() % 8;
	uint64_t pos = rnd() % BYTES, len = 1 + rnd() % (2 * BLOCK);
	uint8_t *want = o->want[f];

	n = block + n > BLOCKS ? BLOCKS - block : n;
	len = pos + len > BYTES ? BYTES - pos : len;
	switch (rnd() % 8) {
	case 0:
	case 1:
	case 2:
		seal_checked(o->fds[f], 0, BLOCKS);
		if (lseek(o->fds[f], block * BLOCK, SEEK_HOLE) <
		    (off_t)((block + n) * BLOCK))
			return;
		pack_file(o->fds[f], block, n, 1 + rnd() % 8);
		return;
	case 3:
		pattern(want + pos, len, rnd() % 50, pos);
		EQ(pwrite(o->fds[f], want + pos, len, pos), len);
		return;
	case 4:
		memset(want + pos, 0, len);
		OK(fallocate(o->fds[f], FALLOC_FL_PUNCH_HOLE |
			     FALLOC_FL_KEEP_SIZE, pos, len));
		return;
	case 5:
		memcpy(want + block * BLOCK, o->want[!f] + block * BLOCK,
		       n * BLOCK);
		OK(clone_range(o->fds[!f], block * BLOCK, n * BLOCK, o->fds[f],
			       block * BLOCK));
		return;
	case 6:
		seal_checked(o->fds[f], block, n);
		if (lseek(o->fds[f], block * BLOCK, SEEK_HOLE) >=
		    (off_t)((block + n) * BLOCK))
			unpack_file(o->fds[f], block, n);
		return;
	default:
		drop_caches();
	}
}

static void pack_any_order(void)
{
	struct order *o = malloc(sizeof(*o));
	uint8_t *got = aligned(BYTES);

	for (int f = 0; f < 2; f++) {
		o->fds[f] = make_checked(f ? "a" : "b", BYTES);
		pattern(o->want[f], BYTES, SEED, 0);
	}
	for (int i = 0; i < ops_wanted / 4; i++) {
		int f = rnd() % 2;

		change(o, f);
		f = rnd() % 2;
		OK(fcntl(o->fds[f], F_SETFL, rnd() % 2 ? O_DIRECT : 0));
		EQ(pread(o->fds[f], got, BYTES, 0), BYTES);
		CHECK(!memcmp(got, o->want[f], BYTES));
		OK(fcntl(o->fds[f], F_SETFL, 0));
	}
	free(got);
	for (int f = 0; f < 2; f++)
		close(o->fds[f]);
	free(o);
}

static uint64_t free_blocks(int fd)
{
	struct statvfs st;

	OK(syncfs(fd));
	OK(fstatvfs(fd, &st));
	return st.f_bfree;
}

/* A block of the device for each 32, until the last of all files is gone. */
static void pack_space(void)
{
	const uint64_t blocks = 1024, slack = 64;
	struct pack *p = malloc(sizeof(*p));
	uint8_t *content = malloc(blocks * BLOCK);
	int dir = OK(open(path("."), O_RDONLY)), a, b;
	uint64_t start = free_blocks(dir);

	memset(content, 'x', blocks * BLOCK);
	a = OK(open(path("a"), O_RDWR | O_CREAT, 0644));
	EQ(write(a, content, blocks * BLOCK), blocks * BLOCK);
	seal_checked(a, 0, blocks);
	CHECK(free_blocks(dir) <= start - blocks + slack);
	pack_fill(p, 'x', PACK_BLOCKS);
	for (uint64_t at = 0; at < blocks; at += PACK_BLOCKS) {
		struct pack_part part = { a, at, PACK_BLOCKS };

		pack_parts(p, &part, 1, 0);
	}
	CHECK(free_blocks(dir) >= start - 32 - slack);
	b = OK(open(path("b"), O_RDWR | O_CREAT, 0644));
	OK(clone_range(a, 0, blocks * BLOCK, b, 0));
	close(a);
	OK(unlink(path("a")));
	/* holes in most of them, which all stay */
	for (uint64_t at = 0; at < blocks; at += PACK_BLOCKS)
		OK(fallocate(b, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			     at * BLOCK, (PACK_BLOCKS - 1) * BLOCK));
	CHECK(free_blocks(dir) >= start - 32 - slack);
	drop_caches();
	for (uint64_t at = PACK_BLOCKS - 1; at < blocks; at += PACK_BLOCKS) {
		EQ(pread(b, content, 1, at * BLOCK + 77), 1);
		EQ(content[0], 'x');
	}
	close(b);
	OK(unlink(path("b")));
	CHECK(free_blocks(dir) >= start - slack);
	close(dir);
	free(p);
	free(content);
}

const struct test pack_tests[] = {
	{ "seal_pack_reads", pack_reads, true },
	{ "seal_pack_compressed", pack_compressed, false },
	{ "seal_pack_several", pack_several, false },
	{ "seal_pack_row", pack_row, false },
	{ "seal_pack_mixed", pack_mixed, false },
	{ "seal_pack_unpacked", pack_unpacked, false },
	{ "seal_pack_sides", pack_sides, false },
	{ "seal_pack_unshare", pack_unshare, false },
	{ "seal_pack_moved", pack_moved, false },
	{ "seal_pack_shared", pack_shared, false },
	{ "seal_pack_fiemap", pack_fiemap, false },
	{ "seal_pack_any_order", pack_any_order, false },
	{ "seal_pack_space", pack_space, true },
	{ NULL, NULL, false }
};
