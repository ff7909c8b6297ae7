// SPDX-License-Identifier: MPL-2.0
/*
 * Sealed blocks are never written in place: whatever way a program writes to
 * them, the block on the device keeps its bytes, and the file shows the new
 * ones. When SEAL is refused nothing has changed.
 */
#include "sealing.h"
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <signal.h>

#define BLOCKS	20
#define OLD	5	/* seeds */
#define NEW	9

static int make(const char *name, uint64_t bytes)
{
	int fd = OK(open(path(name), O_RDWR | O_CREAT | O_TRUNC, 0644));

	put_pattern(fd, 0, bytes, OLD);
	OK(fsync(fd));
	return fd;
}

/* ---- ways to write ------------------------------------------------------- */

static void by_write(int fd, uint64_t pos, uint64_t len)
{
	put_pattern(fd, pos, len, NEW);
}

static void by_store(int fd, uint64_t pos, uint64_t len)
{
	uint8_t *p = mmap(NULL, pos + len, PROT_READ | PROT_WRITE, MAP_SHARED,
			  fd, 0);

	CHECK(p != MAP_FAILED);
	pattern(p + pos, len, NEW, pos);
	OK(munmap(p, pos + len));
}

static void by_direct(int fd, uint64_t pos, uint64_t len)
{
	uint8_t *p = aligned(len);

	OK(fcntl(fd, F_SETFL, O_DIRECT));
	pattern(p, len, NEW, pos);
	EQ(pwrite(fd, p, len, pos), len);
	OK(fcntl(fd, F_SETFL, 0));
	free(p);
}

static void by_punch(int fd, uint64_t pos, uint64_t len)
{
	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, pos,
		     len));
}

static void by_zero(int fd, uint64_t pos, uint64_t len)
{
	OK(fallocate(fd, FALLOC_FL_ZERO_RANGE, pos, len));
}

static void by_truncate(int fd, uint64_t pos, uint64_t len)
{
	(void)len;
	OK(ftruncate(fd, pos));
	OK(ftruncate(fd, BLOCKS * BLOCK));
}

static void by_clone(int fd, uint64_t pos, uint64_t len)
{
	int other = OK(open(path("other"), O_RDWR | O_CREAT | O_TRUNC, 0644));

	put_pattern(other, pos, len, NEW);
	OK(clone_range(other, pos, len, fd, pos));
	close(other);
}

static const struct way {
	void (*write)(int fd, uint64_t pos, uint64_t len);
	uint64_t pos, len;
	bool to_end;			/* and all behind it is zero */
	bool zero;
	bool goes;			/* blocks wholly in it are elsewhere */
} ways[] = {
	{ by_write, 3 * BLOCK, 5 * BLOCK, false, false, true },
	{ by_write, 3 * BLOCK + 700, 5 * BLOCK + 1000, false, false, true },
	{ by_store, 3 * BLOCK, 5 * BLOCK, false, false, true },
	{ by_store, 3 * BLOCK + 700, 1000, false, false, true },
	{ by_direct, 3 * BLOCK, 5 * BLOCK, false, false, true },
	{ by_direct, 3 * BLOCK + 512, 5 * BLOCK, false, false, true },
	{ by_punch, 3 * BLOCK + 700, 5 * BLOCK, false, true, false },
	{ by_zero, 3 * BLOCK + 700, 5 * BLOCK, false, true, false },
	{ by_truncate, 3 * BLOCK + 700, 0, true, true, false },
	{ by_clone, 3 * BLOCK, 5 * BLOCK, false, false, true },
};
#define WAYS	(sizeof(ways) / sizeof(*ways))

static void check_way(int fd, const struct way *w)
{
	uint64_t end = w->pos + w->len;

	check_pattern(fd, 0, w->pos, OLD);
	if (w->to_end)
		return check_zero(fd, w->pos, BLOCKS * BLOCK - w->pos);
	if (w->zero)
		check_zero(fd, w->pos, w->len);
	else
		check_pattern(fd, w->pos, w->len, NEW);
	check_pattern(fd, end, BLOCKS * BLOCK - end, OLD);
}

/* places of the blocks, and what is there now */
struct places {
	uint64_t phys[BLOCKS];
	uint8_t bytes[BLOCKS][BLOCK];
};

static void places_read(int fd, struct places *p)
{
	for (int i = 0; i < BLOCKS; i++) {
		p->phys[i] = seal_where(fd, i).phys;
		device_read(p->phys[i], p->bytes[i]);
	}
}

