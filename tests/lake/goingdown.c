// SPDX-License-Identifier: MPL-2.0
/* goingdown MODE DIR: FS_IOC_SHUTDOWN of DIR's file system (0, 1 or 2) */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#define FS_IOC_GOINGDOWN	_IOR('X', 125, uint32_t)

int main(int argc, char **argv)
{
	uint32_t mode = argc == 3 ? atoi(argv[1]) : 99;
	int fd = open(argc == 3 ? argv[2] : "", O_RDONLY);

	if (fd < 0 || ioctl(fd, FS_IOC_GOINGDOWN, &mode)) {
		perror("goingdown MODE DIR");
		return 1;
	}
	return 0;
}
