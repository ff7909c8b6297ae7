// SPDX-License-Identifier: MPL-2.0
/*
 * REMAP: what is refused; that it is done while the file is in use, by readers
 * and by a writer; that a daemon which dies leaves it done or not.
 */
#include "packing.h"
#include "readers.h"
#include <linux/falloc.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#define BLOCKS	20
#define BYTES	(BLOCKS * BLOCK)
#define SEED	READ_SEED
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

/* a pack of what all such files have in their first n blocks; where it is */
static uint64_t put_good(struct pack *p, uint64_t n)
{
	uint8_t *content = malloc(n * BLOCK);

	pattern(content, n * BLOCK, SEED, 0);
	pack_raw(p, content, n);
	free(content);
	return pack_put(p, 0);
}

/* ---- refused ------------------------------------------------------------- */

static void refused(struct seal_call call, int error)
{
	call.op = SEAL_CALL_REMAP_ANY;
	seal_ask_refused(&call, error);
}

/* with all applied, so that nothing but the checks is why */
static void refused_now(int fd, struct seal_call call)
{
	OK(fsync(fd));
	refused(call, EAGAIN);
}

static void refused_flags(struct seal_call good)
{
	static const uint32_t bad[] = {
		0, 0x100, 0x800, 0x200, 0x300, 0xa00, 0x901, 0x902, 0x904,
		0xd00, 0xb01, 0xb04, 0xf00, 0x10900, 0x1f0900, 0x200b00,
		0x8000b00, 0x10000b00, 0x80000b00, 0x80000900, ~0u,
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		good.flags = bad[i];
		refused(good, EINVAL);
	}
}

static void remap_refused(void)
{
	int fd = make_checked("a", BYTES);
	struct pack *p = malloc(sizeof(*p));
	uint64_t start = put_good(p, 8);
	struct seal_call good = remap_call_of(fd, 0, 8, p, start, 0), bad;
	int dir = OK(open(path(""), O_RDONLY | O_DIRECTORY));

	OK(fsync(fd));
	refused_flags(good);
	refused(remap_call_of(dir, 0, 8, p, start, 0), EINVAL);
	close(dir);
	bad = good;
	bad.generation++;
	refused(bad, ENOENT);
	bad = good;
	bad.ino = 0;
	refused(bad, ENOENT);
	bad = good;
	bad.ino += 1000000;
	refused(bad, ENOENT);
	/* more than a pack has, or a call may say */
	refused(remap_call_of(fd, 0, 0, p, start, 0), EINVAL);
	refused(remap_call_of(fd, 0, 33, p, start, 0), EINVAL);
	refused(remap_call_of(fd, 0, 8, p, start, 25), EINVAL);
	refused(remap_call_of(fd, 0, UINT64_MAX, p, start, 1), EINVAL);
	refused(remap_call_of(fd, UINT64_MAX, 1, p, start, 0), EINVAL);
	refused(remap_call_of(fd, 1ull << 52, 1, p, start, 0), EINVAL);
	refused(plain_call_of(fd, 0, 4097, start), EINVAL);
	refused(plain_call_of(fd, 0, 0, start), EINVAL);
	/* not data, or not all of it */
	refused(remap_call_of(fd, 0, 8, p, 0, 0), EINVAL);
	refused(remap_call_of(fd, 0, 8, p, 3, 0), EINVAL);
	refused(remap_call_of(fd, 0, 8, p, 1ull << 40, 0), EINVAL);
	refused(plain_call_of(fd, 0, 8, 0), EINVAL);
	refused(plain_call_of(fd, 0, 8, UINT64_MAX), EINVAL);
	refused(plain_call_of(fd, 0, 8, UINT64_MAX - 7), EINVAL);
	refused(plain_call_of(fd, 0, 8, 160u << 8), EINVAL);
	bad = good;
	bad.phys = UINT64_MAX;
	refused(bad, EINVAL);
	bad.phys -= 31;
	refused(bad, EINVAL);

	for (int i = 0; i < BLOCKS; i++)
		CHECK(!is_packed(fd, i));
	EQ(shared_blocks(fd), 0);
	CHECK(by_pread(fd, 0, BYTES));
	pack_drop(start);
	close(fd);
	free(p);
}