static int places_changed(const struct places *p)
{
	uint8_t now[BLOCK];
	int changed = 0;

	for (int i = 0; i < BLOCKS; i++) {
		device_read(p->phys[i], now);
		changed += memcmp(now, p->bytes[i], BLOCK) != 0;
	}
	return changed;
}

static bool is_sealed(int fd, uint64_t block)
{
	return seal_where(fd, block).flags & SEAL_IS_SEALED;
}

/*
 * written to by w: elsewhere now, and not sealed there. A store makes a whole
 * folio dirty: of its other blocks nothing is known.
 */
static void check_moved(int fd, const struct way *w, const struct places *p)
{
	uint64_t first = w->pos / BLOCK;
	uint64_t last = (w->pos + w->len - 1) / BLOCK;

	for (uint64_t i = 0; i < BLOCKS; i++) {
		bool hit = i >= first && i <= last;

		if (!hit && w->write == by_store)
			continue;
		if (hit == (seal_where(fd, i).phys == p->phys[i]))
			fail_at(__FILE__, __LINE__, "block %llu: moved %d",
				(unsigned long long)i, !hit);
		if (w->write != by_clone)
			EQ(is_sealed(fd, i), !hit);
	}
}

static void seal_ways(void)
{
	static struct places places;

	for (size_t i = 0; i < WAYS; i++) {
		int fd = make("a", BLOCKS * BLOCK);

		seal(fd, 0, BLOCKS);
		places_read(fd, &places);
		ways[i].write(fd, ways[i].pos, ways[i].len);
		check_way(fd, &ways[i]);
		OK(fsync(fd));
		EQ(places_changed(&places), 0);
		if (ways[i].goes)
			check_moved(fd, &ways[i], &places);
		drop_caches();
		check_way(fd, &ways[i]);
		EQ(places_changed(&places), 0);
		/* what is written again is ours alone */
		put_pattern(fd, 0, BLOCKS * BLOCK, NEW);
		drop_caches();
		check_pattern(fd, 0, BLOCKS * BLOCK, NEW);
		close(fd);
		OK(unlink(path("a")));
		sync();
	}
}

/* That the instrument sees what it looks for: not sealed, it is in place. */
static void seal_control(void)
{
	static struct places places;
	int fd = make("a", BLOCKS * BLOCK);

	places_read(fd, &places);
	by_write(fd, 3 * BLOCK, 5 * BLOCK);
	OK(fsync(fd));
	EQ(places_changed(&places), 5);
	by_store(fd, 10 * BLOCK, BLOCK);
	OK(fsync(fd));
	EQ(places_changed(&places), 6);
	by_direct(fd, 12 * BLOCK, BLOCK);
	EQ(places_changed(&places), 7);
	EQ(seal_where(fd, 3).phys, places.phys[3]);
	CHECK(!is_sealed(fd, 3));
	close(fd);
}

/* A part of a file; a mapping that was writable when it was sealed. */
static void seal_parts(void)
{
	static struct places places;
	int fd = make("a", BLOCKS * BLOCK);
	uint8_t *map = mmap(NULL, BLOCKS * BLOCK, PROT_READ | PROT_WRITE,
			    MAP_SHARED, fd, 0);

	CHECK(map != MAP_FAILED);
	map[5 * BLOCK] = 1;
	map[12 * BLOCK] = 1;
	OK(fsync(fd));
	seal(fd, 4, 4);
	seal(fd, 6, 4);			/* some of it again */
	for (int i = 0; i < BLOCKS; i++)
		EQ(is_sealed(fd, i), i >= 4 && i < 10);
	places_read(fd, &places);
	map[5 * BLOCK] = 2;
	map[12 * BLOCK] = 2;
	OK(msync(map, BLOCKS * BLOCK, MS_SYNC));
	OK(fsync(fd));
	EQ(places_changed(&places), 1);
	CHECK(seal_where(fd, 5).phys != places.phys[5]);
	EQ(seal_where(fd, 12).phys, places.phys[12]);
	EQ(map[5 * BLOCK], 2);
	OK(munmap(map, BLOCKS * BLOCK));
	/* behind the end, and where nothing is */
	OK(ftruncate(fd, 40 * BLOCK));
	OK(fallocate(fd, 0, 50 * BLOCK, 5 * BLOCK));
	seal(fd, 0, 200);
	CHECK(is_sealed(fd, 12));
	CHECK(!is_sealed(fd, 52));
	put_pattern(fd, 52 * BLOCK, BLOCK, NEW);
	check_zero(fd, 53 * BLOCK, BLOCK);
	close(fd);
	drop_caches();
	fd = OK(open(path("a"), O_RDWR));
	check_pattern(fd, 52 * BLOCK, BLOCK, NEW);
	check_zero(fd, 20 * BLOCK, 20 * BLOCK);
	close(fd);
}

