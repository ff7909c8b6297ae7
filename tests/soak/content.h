/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a block of the soaks' files holds: text that says which pair of files,
 * which block and which version it is, and hexadecimal digits made of that, so
 * that a byte from anywhere else is noticed and a block compresses to a half.
 */
#ifndef CONTENT_H
#define CONTENT_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BLOCK 4096

static inline uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdull;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ull;
	return x ^ (x >> 33);
}

static inline void fill(char *to, uint32_t pair, uint32_t block,
			uint64_t version)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t state = mix(version * 1000003 + pair * 1009 + block);
	int at = snprintf(to, 64, "pair %u block %u version %llu\n", pair,
			  block, (unsigned long long)version);

	for (; at < BLOCK; at++) {
		if (!(at & 15))
			state = mix(state + at);
		to[at] = digits[state >> (at & 15) * 4 & 15];
	}
}

static inline uint32_t draw(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*seed >> 33) % below;
}

#endif
