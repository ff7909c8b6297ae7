// SPDX-License-Identifier: MPL-2.0
/*
 * Packs that are damaged, or were never right: reads of what is in them fail,
 * whoever reads, and no other. The kernel does not believe what is in a pack
 * because its checksums are right.
 */
#include "packing.h"
#include "readers.h"

#define BLOCKS	20
#define BYTES	(BLOCKS * BLOCK)
#define SEED	READ_SEED
#define OTHER	9

static int make_checked(const char *name, uint64_t bytes)
{
	int fd = OK(open(path(name), O_RDWR | O_CREAT | O_TRUNC, 0644));

	put_pattern(fd, 0, bytes, SEED);
	seal_checked(fd, 0, (bytes + BLOCK - 1) / BLOCK);
	return fd;
}

/* ---- damage -------------------------------------------------------------- */

/* Blocks [from, to) cannot be read, in any way; all others can. */
static void check_only(int fd, int from, int to)
{
	for (size_t r = 0; r < READERS; r++) {
		packs_forgotten();
		drop_caches();
		EQ(readers[r](fd, 0, BYTES), from == to);
		drop_caches();
		for (int i = 0, at = 0; i < BLOCKS; i++, at = (at + 7) % BLOCKS)
			EQ(readers[r](fd, at * BLOCK, BLOCK),
			   at < from || at >= to);
	}
}

/*
 * A bit of the first, a middle and the last block of a pack with parts of two
 * files; each file has other packs, and blocks that are not packed.
 */
static void packbad_bit_flip(void)
{
	int a = make_checked("a", BYTES), b = make_checked("b", BYTES);
	struct pack_part both[] = { { a, 6, 8 }, { b, 3, 5 } };
	uint64_t start, before;

	pack_file(a, 0, 6, 6);
	pack_file(b, 8, 10, 4);
	start = pack_as_is(both, 2);
	CHECK(!is_packed(a, 19) && !is_packed(b, 1));
	for (int i = 0; i < 14; i += i ? 7 : 6) {
		uint64_t bit = (start + i) * BLOCK + (i == 13 ? 3 : 9 + i);
		int events;

		before = lake_number("damaged_reads");
		device_flip(bit);
		check_only(a, 6, 14);
		check_only(b, 3, 8);
		CHECK(lake_number("damaged_reads") > before);
		events = events_open();
		CHECK(!by_direct(b, 4 * BLOCK, 512));
		CHECK(events_tell_of(events, start + i));
		close(events);
		device_flip(bit);
		check_only(a, 0, 0);
		check_only(b, 0, 0);
	}
	/* as well what is behind the frame: it is of a block with a checksum */
	device_flip((start + 13) * BLOCK + BLOCK - 1);
	check_only(a, 6, 14);
	device_flip((start + 13) * BLOCK + BLOCK - 1);
	close(a);
	close(b);
}

/* Parts of blocks, and a write of a part, which needs the rest. */
static void packbad_parts(void)
{
	int fd = make_checked("a", BYTES);
	uint8_t block[BLOCK] = { 0 };
	uint64_t bit;

	pack_file(fd, 8, 4, 4);
	bit = packed_at(fd, 8) * BLOCK + 5000;
	device_flip(bit);
	packs_forgotten();
	drop_caches();
	CHECK(!by_direct(fd, 9 * BLOCK + 3584, 512));
	CHECK(!by_direct_odd(fd, 11 * BLOCK, 512));
	CHECK(!by_direct(fd, 7 * BLOCK + 512, 2 * BLOCK));
	CHECK(by_direct(fd, 7 * BLOCK + 512, BLOCK - 512));
	CHECK(by_direct(fd, 12 * BLOCK, 512));
	ERR(pwrite(fd, block, 100, 10 * BLOCK + 5), EIO);
	/* of a whole block nothing is needed */
	put_pattern(fd, 10 * BLOCK, BLOCK, SEED);
	OK(fsync(fd));
	CHECK(!is_packed(fd, 10) && is_packed(fd, 11));
	drop_caches();
	CHECK(by_pread(fd, 10 * BLOCK, BLOCK));
	CHECK(!by_pread(fd, 11 * BLOCK, BLOCK));
	device_flip(bit);
	CHECK(by_pread(fd, 0, BYTES));
	close(fd);
}

/*
 * Many readers of more packs than are remembered, damage that comes and goes.
 * Only who reads the damaged one may fail.
 */
static void packbad_at_once(void)
{
	int status, fd = make_checked("a", BYTES);
	uint64_t bit;
	pid_t pids[6];

	pack_file(fd, 0, BLOCKS, 2);
	bit = packed_at(fd, 6) * BLOCK + 99;
	for (int p = 0; p < 6; p++) {
		pids[p] = OK(fork());
		if (pids[p])
			continue;
		rnd_seed(p);
		fd = OK(open(path("a"), O_RDWR));
		for (int i = 0; i < ops_wanted / 2; i++) {
			int at = rnd() % BLOCKS;
			reader read = readers[(i + p) % READERS];

			if (!read(fd, at * BLOCK, BLOCK) && at / 2 != 3)
				_exit(1);
			posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		}
		_exit(0);
	}
	for (int i = 0; i < 40; i++) {
		device_flip(bit);
		usleep(20000);
	}
	for (int p = 0; p < 6; p++) {
		OK(waitpid(pids[p], &status, 0));
		EQ(status, 0);
	}
	check_only(fd, 0, 0);
	close(fd);
}

