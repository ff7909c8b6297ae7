// SPDX-License-Identifier: GPL-2.0
/*
 * The checksum of a block: crc32c with the processor's own instruction.
 *
 * The instruction takes three cycles and one can begin in each, so three
 * parts of the block are summed at once and joined at the end. Joining needs
 * the sum of a part as it is when another part of zeroes follows it, which is
 * linear in the sum: eight tables of sixteen give it. No vector registers, so
 * nothing has to be saved, and the kernel's library, which has to, and which
 * keeps to the slow way when it was loaded before the fast one, is not asked.
 */
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include "lakefs.h"

#define LAKEFS_CRC_WORDS	170	/* of each of the three parts */
#define LAKEFS_CRC_UNROLL	10
#define LAKEFS_CRC_REST		(LAKEFS_BLOCK_SIZE / 8 - 3 * LAKEFS_CRC_WORDS)

static u32 lakefs_crc_shift[8][16] __ro_after_init;
static bool lakefs_crc_fast __ro_after_init;

static __always_inline u64 lakefs_crc_word(u64 crc, u64 word)
{
	asm("crc32q %1, %0" : "+r" (crc) : "rm" (word));
	return crc;
}

/* crc as it is when LAKEFS_CRC_WORDS words of zeroes follow */
static inline u32 lakefs_crc_shifted(u32 crc)
{
	const u32 (*t)[16] = lakefs_crc_shift;

	return t[0][crc & 15] ^ t[1][(crc >> 4) & 15] ^
	       t[2][(crc >> 8) & 15] ^ t[3][(crc >> 12) & 15] ^
	       t[4][(crc >> 16) & 15] ^ t[5][(crc >> 20) & 15] ^
	       t[6][(crc >> 24) & 15] ^ t[7][crc >> 28];
}

#define LAKEFS_CRC_STEP(i) do {						\
	a = lakefs_crc_word(a, p[i]);					\
	b = lakefs_crc_word(b, p[LAKEFS_CRC_WORDS + (i)]);		\
	c = lakefs_crc_word(c, p[2 * LAKEFS_CRC_WORDS + (i)]);		\
} while (0)

static u32 lakefs_crc_three(const u64 *p)
{
	const u64 *end = p + LAKEFS_CRC_WORDS;
	u64 a = ~0u, b = 0, c = 0;
	int i;

	BUILD_BUG_ON(LAKEFS_CRC_WORDS % LAKEFS_CRC_UNROLL);
	for (; p < end; p += LAKEFS_CRC_UNROLL) {
		LAKEFS_CRC_STEP(0);
		LAKEFS_CRC_STEP(1);
		LAKEFS_CRC_STEP(2);
		LAKEFS_CRC_STEP(3);
		LAKEFS_CRC_STEP(4);
		LAKEFS_CRC_STEP(5);
		LAKEFS_CRC_STEP(6);
		LAKEFS_CRC_STEP(7);
		LAKEFS_CRC_STEP(8);
		LAKEFS_CRC_STEP(9);
	}
	c ^= lakefs_crc_shifted(b ^ lakefs_crc_shifted(a));
	for (i = 0; i < LAKEFS_CRC_REST; i++)
		c = lakefs_crc_word(c, p[2 * LAKEFS_CRC_WORDS + i]);
	return ~(u32)c;
}

bool lakefs_crc32c_is_fast(void)
{
	return lakefs_crc_fast;
}

u32 lakefs_crc32c_block(const void *data)
{
	if (likely(lakefs_crc_fast))
		return lakefs_crc_three(data);
	return lakefs_crc32c(data, LAKEFS_BLOCK_SIZE);
}

static void __init lakefs_crc_tables(void)
{
	int nibble, value, i;
	u64 crc;

	for (nibble = 0; nibble < 8; nibble++) {
		for (value = 0; value < 16; value++) {
			crc = (u64)value << (4 * nibble);
			for (i = 0; i < LAKEFS_CRC_WORDS; i++)
				crc = lakefs_crc_word(crc, 0);
			lakefs_crc_shift[nibble][value] = crc;
		}
	}
}

/* A wrong sum would be believed for ever: both ways agree, or ours is off. */
int __init lakefs_crc_init(void)
{
	u64 *block;
	int i;

	if (!boot_cpu_has(X86_FEATURE_XMM4_2))
		return 0;
	block = kmalloc(LAKEFS_BLOCK_SIZE, GFP_KERNEL);
	if (!block)
		return -ENOMEM;
	for (i = 0; i < LAKEFS_BLOCK_SIZE / 8; i++)
		block[i] = (i + 1) * 0x9e3779b97f4a7c15ull;
	lakefs_crc_tables();
	lakefs_crc_fast = lakefs_crc_three(block) ==
			  lakefs_crc32c(block, LAKEFS_BLOCK_SIZE);
	WARN_ON_ONCE(!lakefs_crc_fast);
	kfree(block);
	return 0;
}

void lakefs_crc_exit(void)
{
}
