/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Packs as a test makes them: their bytes, where fakelaked puts them, REMAP. The
 * frames are made by hand: content as it is, or one byte many times.
 */
#ifndef PACKING_H
#define PACKING_H

#include "sealing.h"

#define PACK_BLOCKS	32	/* content, and of the device */
#define PACK_RAW_MAX	31	/* content that fits as it is */

/* as on the disk; proto/ is not for programs that include <linux/...> */
struct pack {
	union {
		struct {
			uint32_t magic;
			uint16_t algorithm, blocks;
			uint32_t bytes, pad;
			uint8_t frame[];
		};
		uint8_t image[PACK_BLOCKS * BLOCK];
	};
	uint32_t device_blocks;		/* of image */
};
#define PACK_MAGIC	0x4b504b4cu
#define PACK_ZSTD	1

/* a zstd frame of so many blocks, put together */
void pack_begin(struct pack *p, uint32_t blocks);
void pack_add_raw(struct pack *p, const void *bytes, uint32_t n, bool last);
void pack_add_fill(struct pack *p, uint8_t byte, uint32_t n, bool last);
/* header and frame are there: how many blocks of the device that is */
void pack_end(struct pack *p);
/* blocks of content, as they are; and all of one byte */
void pack_raw(struct pack *p, const uint8_t *content, uint32_t blocks);
void pack_fill(struct pack *p, uint8_t byte, uint32_t blocks);
/* of 4 blocks, compressed by zstd: packtext.h */
void pack_text(struct pack *p, uint8_t *content);
#define PACK_TEXT_BLOCKS 4

/* to free blocks of the device, from goal on if there are; with checksums */
uint64_t pack_put(const struct pack *p, uint64_t goal);
void pack_drop(uint64_t start);
uint32_t pack_flags(const struct pack *p);	/* of extents in it */
/* REMAP of blocks of fd to what is at block `first` of the pack at start */
struct seal_call remap_call_of(int fd, uint64_t block, uint64_t blocks,
			       const struct pack *p, uint64_t start,
			       uint64_t first);
/* the same to blocks of the device, as they are */
struct seal_call plain_call_of(int fd, uint64_t block, uint64_t blocks,
			       uint64_t start);
/*
 * Asks until it is done. False: it cannot be, the daemon died and does not hold
 * the pack any more.
 */
bool pack_ask(int fd, const struct seal_call *call);

/* blocks of a file to be packed behind each other, with others' */
struct pack_part {
	int fd;
	uint64_t block;
	uint64_t blocks;
};
/* puts p and maps the parts to it, all of them; returns where it is */
uint64_t pack_parts(const struct pack *p, const struct pack_part *parts,
		    int count, uint64_t goal);
/* reads the parts, which are checked, and packs what is in them as it is */
uint64_t pack_as_is(const struct pack_part *parts, int count);
/* blocks of a file, in packs of n */
void pack_file(int fd, uint64_t block, uint64_t blocks, uint64_t n);
/* back to blocks of the device, as they are */
void unpack_file(int fd, uint64_t block, uint64_t blocks);

/* [block, +blocks) is packed; the pack's first block */
uint64_t packed_at(int fd, uint64_t block);
bool is_packed(int fd, uint64_t block);
/* the kernel remembers none of the packs of before */
void packs_forgotten(void);

#endif