/* ---- packs that are none ------------------------------------------------- */

/* the packs of a file of 4 blocks, of a text, or as it is */
#define N	PACK_TEXT_BLOCKS

static void spoil(struct pack *p, int how)
{
	uint32_t whole = p->bytes;

	switch (how) {
	case 0:
		p->magic ^= 1;
		break;
	case 1:
		p->algorithm = 0;
		break;
	case 2:
		p->algorithm = 2;
		break;
	case 3:
		p->blocks = 0;
		break;
	case 4:
		p->blocks = N - 1;
		break;
	case 5:
		p->blocks = N + 1;
		break;
	case 6:
		p->blocks = PACK_BLOCKS + 1;
		break;
	case 7:
		p->blocks = 0xffff;
		break;
	case 8:
		p->bytes = 0;
		break;
	case 9:
		p->bytes = whole - 1;	/* a frame cut short */
		break;
	case 10:
		p->bytes = whole + 1;	/* and something behind it */
		break;
	case 11:
		p->bytes = p->device_blocks * BLOCK - 15;
		break;
	case 12:
		p->bytes = 0xffffffff;
		break;
	case 13:
		p->bytes = 5;
		break;
	case 14:
		p->frame[0] ^= 1;	/* of another kind */
		break;
	case 15:
		p->frame[4] |= 3;	/* a dictionary is wanted */
		break;
	case 16:
		p->frame[4] |= 8;	/* a reserved bit */
		break;
	case 17:
		memset(p->frame, 0, whole);
		break;
	case 18:
		for (uint32_t i = 0; i < whole; i++)
			p->frame[i] = rnd();
		break;
	case 19:
		/* garbage where the blocks are */
		for (uint32_t i = 12; i < whole; i++)
			p->frame[i] = rnd();
		break;
	default:
		/* anything, anywhere */
		for (int i = 0; i < 3; i++)
			p->frame[rnd() % whole] ^= 1 + rnd() % 255;
	}
}
#define SPOILS		20		/* and random ones behind them */

/* frames that are right, for something else */
static void other_frame(struct pack *p, int how)
{
	static uint8_t zero[BLOCK];
	const uint32_t skipped = 0x184d2a50, empty = 8;
	uint32_t size;

	pack_begin(p, N);
	switch (how) {
	case 0:				/* less than it says */
		pack_add_fill(p, 'x', (N - 1) * BLOCK, true);
		break;
	case 1:				/* more than it says */
		pack_add_fill(p, 'x', (N + 1) * BLOCK, true);
		break;
	case 2:				/* says less, and so it is */
		size = (N - 1) * BLOCK;
		memcpy(p->frame + 5, &size, 4);
		pack_add_fill(p, 'x', (N - 1) * BLOCK, true);
		break;
	case 3:				/* says more, and so it is */
		size = 64 * BLOCK;
		memcpy(p->frame + 5, &size, 4);
		for (int i = 0; i < 2; i++)
			pack_add_fill(p, 'x', 32 * BLOCK, i);
		break;
	case 4:				/* 4 GB, it says */
		memset(p->frame + 5, 0xff, 4);
		pack_add_fill(p, 'x', N * BLOCK, true);
		break;
	case 5:				/* no last block */
		pack_add_fill(p, 'x', N * BLOCK, false);
		break;
	case 6:				/* two frames of a half each */
		size = N / 2 * BLOCK;
		memcpy(p->frame + 5, &size, 4);
		pack_add_fill(p, 'x', size, true);
		memcpy(p->frame + p->bytes, p->frame, p->bytes);
		p->bytes *= 2;
		break;
	case 7:				/* a frame to be skipped */
		memcpy(p->frame, &skipped, 4);
		memcpy(p->frame + 4, &empty, 4);
		p->bytes = 16;
		break;
	case 8:				/* the size is not told */
		p->frame[4] = 0;
		p->frame[5] = 0x58;
		p->bytes = 6;
		pack_add_fill(p, 'x', N * BLOCK, true);
		break;
	case 9:				/* a block of a reserved kind */
		pack_add_raw(p, zero, BLOCK, true);
		p->frame[9] |= 6;
		break;
	default:			/* a block larger than there may be */
		memset(p->frame + 9, 0xfb, 3);
		p->bytes += 4;
	}
	pack_end(p);
}
#define OTHERS		11