/* ---- refusals ------------------------------------------------------------ */

static struct seal_call call_of(int fd, uint32_t op)
{
	return seal_call_of(fd, op, 0, BLOCKS);
}

static void seal_refused(void)
{
	static struct places places;
	int fd = make("a", BLOCKS * BLOCK), dir;
	struct seal_call c = call_of(fd, SEAL_CALL_SEAL), bad;

	/* the map is a later one */
	c.map_seq = seal_where(fd, 0).map_seq;
	put_pattern(fd, BLOCKS * BLOCK, BLOCK, OLD);
	OK(fsync(fd));
	seal_ask_refused(&c, EAGAIN);
	/* dirty data is written, and makes it a later one */
	c.map_seq = seal_where(fd, 0).map_seq;
	put_pattern(fd, 3 * BLOCK, BLOCK, NEW);
	seal_ask_refused(&c, EAGAIN);
	c.map_seq = SEAL_NOW;

	bad = c;
	bad.generation++;
	seal_ask_refused(&bad, ENOENT);
	bad = c;
	bad.ino += 1000000;
	seal_ask_refused(&bad, ENOENT);
	bad.ino = 0;
	seal_ask_refused(&bad, ENOENT);
	dir = OK(open(path(""), O_RDONLY | O_DIRECTORY));
	bad = call_of(dir, SEAL_CALL_SEAL);
	seal_ask_refused(&bad, EINVAL);
	close(dir);
	bad = c;
	bad.blocks = 0;
	seal_ask_refused(&bad, EINVAL);
	bad.blocks = 4097;
	seal_ask_refused(&bad, EINVAL);
	bad.blocks = UINT64_MAX;
	bad.file_block = 2;
	seal_ask_refused(&bad, EINVAL);
	bad = c;
	bad.file_block = UINT64_MAX;
	seal_ask_refused(&bad, EINVAL);
	bad = c;
	bad.flags = 1;
	seal_ask_refused(&bad, EINVAL);
	bad = c;
	bad.op = SEAL_CALL_CHECKED;
	seal_ask_refused(&bad, EAGAIN);		/* it is not sealed */

	/* nothing of that has sealed anything */
	places_read(fd, &places);
	for (int i = 0; i < BLOCKS; i++)
		CHECK(!is_sealed(fd, i));
	put_pattern(fd, 0, BLOCKS * BLOCK, OLD + 1);
	OK(fsync(fd));
	EQ(places_changed(&places), BLOCKS);

	/* no name any more */
	OK(unlink(path("a")));
	seal_ask_refused(&c, ENOENT);
	close(fd);
}

static void seal_refused_mount(void)
{
	int fd = make("a", BLOCKS * BLOCK);
	struct seal_call c = call_of(fd, SEAL_CALL_SEAL);
	int dir = OK(open(top_dir, O_RDONLY | O_DIRECTORY));

	OK(ioctl(dir, FIFREEZE, 0));
	seal_ask_refused(&c, EBUSY);
	OK(ioctl(dir, FITHAW, 0));
	close(fd);
	close(dir);
	OK(mount(NULL, top_dir, NULL, MS_REMOUNT | MS_RDONLY, NULL));
	seal_ask_refused(&c, EROFS);
	OK(mount(NULL, top_dir, NULL, MS_REMOUNT, NULL));
	fd = OK(open(path("a"), O_RDWR));
	seal(fd, 0, BLOCKS);
	close(fd);
	/* the file is not in memory: it is loaded */
	drop_caches();
	seal_ask_refused(&c, 0);
}

/* ---- afterwards ---------------------------------------------------------- */

