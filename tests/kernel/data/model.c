// SPDX-License-Identifier: MPL-2.0
/*
 * One file, random operations on it, and a copy of it in memory that must be
 * the same at all times. Each operation is one way for bytes to get in or
 * out; what it printed last is told when the comparison fails.
 */
#include "datatest.h"
#include <linux/falloc.h>

#define MAX_BYTES	(1u << 20)

static uint8_t *model;			/* MAX_BYTES, zero behind size */
static uint64_t size, limit;
static int fd = -1, dfd = -1;		/* the second one: O_DIRECT */
static char trace[64][80];
static int step;
static bool may_remount;

static void say(const char *what, uint64_t pos, uint64_t len)
{
	snprintf(trace[step++ % 64], 80, "%s %llu+%llu", what,
		 (unsigned long long)pos, (unsigned long long)len);
}

static void complain(const char *what, uint64_t pos, int got, int want)
{
	char last[420] = "";

	for (int i = step > 8 ? step - 8 : 0; i < step; i++) {
		strncat(last, trace[i % 64], sizeof(last) - strlen(last) - 3);
		strcat(last, "; ");
	}
	fail_at(__FILE__, __LINE__,
		"%s: byte %llu is %02x, not %02x, size %llu, step %d: %s",
		what, (unsigned long long)pos, got, want,
		(unsigned long long)size, step, last);
}

static void compare(const char *what, const uint8_t *got, uint64_t pos,
		    uint64_t len)
{
	if (!memcmp(got, model + pos, len))
		return;
	for (uint64_t i = 0; i < len; i++)
		if (got[i] != model[pos + i])
			complain(what, pos + i, got[i], model[pos + i]);
}

static void reopen(void)
{
	if (fd >= 0)
		close(fd);
	if (dfd >= 0)
		close(dfd);
	fd = OK(open(path("file"), O_RDWR));
	dfd = OK(open(path("file"), O_RDWR | O_DIRECT));
}

static void check_all(const char *what)
{
	uint8_t *got = aligned(MAX_BYTES);

	if (file_size(fd) != size)
		complain("size", file_size(fd), 0, 0);
	if (pread(fd, got, size + 1, 0) != (ssize_t)size)
		complain("short read", 0, 0, 0);
	compare(what, got, 0, size);
	free(got);
}

static void grow(uint64_t end)
{
	if (end > size)
		size = end;
}

static uint64_t some_pos(void)
{
	/* near the end now and then: there most can go wrong */
	if (!(rnd() % 4) && size)
		return (size - rnd() % (size < 5000 ? size : 5000)) % limit;
	return rnd() % limit;
}

static uint64_t some_len(uint64_t pos)
{
	uint64_t len = 1 + rnd() % (rnd() % 3 ? 9000 : 90000);

	return pos + len > limit ? limit - pos : len;
}

static void do_write(void)
{
	uint64_t pos = some_pos(), len = some_len(pos);

	say("write", pos, len);
	pattern(model + pos, len, rnd(), pos);
	EQ(pwrite(fd, model + pos, len, pos), len);
	grow(pos + len);
}

static void do_direct_write(void)
{
	uint64_t unit = rnd() % 4 ? BLOCK : 512;
	uint64_t pos = some_pos() / unit * unit;
	uint64_t len = (some_len(pos) + unit - 1) / unit * unit;
	uint8_t *buffer;

	if (pos + len > limit)
		len = limit - pos;
	if (!len)
		return;
	say("direct write", pos, len);
	buffer = aligned(len);
	pattern(buffer, len, rnd(), pos);
	memcpy(model + pos, buffer, len);
	EQ(pwrite(dfd, buffer, len, pos), len);
	grow(pos + len);
	free(buffer);
}

static void do_read(int which, uint64_t unit)
{
	uint64_t pos = some_pos() / unit * unit;
	uint64_t len = (some_len(pos) + unit - 1) / unit * unit;
	uint8_t *buffer = aligned(len + BLOCK);
	uint64_t want = pos >= size ? 0 : size - pos < len ? size - pos : len;

	say(unit > 1 ? "direct read" : "read", pos, len);
	EQ(pread(which, buffer, len, pos), want);
	compare(trace[(step - 1) % 64], buffer, pos, want);
	free(buffer);
}

/* through a shared mapping; behind the end of the file the page is zero */
static void do_map(bool write)
{
	uint64_t pos, len, start, room;
	uint8_t *map;

	if (!size)
		return;
	pos = some_pos() % size;
	len = some_len(pos);
	if (pos + len > size)
		len = size - pos;
	start = pos / BLOCK * BLOCK;
	room = (pos + len - start + BLOCK - 1) / BLOCK * BLOCK;
	say(write ? "map write" : "map read", pos, len);
	map = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED, fd, start);
	CHECK(map != MAP_FAILED);
	if (write)
		pattern(map + pos - start, len, rnd(), pos);
	else
		compare("mapped", map, start, pos + len - start);
	if (write)
		memcpy(model + pos, map + pos - start, len);
	for (uint64_t i = size - start; i < room; i++)
		if (map[i])
			complain("mapped behind the end", start + i, map[i], 0);
	if (write && !(rnd() % 4))
		OK(msync(map, room, MS_SYNC));
	OK(munmap(map, room));
}