/* The reads fail; then its bytes are packed as they should be. */
static void check_bad(int fd, const struct pack *p, const uint8_t *want,
		      bool surely)
{
	struct pack *good = malloc(sizeof(*good));
	struct pack_part part = { fd, 0, N };
	uint8_t *got = aligned(N * BLOCK);
	uint64_t start = pack_parts(p, &part, 1, 0);
	int events = events_open();
	bool bad;

	bad = pread(fd, got, N * BLOCK, 0) < 0;
	if (bad) {
		EQ(errno, EIO);
		CHECK(events_tell_of(events, start));
		for (size_t r = 1; r < READERS; r++)
			CHECK(!readers[r](fd, BLOCK, BLOCK));
	} else {
		/* a change that is none, or of what is decompressed */
		CHECK(!surely);
	}
	free(got);
	close(events);
	pack_raw(good, want, N);
	pack_parts(good, &part, 1, 0);
	CHECK(by_pread(fd, 0, N * BLOCK));
	free(good);
}

static void packbad_bytes(void)
{
	struct pack *p = malloc(sizeof(*p));
	uint8_t *want = malloc(N * BLOCK), *text = malloc(N * BLOCK);
	int fd = make_checked("a", BYTES);

	pattern(want, N * BLOCK, SEED, 0);
	for (int how = 0; how < SPOILS + ops_wanted / 20; how++)
		for (int as_is = 0; as_is < 2; as_is++) {
			if (as_is)
				pack_raw(p, want, N);
			else
				pack_text(p, text);
			spoil(p, how);
			/* a raw block has any bytes */
			check_bad(fd, p, want, how < 19 ||
				  (how == 19 && !as_is));
		}
	for (int how = 0; how < OTHERS; how++) {
		other_frame(p, how);
		check_bad(fd, p, want, true);
	}
	check_pattern(fd, N * BLOCK, BYTES - N * BLOCK, SEED);
	free(want);
	free(text);
	free(p);
	close(fd);
}

/* The extent says that the pack is longer, or shorter, than it is. */
static void packbad_span(void)
{
	struct pack *p = malloc(sizeof(*p));
	uint8_t *want = malloc(N * BLOCK);
	int fd = make_checked("a", BYTES);
	struct pack_part part = { fd, 0, N };

	pattern(want, N * BLOCK, SEED, 0);
	pack_raw(p, want, N);
	p->device_blocks--;
	pack_parts(p, &part, 1, 0);
	CHECK(!by_pread(fd, 0, BLOCK));
	check_pattern(fd, N * BLOCK, BYTES - N * BLOCK, SEED);
	pack_raw(p, want, N);
	p->device_blocks = PACK_BLOCKS;
	pack_parts(p, &part, 1, 0);
	CHECK(by_pread(fd, 0, BYTES));
	/* blocks that it has not; the others can be read */
	for (int i = 0; i < N; i++) {
		pack_raw(p, want, i + 1);
		part.blocks = i + 2;
		pack_parts(p, &part, 1, 0);
		packs_forgotten();
		drop_caches();
		CHECK(by_direct(fd, 0, (i + 1) * BLOCK));
		CHECK(!by_direct(fd, (i + 1) * BLOCK, BLOCK));
		CHECK(!by_direct(fd, i * BLOCK, 2 * BLOCK));
		CHECK(by_pread(fd, i * BLOCK, BLOCK));
		CHECK(by_pread(fd, (i + 2) * BLOCK, BLOCK));
	}
	free(p);
	free(want);
	close(fd);
}

/* ---- what is remembered -------------------------------------------------- */

/* Where a pack was that is remembered, there is another one. */
static void packbad_stale(void)
{
	struct pack *p = malloc(sizeof(*p));
	uint8_t *content = malloc(4 * BLOCK);
	int met = 0;

	for (int i = 0; i < 60 && met < 5; i++) {
		int a = make_checked("a", 4 * BLOCK), b;
		struct pack_part part = { a, 0, 4 };
		uint64_t old, new;

		old = pack_as_is(&part, 1);
		drop_caches();
		CHECK(by_pread(a, 0, 4 * BLOCK));
		b = OK(open(path("b"), O_RDWR | O_CREAT | O_TRUNC, 0644));
		pattern(content, 4 * BLOCK, i + 100, 0);
		EQ(pwrite(b, content, 4 * BLOCK, 0), 4 * BLOCK);
		seal_checked(b, 0, 4);
		pack_raw(p, content, 4);
		part.fd = b;
		/* the first one goes, durably */
		OK(ftruncate(a, 0));
		OK(fsync(a));
		new = pack_parts(p, &part, 1, old);
		met += new == old;
		CHECK(packed_at(b, 2) == new);
		drop_caches();
		check_pattern(b, 0, 4 * BLOCK, i + 100);
		close(a);
		close(b);
		OK(unlink(path("b")));
	}
	CHECK(met);
	free(p);
	free(content);
}

const struct test packbad_tests[] = {
	{ "seal_pack_bit_flip", packbad_bit_flip, false },
	{ "seal_pack_bad_parts", packbad_parts, false },
	{ "seal_pack_at_once", packbad_at_once, false },
	{ "seal_pack_bad_bytes", packbad_bytes, false },
	{ "seal_pack_bad_span", packbad_span, false },
	{ "seal_pack_stale", packbad_stale, false },
	{ NULL, NULL, false }
};