static void remap_refused_unchecked(void)
{
	int fd = make("a", BYTES);
	struct pack *p = malloc(sizeof(*p));
	uint64_t start = put_good(p, 8);
	struct seal_call call = remap_call_of(fd, 0, 8, p, start, 0);

	refused_now(fd, call);
	seal(fd, 0, BLOCKS);
	refused_now(fd, call);
	seal_checked(fd, 0, 7);
	refused_now(fd, call);
	seal_checked(fd, 0, 8);
	unseal(fd, 3, 1);
	refused_now(fd, call);
	/* a hole, in the middle and at an end; what is preallocated */
	seal_checked(fd, 0, 8);
	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4 * BLOCK,
		     BLOCK));
	refused_now(fd, call);
	OK(fallocate(fd, 0, 4 * BLOCK, BLOCK));
	seal_checked(fd, 0, 8);
	refused_now(fd, call);
	put_pattern(fd, 4 * BLOCK, BLOCK, SEED);
	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		     BLOCK));
	seal_checked(fd, 0, 8);
	refused_now(fd, call);
	refused_now(fd, remap_call_of(fd, BLOCKS - 3, 8, p, start, 0));
	refused_now(fd, remap_call_of(fd, BLOCKS + 3, 8, p, start, 0));
	put_pattern(fd, 0, BLOCK, SEED);
	seal_checked(fd, 0, 8);
	for (int i = 0; i < 8; i++)
		CHECK(!is_packed(fd, i));
	pack_drop(start);
	pack_file(fd, 0, 8, 8);
	CHECK(by_pread(fd, 0, BYTES));
	close(fd);
	free(p);
}

static void remap_refused_changed(void)
{
	int fd = make_checked("a", BYTES);
	struct pack *p = malloc(sizeof(*p));
	uint64_t start = put_good(p, 8);
	struct seal_call call = remap_call_of(fd, 0, 8, p, start, 0);

	/* behind the range: only the number tells */
	call.map_seq = seal_where(fd, 0).map_seq;
	put_pattern(fd, BYTES, BLOCK, OTHER);
	OK(fsync(fd));
	refused(call, EAGAIN);
	call.map_seq = seal_where(fd, 0).map_seq;
	OK(ftruncate(fd, BYTES));
	OK(fsync(fd));
	refused(call, EAGAIN);
	/* in it, and on its way; dirty, then written, then not checked */
	put_pattern(fd, 3 * BLOCK, BLOCK, OTHER);
	call.map_seq = SEAL_NOW;
	refused(call, EAGAIN);
	check_pattern(fd, 3 * BLOCK, BLOCK, OTHER);
	refused_now(fd, call);
	drop_caches();
	check_pattern(fd, 0, 3 * BLOCK, SEED);
	check_pattern(fd, 3 * BLOCK, BLOCK, OTHER);
	CHECK(!is_packed(fd, 0));
	/* another REMAP has changed it */
	put_pattern(fd, 3 * BLOCK, BLOCK, SEED);
	seal_checked(fd, 0, BLOCKS);
	call.map_seq = seal_where(fd, 0).map_seq;
	pack_drop(start);
	pack_file(fd, 10, 3, 3);
	OK(fsync(fd));
	refused(call, EAGAIN);
	/* seals have not */
	pack_file(fd, 0, 8, 8);
	CHECK(by_pread(fd, 0, BYTES));
	close(fd);
	free(p);
}

/* A part of a file that is dirty elsewhere, and longer than it was. */
static void remap_parts(void)
{
	int fd = make_checked("a", BYTES);

	for (int i = 0; i < 6; i++) {
		put_pattern(fd, 12 * BLOCK + 100 * i, 50, SEED);
		put_pattern(fd, BYTES + i * BLOCK, BLOCK + 77, SEED);
		pack_file(fd, 2 * i, 2, 2);
		CHECK(is_packed(fd, 2 * i));
		if (i % 2)
			drop_caches();
		CHECK(by_pread(fd, 0, BYTES + i * BLOCK));
	}
	CHECK(is_packed(fd, 0));
	close(fd);
}

