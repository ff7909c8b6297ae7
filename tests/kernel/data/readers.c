// SPDX-License-Identifier: MPL-2.0
/* Every way to read a file. */
#include "readers.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/sendfile.h>

/* ---- ways to read: EIO, or the bytes ------------------------------------- */

static bool right(const uint8_t *got, uint64_t pos, uint64_t len)
{
	uint8_t *want = malloc(len);
	bool same;

	pattern(want, len, READ_SEED, pos);
	same = !memcmp(got, want, len);
	free(want);
	if (!same)
		fail_at(__FILE__, __LINE__, "wrong bytes at %llu",
			(unsigned long long)pos);
	return true;
}

bool by_pread(int fd, uint64_t pos, uint64_t len)
{
	uint8_t *buffer = malloc(len);
	ssize_t n, done = 0;

	/* what comes before the damage is given first */
	do {
		n = pread(fd, buffer + done, len - done, pos + done);
		done += n;
	} while (n > 0 && done < (ssize_t)len);
	if (n < 0)
		EQ(errno, EIO);
	else
		EQ(done, len);
	return n < 0 ? free(buffer), false : right(buffer, pos, len);
}

/* memory at an odd place, as far as the device takes it */
static bool read_direct(int fd, uint64_t pos, uint64_t len, uint64_t at)
{
	uint8_t *buffer = aligned(len + BLOCK);
	ssize_t n;

	OK(fcntl(fd, F_SETFL, O_DIRECT));
	n = pread(fd, buffer + at, len, pos);
	if (n < 0)
		EQ(errno, EIO);
	OK(fcntl(fd, F_SETFL, 0));
	if (n >= 0) {
		EQ(n, len);
		right(buffer + at, pos, len);
	}
	free(buffer);
	return n >= 0;
}

bool by_direct(int fd, uint64_t pos, uint64_t len)
{
	return read_direct(fd, pos, len, 0);
}

bool by_direct_odd(int fd, uint64_t pos, uint64_t len)
{
	return read_direct(fd, pos, len, 512);
}

static sigjmp_buf fault;

static void on_fault(int sig)
{
	siglongjmp(fault, sig);
}

bool by_mapping(int fd, uint64_t pos, uint64_t len)
{
	struct sigaction act = { .sa_handler = on_fault }, old;
	uint64_t whole = pos + len;
	uint8_t *map = mmap(NULL, whole, PROT_READ, MAP_SHARED, fd,
			    0);
	uint8_t *buffer = malloc(len);
	volatile bool ok = false;

	CHECK(map != MAP_FAILED);
	OK(sigaction(SIGBUS, &act, &old));
	if (!sigsetjmp(fault, 1)) {
		memcpy(buffer, map + pos, len);
		ok = right(buffer, pos, len);
	}
	OK(sigaction(SIGBUS, &old, NULL));
	OK(munmap(map, whole));
	free(buffer);
	return ok;
}

bool by_splice(int fd, uint64_t pos, uint64_t len)
{
	int to = OK(open("/tmp", O_RDWR | O_TMPFILE, 0600));
	uint8_t *buffer = malloc(len);
	off_t at = pos;
	ssize_t n = 0, done = 0;

	while (done < (ssize_t)len &&
	       (n = sendfile(to, fd, &at, len - done)) > 0)
		done += n;
	if (n < 0)
		EQ(errno, EIO);
	else
		EQ(pread(to, buffer, len, 0), len);
	close(to);
	return n < 0 ? free(buffer), false : right(buffer, pos, len);
}

const reader readers[READERS] = {
	by_pread, by_direct, by_direct_odd, by_mapping, by_splice,
};
