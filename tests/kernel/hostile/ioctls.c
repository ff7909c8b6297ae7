// SPDX-License-Identifier: MPL-2.0
/*
 * hostile ioctls SEED ROUNDS USER PATH...: random calls on random paths, as
 * root (USER 0) or with files opened as root and then as that user. Known
 * numbers more often than random ones. What would end the mount is left to
 * users, who must not be able to.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <linux/fscrypt.h>
#include <linux/fiemap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "hostile.h"

#define MAX_FILES 16

static const unsigned long known[] = {
	FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_IOC_GETVERSION, FS_IOC_SETVERSION,
	FS_IOC_FSGETXATTR, FS_IOC_FSSETXATTR, FS_IOC_FIEMAP, FS_IOC_GETFSLABEL,
	FS_IOC_SETFSLABEL, FS_IOC_GET_ENCRYPTION_POLICY,
	FS_IOC_ENABLE_VERITY, FS_IOC_MEASURE_VERITY, FS_IOC32_GETVERSION,
	FIFREEZE, FITHAW, FITRIM, FICLONE, FICLONERANGE, FIDEDUPERANGE,
	FIBMAP, FIGETBSZ, FIONREAD, FIOQSIZE, BLKGETSIZE64, BLKROGET,
	_IOW('X', 40, __u64[6]), _IOW('X', 42, __u64[6]),	/* RESVSP.. */
	_IOW('X', 43, __u64[6]), _IOW('X', 57, __u64[6]),	/* UNRESVSP, ZERO */
};

static int files[MAX_FILES];
static int file_count;

static int random_file(void)
{
	return files[random_below(file_count)];
}

/* the magic numbers that file systems use, any function, any size */
static unsigned long random_command(void)
{
	static const char magics[] = { 'L', 'f', 'X', 'v', 'T', 0x12, 0x94 - 256 };

	switch (random_below(8)) {
	case 0:
		return (u32)random_next();
	case 1:
		return _IOC(random_below(4), (u8)magics[random_below(sizeof(magics))],
			    random_below(130), random_below(256));
	case 2:
	case 3:
		return contract_calls[random_below(contract_call_count)];
	default:
		return known[random_below(sizeof(known) / sizeof(*known))];
	}
}

/* arguments that would be refused at once if they were only random */
static void *plausible(unsigned long cmd)
{
	void *arg = arg_valid();
	u64 *w = arg;

	random_fill(arg, 4096);
	if (cmd == FICLONERANGE) {
		w[0] = random_file();
		for (int i = 1; i < 4; i++)
			w[i] = random_below(3) ? random_below(64) * 4096 :
						 random_odd();
	} else if (cmd == FIDEDUPERANGE) {
		struct file_dedupe_range *r = arg;

		memset(r, 0, sizeof(*r));
		r->src_offset = random_below(16) * 4096;
		r->src_length = random_below(3) ? 4096 : random_odd();
		r->dest_count = random_below(4) ? random_below(8) : random_odd();
		for (int i = 0; i < 8; i++) {
			r->info[i].dest_fd = random_file();
			r->info[i].dest_offset = random_below(16) * 4096;
		}
	} else if (cmd == FS_IOC_FIEMAP) {
		struct fiemap *f = arg;

		f->fm_start = random_odd();
		f->fm_length = random_odd();
		f->fm_flags = random_below(2) ? random_below(8) : random_next();
		f->fm_extent_count = random_below(2) ? random_below(70) :
						       random_odd();
	} else if (cmd == FITRIM) {
		w[2] = random_below(2) ? 0 : random_odd();
	} else {
		contract_fill(cmd, arg);
	}
	return arg;
}

/* true when it did something */
static bool one_call(bool is_root)
{
	unsigned long cmd = random_command();
	int fd = random_below(32) ? random_file() : (int)random_odd();
	unsigned long arg;
	bool done;

	if (is_root && (cmd == contract_shutdown || cmd == FITHAW))
		return false;
	if (cmd == FICLONE)
		arg = random_below(4) ? (unsigned long)random_file() :
					random_odd();
	else
		arg = random_below(2) ? (unsigned long)plausible(cmd) :
					arg_pointer(random_below(ARG_BYTES));
	done = !ioctl(fd, cmd, arg);
	if (is_root && cmd == FIFREEZE)
		ioctl(fd, FITHAW, 0);
	/* a flag that forbids changes would end the fuzzing */
	if (cmd == FS_IOC_SETFLAGS || cmd == FS_IOC_FSSETXATTR) {
		int none = 0;

		ioctl(fd, FS_IOC_SETFLAGS, &none);
	}
	return done;
}

/* something happens to the files meanwhile */
static void one_change(void)
{
	static char page[8192];
	int fd = random_file();
	off_t at = random_below(256) * 4096 + random_below(2) * random_below(4096);

	switch (random_below(6)) {
	case 0:
		if (ftruncate(fd, at)) { }
		break;
	case 1:
		fallocate(fd, random_below(64), at, random_below(1 << 16));
		break;
	case 2:
		fdatasync(fd);
		break;
	default:
		if (pwrite(fd, page, random_below(sizeof(page)), at)) { }
	}
}

int hostile_ioctls(int argc, char **argv)
{
	unsigned long rounds = strtoul(argv[3], NULL, 0);
	unsigned int user = argc > 4 ? strtoul(argv[4], NULL, 0) : 0;
	unsigned long done = 0;

	for (int i = 5; i < argc && file_count < MAX_FILES; i++) {
		int fd = open(argv[i], O_RDWR | O_CLOEXEC);

		if (fd < 0)
			fd = open(argv[i], O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			die("%s: %m", argv[i]);
		files[file_count++] = fd;
	}
	if (!file_count)
		die("no files were named");
	if (user && (setgroups(0, NULL) || setresgid(user, user, user) ||
		     setresuid(user, user, user)))
		die("cannot become user %u: %m", user);
	if (user && open("/dev/lakefs", O_RDWR) >= 0)
		die("user %u may open /dev/lakefs", user);
	for (unsigned long i = 0; i < rounds; i++) {
		done += one_call(!user);
		if (random_below(4) == 0)
			one_change();
	}
	/* arguments that are all refused at the door test the door only */
	fprintf(stderr, "hostile: %lu of %lu ioctls of user %u succeeded\n",
		done, rounds, user);
	return done < rounds / 50;
}