static void remap_refused_pinned(void)
{
	int fd = make_checked("a", BLOCK), ends[2];
	struct pack *p = malloc(sizeof(*p));
	uint64_t start = put_good(p, 1);

	drop_caches();
	OK(pipe(ends));
	pin_block(fd, ends[1]);
	OK(fsync(fd));
	refused(remap_call_of(fd, 0, 1, p, start, 0), EBUSY);
	CHECK(!is_packed(fd, 0));
	close(ends[0]);
	close(ends[1]);
	pack_drop(start);
	pack_file(fd, 0, 1, 1);
	CHECK(is_packed(fd, 0));
	check_pattern(fd, 0, BLOCK, SEED);
	close(fd);
	free(p);
}

static void remap_refused_mount(void)
{
	int fd = make_checked("a", BYTES);
	int dir = OK(open(top_dir, O_RDONLY | O_DIRECTORY));
	struct pack *p = malloc(sizeof(*p));
	uint64_t start = put_good(p, 8);
	struct seal_call call = remap_call_of(fd, 0, 8, p, start, 0);

	OK(fsync(fd));
	OK(ioctl(dir, FIFREEZE, 0));
	refused(call, EBUSY);
	OK(ioctl(dir, FITHAW, 0));
	close(fd);
	close(dir);
	OK(mount(NULL, top_dir, NULL, MS_REMOUNT | MS_RDONLY, NULL));
	refused(call, EROFS);
	OK(mount(NULL, top_dir, NULL, MS_REMOUNT, NULL));
	/* it is not in memory: it is loaded */
	drop_caches();
	refused(call, 0);
	fd = OK(open(path("a"), O_RDONLY));
	EQ(packed_at(fd, 0), start);
	CHECK(by_pread(fd, 0, BYTES));
	close(fd);
	free(p);
}

/* ---- in use -------------------------------------------------------------- */

/* what a child and the test have in common */
struct common {
	_Atomic bool stop;
	_Atomic uint64_t done;
};

static struct common *begin_common(void)
{
	struct common *c = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(c != MAP_FAILED);
	return c;
}

/* the child says on standard error what it found */
static void end_child(struct common *c, pid_t pid)
{
	int status;

	c->stop = true;
	OK(waitpid(pid, &status, 0));
	EQ(status, 0);
	CHECK(c->done > 0);
}

static void check_alive(pid_t pid)
{
	int status;

	EQ(waitpid(pid, &status, WNOHANG), 0);
}

static void wrong(const char *who, uint64_t block)
{
	fprintf(stderr, "%s: %s finds other bytes in block %llu\n", test_name,
		who, (unsigned long long)block);
	_exit(1);
}

static void read_for_ever(struct common *c)
{
	int fd = OK(open(path("a"), O_RDONLY));
	int direct = OK(open(path("a"), O_RDONLY | O_DIRECT));
	uint8_t *map = mmap(NULL, BYTES, PROT_READ, MAP_SHARED, fd, 0);
	uint8_t *want = malloc(BYTES), *got = aligned(BLOCK);

	CHECK(map != MAP_FAILED);
	pattern(want, BYTES, SEED, 0);
	for (; !c->stop; c->done++) {
		uint64_t at = rnd() % BLOCKS;
		struct stat st;

		if (memcmp(map + at * BLOCK, want + at * BLOCK, BLOCK))
			wrong("a mapping", at);
		at = rnd() % BLOCKS;
		if (pread(fd, got, BLOCK, at * BLOCK) != BLOCK ||
		    memcmp(got, want + at * BLOCK, BLOCK))
			wrong("a read", at);
		at = rnd() % BLOCKS;
		if (pread(direct, got, 1024, at * BLOCK + 512) != 1024 ||
		    memcmp(got, want + at * BLOCK + 512, 1024))
			wrong("a direct read", at);
		/* a file without blocks is taken for a hole by some */
		if (fstat(fd, &st) || st.st_blocks < (long)(BYTES / 512))
			wrong("stat", st.st_blocks);
		if (!(c->done % 16))
			posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	}
	_exit(0);
}

