// SPDX-License-Identifier: MPL-2.0
/*
 * Checked blocks: every read is compared with the checksum table, and what
 * differs fails, that block and no other, whatever way it is read.
 */
#include "readers.h"
#include "sealing.h"

#define BLOCKS	64
#define SEED	READ_SEED

static int make(const char *name)
{
	int fd = OK(open(path(name), O_RDWR | O_CREAT | O_TRUNC, 0644));

	put_pattern(fd, 0, BLOCKS * BLOCK, SEED);
	seal_checked(fd, 0, BLOCKS);
	for (int i = 0; i < BLOCKS; i += 7)
		CHECK(seal_where(fd, i).flags & SEAL_IS_CHECKED);
	return fd;
}

/* Of all blocks only bad cannot be read; first in the order that follows. */
static void check_only(int fd, reader read, int bad, int step)
{
	for (int i = 0, at = 0; i < BLOCKS; i++, at = (at + step) % BLOCKS)
		EQ(read(fd, at * BLOCK, BLOCK), at != bad);
}

/* ---- the tests ----------------------------------------------------------- */

/* Sound data is read, and compared: the count says so. */
static void checked_reads(void)
{
	uint64_t before, damaged = lake_number("damaged_reads");
	int fd = make("a");

	for (size_t r = 0; r < READERS; r++) {
		drop_caches();
		before = lake_number("checked_reads");
		CHECK(readers[r](fd, 0, BLOCKS * BLOCK));
		CHECK(lake_number("checked_reads") >= before + BLOCKS);
		drop_caches();
		check_only(fd, readers[r], -1, 37);
	}
	EQ(lake_number("damaged_reads"), damaged);
	/* parts of blocks */
	before = lake_number("checked_reads");
	for (uint64_t pos = 0; pos < 4 * BLOCK; pos += 1536) {
		CHECK(by_direct(fd, pos, 512));
		CHECK(by_direct_odd(fd, pos, 2 * BLOCK + 1024));
	}
	CHECK(lake_number("checked_reads") > before);
	/* from the page cache nothing is compared */
	CHECK(by_pread(fd, 0, BLOCKS * BLOCK));
	before = lake_number("checked_reads");
	CHECK(by_pread(fd, 0, BLOCKS * BLOCK));
	EQ(lake_number("checked_reads"), before);
	close(fd);
}

/* A bit of the block: whoever reads it has EIO, nobody else. */
static void checked_bit_flip(void)
{
	static const int bad[] = { 0, 17, BLOCKS - 1 };
	int fd = make("a");

	for (size_t b = 0; b < sizeof(bad) / sizeof(*bad); b++) {
		uint64_t bit = seal_where(fd, bad[b]).phys * BLOCK +
			       rnd() % BLOCK;
		uint64_t before;

		device_flip(bit);
		for (size_t r = 0; r < READERS; r++) {
			before = lake_number("damaged_reads");
			/* all at once, forwards, and jumping about */
			drop_caches();
			CHECK(!readers[r](fd, 0, BLOCKS * BLOCK));
			CHECK(lake_number("damaged_reads") > before);
			check_only(fd, readers[r], bad[b], 1);
			drop_caches();
			check_only(fd, readers[r], bad[b], 37);
		}
		device_flip(bit);
		for (size_t r = 0; r < READERS; r++) {
			drop_caches();
			check_only(fd, readers[r], -1, 1);
		}
	}
	close(fd);
}

static void checked_event(void)
{
	int fd = make("a"), events = events_open();
	uint64_t phys = seal_where(fd, 11).phys;

	drop_caches();
	CHECK(by_pread(fd, 0, BLOCKS * BLOCK));
	CHECK(!events_tell_of(events, phys));
	device_flip(phys * BLOCK + 4095);
	drop_caches();
	CHECK(!by_direct(fd, 11 * BLOCK, BLOCK));
	CHECK(events_tell_of(events, phys));
	CHECK(!by_pread(fd, 11 * BLOCK, BLOCK));
	CHECK(events_tell_of(events, phys));
	close(events);
	close(fd);
}

