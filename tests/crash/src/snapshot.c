// SPDX-License-Identifier: MPL-2.0
/* One dm-snapshot at a time, straight through the control device. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lakecrash.h"

#define NAME		"lakecrash"
#define CHUNK_SECTORS	8
#define REMOVE_TRIES	500		/* of 10 ms */

struct command {
	struct dm_ioctl io;
	struct dm_target_spec target;
	char text[256];
};

static int control(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/dev/mapper/control", O_RDWR);
	return fd;
}

static int run(unsigned long what, struct command *c)
{
	c->io.version[0] = DM_VERSION_MAJOR;
	c->io.data_size = sizeof(*c);
	c->io.data_start = offsetof(struct command, target);
	strcpy(c->io.name, NAME);
	return ioctl(control(), what, c) ? errno : 0;
}

static int load_table(const char *origin, const char *store,
		      uint64_t sectors)
{
	struct command c = { .io.target_count = 1 };

	c.target.length = sectors;
	strcpy(c.target.target_type, "snapshot");
	/* N: the exceptions are kept in memory and die with the device. */
	snprintf(c.text, sizeof(c.text), "%s %s N %d", origin, store,
		 CHUNK_SECTORS);
	return run(DM_TABLE_LOAD, &c);
}

/* 0 or an errno; device gets the path of the new block device. */
int lc_snapshot_create(const char *origin, const char *store,
		       uint64_t sectors, char *device, size_t device_bytes)
{
	struct command c = { 0 };
	int error;

	if (control() < 0)
		return errno;
	error = run(DM_DEV_CREATE, &c);
	if (error)
		return error;
	snprintf(device, device_bytes, "/dev/dm-%u", minor(c.io.dev));
	error = load_table(origin, store, sectors);
	if (!error) {
		/* A suspend without its flag is a resume. */
		memset(&c, 0, sizeof(c));
		error = run(DM_DEV_SUSPEND, &c);
	}
	if (error)
		lc_snapshot_remove();
	return error;
}

/* Waits for whoever still closes the device, within reason. */
int lc_snapshot_remove(void)
{
	int error = 0;

	for (int i = 0; i < REMOVE_TRIES; i++) {
		struct command c = { 0 };

		error = run(DM_DEV_REMOVE, &c);
		if (error != EBUSY)
			return error;
		usleep(10000);
	}
	return error;
}
