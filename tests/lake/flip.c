// SPDX-License-Identifier: MPL-2.0
/*
 * flip FILE OFFSET DEVICE: turns a bit of the byte that holds FILE's byte at
 * OFFSET on DEVICE, beneath the filesystem and every cache.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BLOCK 4096

static uint64_t where(const char *file, uint64_t offset)
{
	struct {
		struct fiemap head;
		struct fiemap_extent extent;
	} map = { .head = { .fm_start = offset, .fm_length = 1,
			    .fm_extent_count = 1 } };
	int fd = open(file, O_RDONLY);

	if (fd < 0 || ioctl(fd, FS_IOC_FIEMAP, &map) ||
	    map.head.fm_mapped_extents != 1)
		return 0;
	close(fd);
	return map.extent.fe_physical + (offset - map.extent.fe_logical);
}

int main(int argc, char **argv)
{
	uint64_t offset = argc == 4 ? strtoull(argv[2], NULL, 0) : 0;
	uint64_t at = argc == 4 ? where(argv[1], offset) : 0;
	int fd = at ? open(argv[3], O_RDWR | O_DIRECT) : -1;
	uint8_t *block = aligned_alloc(BLOCK, BLOCK);
	off_t start = at / BLOCK * BLOCK;

	if (fd < 0 || pread(fd, block, BLOCK, start) != BLOCK) {
		perror("flip");
		return 1;
	}
	block[at % BLOCK] ^= 0x04;
	if (pwrite(fd, block, BLOCK, start) != BLOCK || fsync(fd)) {
		perror("flip");
		return 1;
	}
	printf("byte %llu of the device\n", (unsigned long long)at);
	return 0;
}
