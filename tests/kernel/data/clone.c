// SPDX-License-Identifier: MPL-2.0
/*
 * Two files that share blocks, random operations on either, and copies of
 * both in memory: what is written to one must never show in the other.
 */
#include "datatest.h"
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#define MAX_BYTES	(1u << 20)

struct half {
	const char *name;
	int fd, dfd;			/* the second one: O_DIRECT */
	uint64_t size;
	uint8_t *model;			/* zero behind size */
};

static struct half halves[2] = { { .name = "one" }, { .name = "two" } };
static uint64_t limit;
static char trace[64][100];
static int step;
static bool may_remount;

static void say(const struct half *h, const char *what, uint64_t pos,
		uint64_t len)
{
	snprintf(trace[step++ % 64], 100, "%s %s %llu+%llu", h->name, what,
		 (unsigned long long)pos, (unsigned long long)len);
}

static void complain(const struct half *h, const char *what, uint64_t pos,
		     int got, int want)
{
	char last[420] = "";

	for (int i = step > 8 ? step - 8 : 0; i < step; i++) {
		strncat(last, trace[i % 64], sizeof(last) - strlen(last) - 3);
		strcat(last, "; ");
	}
	fail_at(__FILE__, __LINE__,
		"%s, %s: byte %llu is %02x, not %02x, size %llu, step %d: %s",
		h->name, what, (unsigned long long)pos, got, want,
		(unsigned long long)h->size, step, last);
}

static void reopen(void)
{
	for (struct half *h = halves; h < halves + 2; h++) {
		h->fd = OK(open(path(h->name), O_RDWR | O_CREAT, 0644));
		h->dfd = OK(open(path(h->name), O_RDWR | O_DIRECT));
	}
}

static void close_all(void)
{
	for (struct half *h = halves; h < halves + 2; h++) {
		close(h->fd);
		close(h->dfd);
	}
}

static void check_half(const struct half *h, const char *what)
{
	uint8_t *got = aligned(2 * MAX_BYTES);

	if (file_size(h->fd) != h->size)
		complain(h, "size", file_size(h->fd), 0, 0);
	EQ(pread(h->fd, got, h->size + 1, 0), h->size);
	for (uint64_t i = 0; memcmp(got, h->model, h->size) && i < h->size; i++)
		if (got[i] != h->model[i])
			complain(h, what, i, got[i], h->model[i]);
	free(got);
}

static void check_all(const char *what)
{
	check_half(&halves[0], what);
	check_half(&halves[1], what);
}

static void grow(struct half *h, uint64_t end)
{
	if (end > h->size)
		h->size = end;
}

static uint64_t some_pos(const struct half *h)
{
	if (!(rnd() % 4) && h->size)
		return (h->size - rnd() % (h->size < 5000 ? h->size : 5000)) %
		       limit;
	return rnd() % limit;
}

static uint64_t some_len(uint64_t pos)
{
	uint64_t len = 1 + rnd() % (rnd() % 3 ? 9000 : 60000);

	return pos + len > limit ? limit - pos : len;
}

static void do_write(struct half *h)
{
	uint64_t pos = some_pos(h), len = some_len(pos);

	say(h, "write", pos, len);
	pattern(h->model + pos, len, rnd(), pos);
	EQ(pwrite(h->fd, h->model + pos, len, pos), len);
	grow(h, pos + len);
}

static void do_direct_write(struct half *h)
{
	uint64_t unit = rnd() % 3 ? BLOCK : 512;
	uint64_t pos = some_pos(h) / unit * unit;
	uint64_t len = some_len(pos) / unit * unit;
	uint8_t *buffer;

	if (!len)
		return;
	say(h, "direct write", pos, len);
	buffer = aligned(len);
	pattern(buffer, len, rnd(), pos);
	memcpy(h->model + pos, buffer, len);
	EQ(pwrite(h->dfd, buffer, len, pos), len);
	grow(h, pos + len);
	free(buffer);
}

static void do_direct_read(struct half *h)
{
	uint64_t pos = some_pos(h) / BLOCK * BLOCK;
	uint64_t len = (some_len(pos) + BLOCK - 1) / BLOCK * BLOCK;
	uint64_t want = pos >= h->size ? 0 :
			h->size - pos < len ? h->size - pos : len;
	uint8_t *got = aligned(len);

	say(h, "direct read", pos, len);
	EQ(pread(h->dfd, got, len, pos), want);
	for (uint64_t i = 0; memcmp(got, h->model + pos, want) && i < want; i++)
		if (got[i] != h->model[pos + i])
			complain(h, "direct read", pos + i, got[i],
				 h->model[pos + i]);
	free(got);
}

static void do_map(struct half *h)
{
	uint64_t pos, len, start;
	uint8_t *map;

	if (!h->size)
		return;
	pos = some_pos(h) % h->size;
	len = some_len(pos);
	if (pos + len > h->size)
		len = h->size - pos;
	start = pos / BLOCK * BLOCK;
	say(h, "map write", pos, len);
	map = mmap(NULL, pos + len - start, PROT_READ | PROT_WRITE,
		   MAP_SHARED, h->fd, start);
	CHECK(map != MAP_FAILED);
	pattern(map + pos - start, len, rnd(), pos);
	memcpy(h->model + pos, map + pos - start, len);
	if (!(rnd() % 4))
		OK(msync(map, pos + len - start, MS_SYNC));
	OK(munmap(map, pos + len - start));
}