/* Parts of a damaged block, and of its neighbours in the same read. */
static void checked_parts(void)
{
	int fd = make("a");

	device_flip(seal_where(fd, 9).phys * BLOCK);
	drop_caches();
	CHECK(!by_direct(fd, 9 * BLOCK + 3584, 512));
	CHECK(!by_direct_odd(fd, 9 * BLOCK + 512, 512));
	CHECK(!by_direct(fd, 8 * BLOCK + 512, 2 * BLOCK));
	CHECK(by_direct(fd, 8 * BLOCK + 512, BLOCK - 512));
	CHECK(by_direct(fd, 10 * BLOCK, 512));
	close(fd);
}

/* The table's entry is as good as the block: and may be repaired. */
static void checked_table(void)
{
	int fd = make("a");
	uint64_t bit = seal_where(fd, 20).sum_at + 1;

	drop_caches();
	device_flip(bit);
	check_only(fd, by_pread, 20, 1);
	drop_caches();
	check_only(fd, by_direct, 20, 1);
	/* what is cached of the table is not believed against the device */
	device_flip(bit);
	check_only(fd, by_direct, -1, 1);
	device_flip(bit);
	drop_caches();
	CHECK(!by_pread(fd, 20 * BLOCK, BLOCK));
	EQ(seal_ask(fd, SEAL_CALL_SUMS, 20, 1).error, 0);
	EQ(seal_ask(fd, SEAL_CALL_CHECKED, 20, 1).error, 0);
	drop_caches();
	check_only(fd, by_pread, -1, 1);
	close(fd);
}

/* Writing a whole block needs nothing of the old one; a part of it does. */
static void checked_overwrite(void)
{
	uint8_t block[BLOCK];
	int fd = make("a");

	device_flip(seal_where(fd, 30).phys * BLOCK + 100);
	drop_caches();
	ERR(pwrite(fd, block, 100, 30 * BLOCK + 5), EIO);
	CHECK(!by_pread(fd, 30 * BLOCK, BLOCK));
	put_pattern(fd, 31 * BLOCK + 5, 100, SEED);
	put_pattern(fd, 30 * BLOCK, BLOCK, SEED);
	OK(fsync(fd));
	CHECK(!(seal_where(fd, 30).flags & SEAL_IS_CHECKED));
	drop_caches();
	check_only(fd, by_pread, -1, 1);
	/* neighbours of both kinds lie side by side in the file */
	for (int i = 0; i < BLOCKS; i += 2)
		put_pattern(fd, i * BLOCK + 7, 50, SEED);
	OK(fsync(fd));
	for (size_t r = 0; r < READERS; r++) {
		drop_caches();
		CHECK(readers[r](fd, 0, BLOCKS * BLOCK));
	}
	close(fd);
}

/*
 * Both kinds side by side on the device, too: one bio must not take both. What
 * is not checked has nonsense in the table.
 */
static void checked_half(void)
{
	int fd = OK(open(path("a"), O_RDWR | O_CREAT, 0644));

	put_pattern(fd, 0, BLOCKS * BLOCK, SEED);
	seal_checked(fd, 16, 16);
	seal(fd, 40, 8);
	for (size_t r = 0; r < READERS; r++) {
		drop_caches();
		CHECK(readers[r](fd, 0, BLOCKS * BLOCK));
	}
	/* sealed only: a flip there is not noticed by the kernel */
	CHECK(seal_where(fd, 41).flags == SEAL_IS_SEALED);
	close(fd);
}