/* Everything still works when the daemon dies in a call: asked again. */
static bool asked(const struct seal_call *call)
{
	struct seal_answer a = seal_ask_call(call);

	if (a.error && a.error != EAGAIN && a.error != EBUSY &&
	    a.error != EINTR && a.error != ESTALE)
		fail_at(__FILE__, __LINE__, "op %u: %s", call->op,
			strerror(a.error));
	return !a.error;
}

/* What is not mapped by then is given back. */
static bool remap_once(int fd, const struct pack *p, uint64_t at, uint64_t n,
		       uint64_t map_seq, bool packed)
{
	uint64_t start = pack_put(p, 0);
	struct seal_call call = packed ?
				remap_call_of(fd, at, n, p, start, 0) :
				plain_call_of(fd, at, n, start);
	struct seal_answer a;

	call.map_seq = map_seq;
	a = seal_ask_call(&call);
	if (a.error == EAGAIN || a.error == EBUSY)
		pack_drop(start);
	return !a.error;
}

static void as_it_is(struct pack *p, const uint8_t *content, uint64_t n,
		     bool packed)
{
	if (packed) {
		pack_raw(p, content, n);
	} else {
		memcpy(p->image, content, n * BLOCK);
		p->device_blocks = n;
	}
}

static void remap_readers(void)
{
	int fd = make_checked("a", BYTES), done = 0;
	uint8_t *content = malloc(BYTES);
	struct pack *p = malloc(sizeof(*p));
	struct common *c = begin_common();
	pid_t pids[2];

	pattern(content, BYTES, SEED, 0);
	for (int i = 0; i < 2; i++) {
		pids[i] = OK(fork());
		if (!pids[i]) {
			rnd_seed(i + 50);
			read_for_ever(c);
		}
	}
	for (int i = 0; i < ops_wanted / 5 || c->done < 100 || done < 11;
	     i++) {
		uint64_t at = rnd() % BLOCKS, n = 1 + rnd() % 8;
		bool packed = rnd() % 4;

		n = at + n > BLOCKS ? BLOCKS - at : n;
		check_alive(pids[0]);
		check_alive(pids[1]);
		as_it_is(p, content + at * BLOCK, n, packed);
		done += remap_once(fd, p, at, n, SEAL_NOW, packed);
		/* the blocks are used again when it is durable */
		if (i % 4 == 3)
			OK(fsync(fd));
	}
	end_child(c, pids[0]);
	end_child(c, pids[1]);
	CHECK(by_pread(fd, 0, BYTES));
	free(content);
	free(p);
	close(fd);
}

/* Each block is of one seed; the writer alone knows of which. */
static void write_for_ever(struct common *c)
{
	uint8_t seeds[BLOCKS], *block = aligned(BLOCK), *want = malloc(BLOCK);
	int fds[2];
	uint8_t *map;

	fds[0] = OK(open(path("a"), O_RDWR));
	fds[1] = OK(open(path("a"), O_RDWR | O_DIRECT));
	map = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fds[0], 0);
	CHECK(map != MAP_FAILED);
	memset(seeds, SEED, BLOCKS);
	rnd_seed(77);
	for (; !c->stop; c->done++) {
		uint64_t at = rnd() % BLOCKS;

		seeds[at] = rnd();
		pattern(block, BLOCK, seeds[at], at * BLOCK);
		if (rnd() % 3)
			EQ(pwrite(fds[rnd() % 2], block, BLOCK, at * BLOCK),
			   BLOCK);
		else
			memcpy(map + at * BLOCK, block, BLOCK);
		for (int i = 0; i < 6; i++) {
			at = rnd() % BLOCKS;
			pattern(want, BLOCK, seeds[at], at * BLOCK);
			if (rnd() % 3)
				EQ(pread(fds[rnd() % 2], block, BLOCK,
					 at * BLOCK), BLOCK);
			else
				memcpy(block, map + at * BLOCK, BLOCK);
			if (memcmp(block, want, BLOCK))
				wrong("the writer", at);
		}
		/* sealing needs a quiet moment */
		if (c->done % 8 == 7)
			usleep(60000);
	}
	_exit(0);
}