static void seal_unseal(void)
{
	static struct places places;
	int fd = make("a", BLOCKS * BLOCK);

	seal(fd, 0, BLOCKS);
	places_read(fd, &places);
	unseal(fd, 5, 5);
	for (int i = 0; i < BLOCKS; i++)
		EQ(is_sealed(fd, i), i < 5 || i >= 10);
	by_write(fd, 0, BLOCKS * BLOCK);
	OK(fsync(fd));
	EQ(places_changed(&places), 5);
	for (int i = 0; i < BLOCKS; i++)
		EQ(seal_where(fd, i).phys == places.phys[i],
		   i >= 5 && i < 10);
	drop_caches();
	check_pattern(fd, 0, BLOCKS * BLOCK, NEW);
	/* a write that is under way when the seal goes */
	seal(fd, 0, BLOCKS);
	put_pattern(fd, 2 * BLOCK, BLOCK, OLD);
	unseal(fd, 0, BLOCKS);
	put_pattern(fd, 3 * BLOCK, BLOCK, OLD);
	OK(fsync(fd));
	drop_caches();
	check_pattern(fd, 2 * BLOCK, 2 * BLOCK, OLD);
	check_pattern(fd, 4 * BLOCK, 16 * BLOCK, NEW);
	close(fd);
}

/* The marks come back with the map, move with it, and go along in clones. */
static void seal_kept(void)
{
	static struct places places;
	int fd = make("a", BLOCKS * BLOCK), twin;

	seal(fd, 0, BLOCKS);
	places_read(fd, &places);
	close(fd);
	drop_caches();
	fd = OK(open(path("a"), O_RDWR));
	by_write(fd, BLOCK, BLOCK);
	OK(fsync(fd));
	EQ(places_changed(&places), 0);
	/* a block more in front: all of it lies one further */
	OK(fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, BLOCK));
	EQ(seal_where(fd, 5).phys, places.phys[4]);
	CHECK(is_sealed(fd, 5));
	put_pattern(fd, 5 * BLOCK, BLOCK, NEW);
	OK(fsync(fd));
	EQ(places_changed(&places), 0);
	twin = OK(open(path("b"), O_RDWR | O_CREAT, 0644));
	OK(clone_range(fd, 8 * BLOCK, 4 * BLOCK, twin, 0));
	CHECK(is_sealed(twin, 0));
	/* and stays sealed when the other owner goes */
	put_pattern(fd, 0, (BLOCKS + 1) * BLOCK, NEW);
	close(fd);
	OK(unlink(path("a")));
	OK(syncfs(twin));
	close(twin);
	drop_caches();
	twin = OK(open(path("b"), O_RDWR));
	put_pattern(twin, 0, 4 * BLOCK, NEW);
	OK(fsync(twin));
	EQ(places_changed(&places), 0);
	close(twin);
}

/*
 * A write that fails has noted its block, to be said to the daemon with the
 * next ones: before another block, which is sealed, comes to that place.
 */
static void seal_shift_onto_noted(void)
{
	static struct places places;
	int fd = make("a", BLOCKS * BLOCK);
	void *none = mmap(NULL, BLOCK, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	ERR(pwrite(fd, none, BLOCK, 3 * BLOCK), EFAULT);
	seal(fd, 10, 10);
	/* the seal has said it; so once more */
	ERR(pwrite(fd, none, BLOCK, 3 * BLOCK), EFAULT);
	places_read(fd, &places);
	OK(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 3 * BLOCK, 7 * BLOCK));
	put_pattern(fd, BLOCK, BLOCK, NEW);
	OK(fsync(fd));
	EQ(seal_where(fd, 3).phys, places.phys[10]);
	CHECK(is_sealed(fd, 3));
	check_pattern(fd, BLOCK, BLOCK, NEW);
	close(fd);
}

/* ---- races --------------------------------------------------------------- */

#define RACE_BLOCKS	64

/* Every block says of itself which write it is of: torn ones do not. */
static void rewrite(int fd, int how, uint32_t seed)
{
	uint64_t pos = seed % RACE_BLOCKS * BLOCK;
	static uint8_t *block, *map;

	if (!block) {
		block = aligned(BLOCK);
		map = mmap(NULL, RACE_BLOCKS * BLOCK, PROT_READ | PROT_WRITE,
			   MAP_SHARED, fd, 0);
	}
	pattern(block, BLOCK, seed, pos);
	memcpy(block, &seed, sizeof(seed));
	if (how == 0) {
		if (pwrite(fd, block, BLOCK, pos) != BLOCK)
			_exit(2);
	} else if (how == 1) {
		memcpy(map + pos, block, BLOCK);
	} else {
		int direct = open(path("a"), O_RDWR | O_DIRECT);

		if (pwrite(direct, block, BLOCK, pos) != BLOCK)
			_exit(3);
		close(direct);
	}
}

