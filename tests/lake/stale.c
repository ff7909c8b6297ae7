// SPDX-License-Identifier: MPL-2.0
/*
 * stale FILE: a new file of one block, on the device; then a write of it that
 * fails, because its memory is not there, and a direct one that does not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCK 4096

static int put(const char *name, int flags, int byte)
{
	int fd = open(name, O_WRONLY | O_CREAT | flags, 0644), bad;
	char *block = aligned_alloc(BLOCK, BLOCK);

	memset(block, byte, BLOCK);
	bad = fd < 0 || pwrite(fd, block, BLOCK, 0) != BLOCK || fsync(fd);
	free(block);
	return close(fd) || bad;
}

static int put_nothing(const char *name)
{
	int fd = open(name, O_WRONLY), bad;
	void *none = mmap(NULL, BLOCK, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	bad = pwrite(fd, none, BLOCK, 0) != -1 || errno != EFAULT;
	return close(fd) || bad;
}

int main(int argc, char **argv)
{
	const char *name = argc == 2 ? argv[1] : "";

	if (put(name, O_EXCL, 'a') || put_nothing(name) ||
	    put(name, O_DIRECT, 'b')) {
		perror("stale FILE");
		return 1;
	}
	return 0;
}