/* False: a write came in between. */
static bool try_checked(int fd, uint64_t at, uint64_t n)
{
	struct seal_call call = seal_call_of(fd, SEAL_CALL_SEAL, at, n);

	OK(fsync(fd));
	if (!asked(&call))
		return false;
	OK(fsync(fd));
	call.op = SEAL_CALL_SUMS;
	if (!asked(&call))
		return false;
	call.op = SEAL_CALL_CHECKED;
	return asked(&call);
}

/* As the daemon does it: what is read after the number was taken. */
static void remap_writer(void)
{
	int fd = make_checked("a", BYTES), done = 0;
	uint8_t *content = malloc(BYTES);
	struct pack *p = malloc(sizeof(*p));
	struct common *c = begin_common();
	pid_t pid;

	pid = OK(fork());
	if (!pid)
		write_for_ever(c);
	for (int i = 0; i < ops_wanted / 5 || c->done < 200 || done < 6;
	     i++) {
		uint64_t at = rnd() % BLOCKS, n = 1 + rnd() % 4, seq;
		bool packed = rnd() % 4;

		n = at + n > BLOCKS ? BLOCKS - at : n;
		check_alive(pid);
		if (!try_checked(fd, at, n))
			continue;
		seq = seal_ask(fd, SEAL_CALL_WHERE, at, 1).map_seq;
		EQ(pread(fd, content, n * BLOCK, at * BLOCK), n * BLOCK);
		as_it_is(p, content, n, packed);
		done += remap_once(fd, p, at, n, seq, packed);
	}
	end_child(c, pid);
	free(content);
	free(p);
	close(fd);
}

/* ---- a daemon that dies -------------------------------------------------- */

/*
 * As soon as it was told that it is done: the successor gets the intent, and
 * nobody got the blocks meanwhile.
 */
static void remap_dead(void)
{
	uint8_t *content = malloc(8 * BLOCK);
	struct pack *p = malloc(sizeof(*p));
	int done = 0;

	pattern(content, 8 * BLOCK, SEED, 0);
	for (int i = 0; i < 8; i++) {
		int fd = make_checked("a", BYTES), other = make("b", 0);
		bool packed = i % 2;
		struct seal_answer a;
		struct seal_call call;

		OK(fsync(fd));
		as_it_is(p, content, 8, packed);
		a.phys = pack_put(p, 0);
		call = packed ? remap_call_of(fd, 0, 8, p, a.phys, 0) :
				plain_call_of(fd, 0, 8, a.phys);
		call.src_pos = 1;
		CHECK(!seal_socket_ask(seal_socket, &call, &a) || a.error);
		put_pattern(other, 0, 400 * BLOCK, OTHER);
		OK(fsync(other));
		done += seal_where(fd, 7).phys == call.phys + 7;
		drop_caches();
		CHECK(by_pread(fd, 0, BYTES));
		check_pattern(other, 0, 400 * BLOCK, OTHER);
		close(fd);
		close(other);
	}
	CHECK(done > 2);
	free(content);
	free(p);
}

const struct test remap_tests[] = {
	{ "seal_remap_refused", remap_refused, false },
	{ "seal_remap_refused_unchecked", remap_refused_unchecked, false },
	{ "seal_remap_refused_changed", remap_refused_changed, false },
	{ "seal_remap_parts", remap_parts, false },
	{ "seal_remap_refused_pinned", remap_refused_pinned, false },
	{ "seal_remap_refused_mount", remap_refused_mount, true },
	{ "seal_remap_readers", remap_readers, false },
	{ "seal_remap_writer", remap_writer, false },
	{ "seal_remap_dead", remap_dead, false },
	{ NULL, NULL, false }
};
