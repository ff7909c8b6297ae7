// SPDX-License-Identifier: MPL-2.0
/*
 * scatter FILE BLOCKS WRITES: a new file of so many blocks, on the device, and
 * then so many of them written again in place, at random. The same each time.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BLOCK 4096

static uint32_t state = 1;

static uint32_t next(void)
{
	state = state * 1664525u + 1013904223u;
	return state >> 8;
}

static int write_block(int fd, uint32_t block)
{
	static uint32_t words[BLOCK / 4];

	for (int i = 0; i < BLOCK / 4; i++)
		words[i] = next();
	return pwrite(fd, words, BLOCK, (off_t)block * BLOCK) != BLOCK;
}

int main(int argc, char **argv)
{
	uint32_t blocks = argc == 4 ? atoi(argv[2]) : 0;
	int fd = open(blocks ? argv[1] : "", O_RDWR | O_CREAT | O_EXCL, 0644);
	int bad = fd < 0;

	for (uint32_t i = 0; i < blocks && !bad; i++)
		bad = write_block(fd, i);
	bad = bad || fsync(fd);
	for (int n = bad ? 0 : atoi(argv[3]); n > 0 && !bad; n--)
		bad = write_block(fd, next() % blocks);
	if (bad || fsync(fd)) {
		perror("scatter FILE BLOCKS WRITES");
		return 1;
	}
	return 0;
}