static void do_truncate(void)
{
	uint64_t to = rnd() % 3 ? some_pos() : rnd() % (size + 1);

	say("truncate", to, 0);
	OK(ftruncate(fd, to));
	if (to < size)
		memset(model + to, 0, size - to);
	size = to;
}

static void do_fallocate(void)
{
	static const int modes[] = {
		0, FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
	};
	int mode = modes[rnd() % 6];
	uint64_t pos = some_pos(), len = some_len(pos), end = pos + len;

	say(mode & FALLOC_FL_PUNCH_HOLE ? "punch" :
	    mode & FALLOC_FL_ZERO_RANGE ? "zero range" : "fallocate", pos, len);
	OK(fallocate(fd, mode, pos, len));
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		memset(model + pos, 0,
		       pos >= size ? 0 : end > size ? size - pos : len);
	if (!(mode & FALLOC_FL_KEEP_SIZE))
		grow(end);
}

/* what lies behind comes nearer, or goes further away */
static void do_shift(void)
{
	uint64_t pos = some_pos() / BLOCK * BLOCK;
	uint64_t len = some_len(pos) / BLOCK * BLOCK;
	bool longer = rnd() % 2;

	if (longer && len > limit - size)
		len = (limit - size) / BLOCK * BLOCK;
	if (!len || (longer ? pos : pos + len) >= size)
		return;
	say(longer ? "insert" : "collapse", pos, len);
	OK(fallocate(fd, longer ? FALLOC_FL_INSERT_RANGE :
				  FALLOC_FL_COLLAPSE_RANGE, pos, len));
	if (longer) {
		memmove(model + pos + len, model + pos, size - pos);
		memset(model + pos, 0, len);
		size += len;
	} else {
		memmove(model + pos, model + pos + len, size - pos - len);
		size -= len;
		memset(model + size, 0, len);
	}
}

/* what SEEK_DATA skips is zero */
static void do_seek(void)
{
	int64_t pos = size ? rnd() % size : 0, data;

	say("seek", pos, 0);
	data = lseek(fd, pos, SEEK_DATA);
	if (data < 0) {
		EQ(errno, ENXIO);
		data = size;
	}
	for (; pos < data; pos++)
		if (model[pos])
			complain("in a hole", pos, 0, model[pos]);
}

static void do_forget(void)
{
	switch (rnd() % 6) {
	case 0:
		say("fsync", 0, 0);
		OK(fsync(fd));
		break;
	case 1:
		say("fdatasync", 0, 0);
		OK(fdatasync(fd));
		break;
	case 2:
		say("dontneed", 0, 0);
		OK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
		break;
	case 3:
		say("drop caches", 0, 0);
		drop_caches();
		break;
	case 4:
		say("sync_file_range", 0, 0);
		OK(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
		break;
	default:
		if (!may_remount || rnd() % 8)
			return;
		say("remount", 0, 0);
		close(fd);
		close(dfd);
		fd = dfd = -1;
		remount();
		reopen();
		check_all("after remount");
	}
}

static void one_step(void)
{
	switch (rnd() % 17) {
	case 0: case 1: case 2:
		do_write();
		break;
	case 3: case 4:
		do_direct_write();
		break;
	case 5:
		do_read(fd, 1);
		break;
	case 6:
		do_read(dfd, 512);
		break;
	case 7: case 8:
		do_map(true);
		break;
	case 9:
		do_map(false);
		break;
	case 10: case 11:
		do_truncate();
		break;
	case 12: case 13:
		do_fallocate();
		break;
	case 14:
		do_seek();
		break;
	case 15:
		do_shift();
		break;
	default:
		do_forget();
	}
	if (file_size(fd) != size)
		complain("size", file_size(fd), 0, 0);
}

static void run_model(uint64_t seed, uint64_t max, bool remounts)
{
	rnd_seed(seed);
	limit = max;
	may_remount = remounts;
	model = calloc(1, 2 * MAX_BYTES);
	close(OK(open(path("file"), O_RDWR | O_CREAT | O_TRUNC, 0644)));
	reopen();
	for (int i = 0; i < ops_wanted; i++) {
		one_step();
		if (!(i % 50))
			check_all("all");
	}
	check_all("at the end");
	drop_caches();
	check_all("at the end, caches dropped");
	close(fd);
	close(dfd);
	if (remount()) {
		reopen();
		check_all("at the end, remounted");
	}
}

static void model_small(void) { run_model(1, 20480, false); }
static void model_blocks(void) { run_model(2, 204800, false); }
static void model_large(void) { run_model(3, MAX_BYTES, false); }
static void model_remount(void) { run_model(4, 155648, true); }

const struct test model_tests[] = {
	{ "model_small", model_small, false },
	{ "model_blocks", model_blocks, false },
	{ "model_large", model_large, false },
	{ "model_remount", model_remount, true },
	{ NULL, NULL, false }
};
