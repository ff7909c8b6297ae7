// SPDX-License-Identifier: MPL-2.0
/* a mount of its own on the second device; the daemon's file */
#include "nomem.h"
#include <poll.h>
#include <sys/mount.h>

static void unmounted(void)
{
	mkdir("m", 0755);
	umount2("m", 0);
}

static void mounted(void)
{
	int fd;

	unmounted();
	OK(mount(second_device, "m", "lakefs", 0, NULL));
	fd = OK(open("m/file", O_WRONLY | O_CREAT, 0644));
	OK(write(fd, "x", 1));
	close(fd);
}

static int run_mount(void)
{
	return result_of(mount(second_device, "m", "lakefs", 0, NULL));
}

static void comes_off(void)
{
	OK(umount2("m", 0));
}

static int run_umount(void)
{
	return result_of(umount2("m", 0));
}

/* it may be unclean, but nothing is lost */
static void mounts_again(void)
{
	struct stat st;

	OK(mount(second_device, "m", "lakefs", 0, NULL));
	OK(stat("m/file", &st));
	EQ(st.st_size, 1);
	OK(umount2("m", 0));
}

static int run_remount(void)
{
	int err = result_of(mount("none", "m", NULL, MS_REMOUNT | MS_RDONLY,
				  NULL));

	return err ? err : result_of(mount("none", "m", NULL, MS_REMOUNT,
					   NULL));
}

static void nothing(void)
{
}

static int run_chan(void)
{
	int fd = open("/dev/lakefs", O_RDWR);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0)
		return -errno;
	poll(&p, 1, 0);
	close(fd);
	return 0;
}

const struct op mount_ops[] = {
	{ "nomem_mount", unmounted, run_mount, comes_off },
	{ "nomem_umount", mounted, run_umount, mounts_again, -EINVAL },
	{ "nomem_remount", mounted, run_remount, comes_off },
	{ "nomem_chan", nothing, run_chan },
	{ }
};