static void do_truncate(struct half *h)
{
	uint64_t to = some_pos(h);

	say(h, "truncate", to, 0);
	OK(ftruncate(h->fd, to));
	if (to < h->size)
		memset(h->model + to, 0, h->size - to);
	h->size = to;
}

static void do_fallocate(struct half *h)
{
	static const int modes[] = {
		0, FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
	};
	int mode = modes[rnd() % 6];
	uint64_t pos = some_pos(h), len = some_len(pos), end = pos + len;

	say(h, mode & FALLOC_FL_PUNCH_HOLE ? "punch" :
	    mode & FALLOC_FL_ZERO_RANGE ? "zero range" : "fallocate", pos, len);
	OK(fallocate(h->fd, mode, pos, len));
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		memset(h->model + pos, 0, pos >= h->size ? 0 :
		       end > h->size ? h->size - pos : len);
	if (!(mode & FALLOC_FL_KEEP_SIZE))
		grow(h, end);
}

static bool overlap(uint64_t a, uint64_t b, uint64_t len)
{
	return a < b + len && b < a + len;
}

/* Whole blocks, or up to the source's end where the other one ends too. */
static void do_clone(struct half *from)
{
	struct half *to = &halves[rnd() % 2];
	uint64_t at = some_pos(from) / BLOCK * BLOCK, len = some_len(at);
	uint64_t pos = some_pos(to) / BLOCK * BLOCK;
	uint8_t *copy;

	if (rnd() % 3 == 0)
		at = pos = 0;
	if (rnd() % 4 == 0)
		len = limit;
	if (at >= from->size)
		return;
	if (len > from->size - at)
		len = from->size - at;
	if (pos + len > limit)
		len = limit - pos;
	if (at + len != from->size || pos + len < to->size)
		len = len / BLOCK * BLOCK;
	if (!len || (from == to && overlap(at, pos, len)))
		return;
	say(from, "clone from", at, len);
	say(to, "clone to", pos, len);
	if (clone_range(from->fd, at, len, to->fd, pos))
		complain(to, strerror(errno), pos, 0, 0);
	copy = malloc(len);
	memcpy(copy, from->model + at, len);
	memcpy(to->model + pos, copy, len);
	free(copy);
	grow(to, pos + len);
}

static void do_copy(struct half *from)
{
	struct half *to = &halves[rnd() % 2];
	uint64_t at = some_pos(from), len = some_len(at), pos = some_pos(to);
	off_t in = at, out = pos;
	ssize_t n;

	if (rnd() % 2) {
		at = in = at / BLOCK * BLOCK;
		pos = out = pos / BLOCK * BLOCK;
	}
	if (at >= from->size)
		return;
	if (len > from->size - at)
		len = from->size - at;
	if (pos + len > limit || (from == to && overlap(at, pos, len)))
		return;
	say(from, "copy from", at, len);
	say(to, "copy to", pos, len);
	memmove(to->model + pos, from->model + at, len);
	grow(to, pos + len);
	for (uint64_t left = len; left; left -= n) {
		n = OK(copy_file_range(from->fd, &in, to->fd, &out, left, 0));
		CHECK(n > 0);
	}
}

static void do_forget(void)
{
	switch (rnd() % 5) {
	case 0:
		OK(fsync(halves[rnd() % 2].fd));
		break;
	case 1:
		say(&halves[0], "drop caches", 0, 0);
		drop_caches();
		break;
	case 2:
		OK(sync_file_range(halves[rnd() % 2].fd, 0, 0,
				   SYNC_FILE_RANGE_WRITE));
		break;
	case 3:
		OK(posix_fadvise(halves[rnd() % 2].fd, 0, 0,
				 POSIX_FADV_DONTNEED));
		break;
	default:
		if (!may_remount || rnd() % 6)
			return;
		say(&halves[0], "remount", 0, 0);
		close_all();
		remount();
		reopen();
		check_all("after remount");
	}
}

static void one_step(void)
{
	struct half *h = &halves[rnd() % 2];

	switch (rnd() % 18) {
	case 0: case 1: case 2:
		return do_write(h);
	case 3: case 4:
		return do_direct_write(h);
	case 5:
		return do_direct_read(h);
	case 6: case 7:
		return do_map(h);
	case 8:
		return do_truncate(h);
	case 9: case 10:
		return do_fallocate(h);
	case 11: case 12: case 13: case 14:
		return do_clone(h);
	case 15:
		return do_copy(h);
	default:
		return do_forget();
	}
}

static void run_clones(uint64_t seed, uint64_t max, bool remounts)
{
	rnd_seed(seed);
	limit = max;
	may_remount = remounts;
	halves[0].model = calloc(1, 2 * MAX_BYTES);
	halves[1].model = calloc(1, 2 * MAX_BYTES);
	reopen();
	for (int i = 0; i < ops_wanted; i++) {
		one_step();
		if (!(i % 25))
			check_all("all");
	}
	check_all("at the end");
	drop_caches();
	check_all("at the end, caches dropped");
	close_all();
	if (remount()) {
		reopen();
		check_all("at the end, remounted");
	}
}

static void clone_small(void) { run_clones(1, 20480, false); }
static void clone_blocks(void) { run_clones(2, 163840, false); }
static void clone_large(void) { run_clones(3, MAX_BYTES, false); }
static void clone_remount(void) { run_clones(4, 122880, true); }

const struct test clone_tests[] = {
	{ "clone_small", clone_small, false },
	{ "clone_blocks", clone_blocks, false },
	{ "clone_large", clone_large, false },
	{ "clone_remount", clone_remount, true },
	{ NULL, NULL, false }
};
