// SPDX-License-Identifier: MPL-2.0
/* Seeded numbers, checksums and allocation that cannot fail. */
#include <stdlib.h>
#include <string.h>

#include "lakecrash.h"

/* The finaliser of splitmix64: a bijection that spreads every bit. */
uint64_t lc_mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

uint64_t lc_random(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15ull;
	return lc_mix(*state);
}

uint32_t lc_below(uint64_t *state, uint32_t bound)
{
	return (uint32_t)(((lc_random(state) >> 32) * bound) >> 32);
}

uint32_t lc_crc32c(const void *data, size_t length)
{
	const uint8_t *p = data;
	uint32_t crc = ~0u;

	while (length--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (0x82f63b78u & -(crc & 1));
	}
	return ~crc;
}

void *lc_alloc(size_t bytes)
{
	return lc_grow(NULL, bytes);
}

void *lc_grow(void *old, size_t bytes)
{
	void *p = realloc(old, bytes ? bytes : 1);

	if (!p) {
		fputs("lakecrash: out of memory\n", stderr);
		exit(2);
	}
	if (!old)
		memset(p, 0, bytes);
	return p;
}
