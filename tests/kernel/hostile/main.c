// SPDX-License-Identifier: MPL-2.0
/* Random numbers, random arguments, and which fuzzer runs. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "hostile.h"

static u64 state;
static u8 *valid, *edge, *readonly;	/* edge: a page ends there */

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("hostile: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

void random_seed(u64 seed)
{
	state = seed * 2654435761u + 88172645463325252ull;
}

u64 random_next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

u64 random_below(u64 n)
{
	return random_next() % n;
}

u64 random_odd(void)
{
	static const u64 odd[] = {
		0, 1, 2, 3, 7, 8, 255, 256, 4095, 4096, 4097, 65535, 65536,
		1u << 20, 0x7fffffff, 0x80000000, 0xffffffff, 1ull << 32,
		1ull << 40, 1ull << 51, 1ull << 52, 0x7ffffffffffff000,
		0x7fffffffffffffff, 0x8000000000000000, 0xfffffffffffff000,
		0xffffffffffffffff,
	};

	return random_below(8) ? odd[random_below(sizeof(odd) / sizeof(*odd))] :
				 random_next();
}

void random_fill(void *buf, size_t bytes)
{
	u8 *p = buf;
	u64 how = random_below(6);

	if (how < 2) {
		memset(p, how ? 0xff : 0, bytes);
		return;
	}
	for (; bytes >= 8; bytes -= 8, p += 8) {
		u64 value = how < 4 ? random_odd() : random_next();

		/* two fields of four bytes as often as one of eight */
		if (random_below(2))
			value = (u32)value | random_odd() << 32;
		memcpy(p, &value, 8);
	}
	while (bytes--)
		*p++ = random_next();
}

void args_init(void)
{
	valid = mmap(NULL, ARG_BYTES, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	readonly = mmap(NULL, ARG_BYTES, PROT_READ,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	edge = mmap(NULL, 2 * ARG_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (valid == MAP_FAILED || readonly == MAP_FAILED || edge == MAP_FAILED)
		die("mmap: %m");
	edge += ARG_BYTES;
	if (munmap(edge, ARG_BYTES))
		die("munmap: %m");
}

void *arg_valid(void)
{
	return valid;
}

unsigned long arg_pointer(size_t bytes)
{
	switch (random_below(12)) {
	case 0:
		return 0;
	case 1:
		return random_odd();
	case 2:
		return (unsigned long)readonly;
	case 3:
		return (unsigned long)edge - random_below(bytes + 1);
	case 4:
		return 0xffff888000000000ul + random_below(1ul << 30);
	default:
		random_fill(valid, bytes < 4096 ? 4096 : bytes);
		return (unsigned long)valid;
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} fuzzers[] = {
		{ "ioctls", hostile_ioctls },
		{ "daemon", hostile_daemon },
		{ "netlink", hostile_netlink },
		{ "image", hostile_image },
	};

	if (argc < 4)
		die("usage: hostile ioctls|daemon|netlink|image SEED ROUNDS ...");
	random_seed(strtoull(argv[2], NULL, 0));
	args_init();
	for (size_t i = 0; i < sizeof(fuzzers) / sizeof(*fuzzers); i++)
		if (!strcmp(argv[1], fuzzers[i].name))
			return fuzzers[i].run(argc, argv);
	die("there is no fuzzer %s", argv[1]);
}
