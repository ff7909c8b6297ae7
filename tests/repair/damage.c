// SPDX-License-Identifier: MPL-2.0
/*
 * damage log-end DEVICE: turns a bit of the newest frame of a lake's log;
 * damage segment DEVICE: of what the newest segment of its archive holds;
 * damage features DEVICE: sets a feature that allows reading only in both
 * superblock copies, or takes it back.
 * Beneath the filesystem and every cache. Prints which one.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lakefs_format.h"

static int device;
static uint8_t *block;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void get(uint64_t number)
{
	off_t at = (off_t)number * LAKEFS_BLOCK_SIZE;

	if (pread(device, block, LAKEFS_BLOCK_SIZE, at) != LAKEFS_BLOCK_SIZE)
		fail("read");
}

/* The block of the region that begins with the newest one of its kind. */
static uint64_t newest(struct lakefs_region region,
		       uint64_t (*rank)(const void *), uint64_t *which)
{
	uint64_t end = region.start_block + region.blocks, found = 0;

	*which = 0;
	for (uint64_t at = region.start_block; at < end; at++) {
		get(at);
		if (rank(block) > *which) {
			*which = rank(block);
			found = at;
		}
	}
	return found;
}

static uint64_t rank_frame(const void *bytes)
{
	const struct lakefs_wal_frame *frame = bytes;

	return frame->magic == LAKEFS_WAL_MAGIC ? frame->lsn : 0;
}

static uint64_t rank_segment(const void *bytes)
{
	const struct lakefs_archive_header *header = bytes;

	return header->magic == LAKEFS_ARCHIVE_MAGIC ? header->number : 0;
}

static void put(uint64_t number)
{
	off_t at = (off_t)number * LAKEFS_BLOCK_SIZE;

	if (pwrite(device, block, LAKEFS_BLOCK_SIZE, at) != LAKEFS_BLOCK_SIZE ||
	    fsync(device))
		fail("write");
}

static uint32_t crc32c(const uint8_t *bytes, size_t count)
{
	uint32_t crc = ~0u;

	while (count--) {
		crc ^= *bytes++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

static int turn_features(void)
{
	struct lakefs_sb *sb = (void *)block;
	uint64_t at = LAKEFS_SB_A_BLOCK, last;

	get(at);
	last = sb->device_blocks - 1;
	for (int copy = 0; copy < 2; copy++, at = last) {
		get(at);
		sb->ro_compat ^= 1;
		sb->crc32c = 0;
		sb->crc32c = crc32c(block, LAKEFS_BLOCK_SIZE);
		put(at);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int is_log = argc == 3 && !strcmp(argv[1], "log-end");
	struct lakefs_sb sb;
	uint64_t at, which;

	device = argc == 3 ? open(argv[2], O_RDWR | O_DIRECT) : -1;
	block = aligned_alloc(LAKEFS_BLOCK_SIZE, LAKEFS_BLOCK_SIZE);
	if (device < 0)
		fail("damage");
	if (!strcmp(argv[1], "features"))
		return turn_features();
	get(LAKEFS_SB_A_BLOCK);
	memcpy(&sb, block, sizeof(sb));
	at = is_log ? newest(sb.wal, rank_frame, &which) :
		      newest(sb.data, rank_segment, &which);
	if (!at)
		return 1;
	at += is_log ? 0 : LAKEFS_ARCHIVE_META_BLOCKS;
	get(at);
	block[100] ^= 0x04;
	put(at);
	printf("%s %llu\n", argv[1], (unsigned long long)which);
	return 0;
}