static void check_whole(const uint8_t *block, uint64_t pos)
{
	uint8_t want[BLOCK];
	uint32_t seed;

	memcpy(&seed, block, sizeof(seed));
	pattern(want, BLOCK, seed, pos);
	memcpy(want, &seed, sizeof(seed));
	if (memcmp(block, want, BLOCK))
		fail_at(__FILE__, __LINE__, "block %llu is of no write",
			(unsigned long long)pos / BLOCK);
}

static pid_t begin_rewriting(int fd, int how)
{
	pid_t pid = OK(fork());

	if (pid)
		return pid;
	rnd_seed(how + 100);
	for (uint32_t i = 0;; i++) {
		rewrite(fd, how, rnd());
		if (i % 128 == 127)
			usleep(20000);	/* a seal needs a quiet moment */
		if (i % 512 == 511)
			fdatasync(fd);
	}
}

/*
 * What a seal gave is looked at twice on the device: as long as the file has
 * it there, sealed, it is the same. True when something was looked at.
 */
static bool look_twice(int fd, uint64_t block)
{
	struct seal_answer first, second;
	uint8_t before[BLOCK], after[BLOCK];

	first = seal_ask(fd, SEAL_CALL_WHERE, block, 1);
	if (first.error || !(first.flags & SEAL_IS_SEALED))
		return false;
	device_read(first.phys, before);
	usleep(rnd() % 4000);
	device_read(first.phys, after);
	second = seal_ask(fd, SEAL_CALL_WHERE, block, 1);
	if (second.error || second.phys != first.phys ||
	    !(second.flags & SEAL_IS_SEALED))
		return false;
	CHECK(!memcmp(before, after, BLOCK));
	return true;
}

/* SEAL, a few times, or UNSEAL, whatever has happened; is it done? */
static bool race_call(int fd, uint64_t at, uint64_t n)
{
	struct seal_call c = call_of(fd, SEAL_CALL_SEAL);
	struct seal_answer a;

	c.file_block = at;
	c.blocks = n;
	if (!(rnd() % 4)) {
		c.op = SEAL_CALL_UNSEAL;
		c.map_seq = SEAL_NOW - 1;
	}
	for (int i = 0; i < 5; i++) {
		a = seal_ask_call(&c);
		if (!a.error)
			return true;
		if (a.error != EAGAIN && a.error != EBUSY &&
		    a.error != EINTR && a.error != ESTALE)
			fail_at(__FILE__, __LINE__, "op %u: %s", c.op,
				strerror(a.error));
		usleep(4000);
	}
	return false;
}

static void race(int how)
{
	int fd = OK(open(path("a"), O_RDWR | O_CREAT | O_TRUNC, 0644));
	int sealed = 0, looked = 0, status;
	uint8_t *all = aligned(RACE_BLOCKS * BLOCK);
	pid_t pid;

	for (uint32_t i = 0; i < RACE_BLOCKS; i++)
		rewrite(fd, 0, i);
	OK(fsync(fd));
	pid = begin_rewriting(fd, how);
	for (int i = 0; i < ops_wanted / 5; i++) {
		uint64_t at = rnd() % RACE_BLOCKS;

		sealed += race_call(fd, at, 1 + rnd() % 4);
		looked += look_twice(fd, at);
	}
	kill(pid, SIGKILL);
	OK(waitpid(pid, &status, 0));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK(sealed > 0);
	CHECK(looked > 0);
	OK(fsync(fd));
	drop_caches();
	EQ(pread(fd, all, RACE_BLOCKS * BLOCK, 0), RACE_BLOCKS * BLOCK);
	/* a store that was cut short by the kill is half of two */
	for (uint64_t i = 0; i < RACE_BLOCKS && how != 1; i++)
		check_whole(all + i * BLOCK, i * BLOCK);
	free(all);
	close(fd);
}

static void seal_race_write(void)
{
	race(0);
}

static void seal_race_store(void)
{
	race(1);
}

static void seal_race_direct(void)
{
	race(2);
}

const struct test seal_tests[] = {
	{ "seal_control", seal_control, false },
	{ "seal_ways", seal_ways, false },
	{ "seal_parts", seal_parts, false },
	{ "seal_refused", seal_refused, false },
	{ "seal_refused_mount", seal_refused_mount, true },
	{ "seal_unseal", seal_unseal, false },
	{ "seal_kept", seal_kept, false },
	{ "seal_shift_onto_noted", seal_shift_onto_noted, false },
	{ "seal_race_write", seal_race_write, false },
	{ "seal_race_store", seal_race_store, false },
	{ "seal_race_direct", seal_race_direct, false },
	{ NULL, NULL, false }
};