/* It is the blocks that are checked: whoever maps them, and after a load. */
static void checked_clone(void)
{
	int fd = make("a"), twin;
	uint64_t bit = seal_where(fd, 12).phys * BLOCK;

	twin = OK(open(path("b"), O_RDWR | O_CREAT, 0644));
	OK(clone_range(fd, 0, BLOCKS * BLOCK, twin, 0));
	device_flip(bit);
	drop_caches();
	check_only(twin, by_pread, 12, 1);
	check_only(fd, by_pread, 12, 1);
	/* the twin gets a block of its own */
	put_pattern(twin, 12 * BLOCK, BLOCK, SEED);
	OK(fsync(twin));
	close(twin);
	close(fd);
	drop_caches();
	fd = OK(open(path("a"), O_RDWR));
	twin = OK(open(path("b"), O_RDWR));
	check_only(twin, by_pread, -1, 1);
	check_only(fd, by_pread, 12, 1);
	/* not checked, not compared; the bit is there to be seen */
	unseal(fd, 0, BLOCKS);
	device_flip(bit);
	drop_caches();
	check_only(fd, by_pread, -1, 1);
	put_pattern(fd, 3 * BLOCK, BLOCK, SEED);
	OK(fsync(fd));
	check_only(twin, by_pread, -1, 1);
	close(fd);
	close(twin);
}

/* Many readers, little memory for pages, damage that comes and goes. */
static void checked_at_once(void)
{
	uint64_t bit;
	int status, fd = make("a");
	pid_t pids[4];

	bit = seal_where(fd, 33).phys * BLOCK + 9;
	for (int p = 0; p < 4; p++) {
		pids[p] = OK(fork());
		if (pids[p])
			continue;
		fd = OK(open(path("a"), O_RDWR));
		for (int i = 0; i < ops_wanted / 2; i++) {
			int at = rnd() % BLOCKS;
			reader read = readers[(i + p) % READERS];

			if (!read(fd, at * BLOCK, BLOCK) && at != 33)
				_exit(1);
			posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		}
		_exit(0);
	}
	for (int i = 0; i < 40; i++) {
		device_flip(bit);
		usleep(20000);
	}
	for (int p = 0; p < 4; p++) {
		OK(waitpid(pids[p], &status, 0));
		EQ(status, 0);
	}
	drop_caches();
	check_only(fd, by_pread, -1, 1);
	close(fd);
}

/*
 * Readers that find the damage at the same time, in a large folio of blocks
 * that are sound: each drops it, and none fails for that another was quicker.
 */
static void checked_first_reads(void)
{
	int status, go[2], fd = make("a");
	uint64_t bit = seal_where(fd, 33).phys * BLOCK + 9;
	pid_t pids[8];

	device_flip(bit);
	close(fd);
	for (int round = 0; round < ops_wanted / 100; round++) {
		char byte;

		/* the file is known anew, and its folios are large again */
		drop_caches();
		OK(pipe(go));
		for (int p = 0; p < 8; p++) {
			pids[p] = OK(fork());
			if (pids[p])
				continue;
			close(go[1]);
			fd = OK(open(path("a"), O_RDWR));
			EQ(read(go[0], &byte, 1), 0);
			for (int at = 32; at < 40; at++) {
				reader get = readers[(p + round) % READERS];
				int block = 32 + (at + p) % 8;

				if (get(fd, block * BLOCK, BLOCK) !=
				    (block != 33))
					_exit(block);
				posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
			}
			_exit(0);
		}
		close(go[0]);
		close(go[1]);
		for (int p = 0; p < 8; p++) {
			OK(waitpid(pids[p], &status, 0));
			EQ(status, 0);
		}
	}
	device_flip(bit);
}

const struct test checked_tests[] = {
	{ "seal_checked_reads", checked_reads, true },
	{ "seal_checked_bit_flip", checked_bit_flip, false },
	{ "seal_checked_event", checked_event, false },
	{ "seal_checked_parts", checked_parts, false },
	{ "seal_checked_table", checked_table, false },
	{ "seal_checked_overwrite", checked_overwrite, false },
	{ "seal_checked_half", checked_half, false },
	{ "seal_checked_clone", checked_clone, false },
	{ "seal_checked_at_once", checked_at_once, false },
	{ "seal_checked_first_reads", checked_first_reads, false },
	{ NULL, NULL, false }
};
