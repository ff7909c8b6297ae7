// SPDX-License-Identifier: MPL-2.0
/*
 * lake-shutdown: becomes /run/initramfs/shutdown, which systemd runs as
 * process 1 at the very end, in the private tmpfs, with the old root at
 * /oldroot. Order: unmount everything, the root last (its unmounting writes
 * the clean mark and needs the daemon), then stop the daemon, then do what
 * was asked for (argv[1]: poweroff, reboot, halt or kexec).
 */
#include "common.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>

#define OLD_ROOT	"/oldroot"
#define UNMOUNT_ROUNDS	50
#define STOP_TIMEOUT_MS	60000
#define MOUNTS_MAX	256

static void say(const char *text)
{
	lake_log(LAKE_INFO, "%s", text);
}

/* stdin, stdout, stderr came from the old root's /dev */
static void console_open(void)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY);

	if (fd < 0)
		fd = open("/dev/null", O_RDWR);
	if (fd < 0)
		return;
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* Paths in /proc/self/mounts have blanks as \040. */
static void unescape(char *s)
{
	char *out = s;

	while (*s) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] &&
		    s[3]) {
			*out++ = (s[1] - '0') << 6 | (s[2] - '0') << 3 |
				 (s[3] - '0');
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
}

struct old_mount {
	char *path;
	bool is_virtual;	/* of the kernel or memory: nothing to lose */
};

static bool type_is_virtual(const char *type)
{
	static const char *const types[] = {
		"proc", "sysfs", "devtmpfs", "tmpfs", "devpts", "cgroup2",
		"ramfs",
	};
	size_t i, len;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		len = strlen(types[i]);
		if (!strncmp(type, types[i], len) && type[len] == ' ')
			return true;
	}
	return false;
}

/* Mount points at and below the old root, in the order of mounting. */
static int old_mounts(struct old_mount mounts[MOUNTS_MAX])
{
	static char line[8192];
	FILE *f = fopen("/proc/self/mounts", "re");
	size_t len = strlen(OLD_ROOT);
	char *path, *end;
	int n = 0;

	while (f && n < MOUNTS_MAX && fgets(line, sizeof(line), f)) {
		path = strchr(line, ' ');
		end = path ? strchr(path + 1, ' ') : NULL;
		if (!end)
			continue;
		*end = '\0';
		path++;
		unescape(path);
		if (strncmp(path, OLD_ROOT, len) ||
		    (path[len] && path[len] != '/'))
			continue;
		mounts[n].is_virtual = type_is_virtual(end + 1);
		mounts[n].path = strdup(path);
		if (mounts[n].path)
			n++;
	}
	if (f)
		fclose(f);
	return n;
}

/*
 * One pass, newest first. Number of mounts that are left. A virtual file
 * system that stays busy must not keep the lake below it from unmounting.
 */
static int unmount_pass(bool detach_virtual, bool tell)
{
	struct old_mount mounts[MOUNTS_MAX];
	int n = old_mounts(mounts), left = 0, flags;

	while (n-- > 0) {
		flags = detach_virtual && mounts[n].is_virtual ?
			MNT_DETACH : 0;
		if (umount2(mounts[n].path, flags)) {
			left++;
			if (tell)
				lake_log(LAKE_ERR, "cannot unmount %s: %s",
					 mounts[n].path, strerror(errno));
		}
		free(mounts[n].path);
	}
	return left;
}

/* The daemon and its launcher live apart: a signal to all is for the rest. */
static void kill_the_rest(void)
{
	DIR *proc = opendir("/proc");
	char path[64], cmdline[8];
	struct dirent *entry;
	int pid;

	while (proc && (entry = readdir(proc))) {
		pid = atoi(entry->d_name);
		if (pid < 2)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
		/* kernel threads have none */
		if (lake_read_text(path, cmdline, sizeof(cmdline)) > 0 &&
		    cmdline[0] != '@')
			kill(pid, SIGKILL);
	}
	if (proc)
		closedir(proc);
}

static void old_root_unmount(void)
{
	int round;

	for (round = 0; round < UNMOUNT_ROUNDS; round++) {
		if (!unmount_pass(round > 3, false))
			return;
		if (round == 2)
			kill_the_rest();
		lake_sleep_ms(round < 5 ? 20 : 100);
	}
	unmount_pass(true, true);
	lake_log(LAKE_ERR, "the root is still in use; writing out what is "
		 "dirty, the next start will replay the log");
	sync();
}

static int reboot_command(const char *verb)
{
	if (!strcmp(verb, "reboot"))
		return RB_AUTOBOOT;
	if (!strcmp(verb, "halt"))
		return RB_HALT_SYSTEM;
	if (!strcmp(verb, "kexec"))
		return RB_KEXEC;
	return RB_POWER_OFF;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "poweroff";

	if (getpid() != 1) {
		fputs("lake-shutdown is for the end of a shutdown, as "
		      "process 1\n", stderr);
		return 2;
	}
	console_open();
	lake_log_init("lake-shutdown");
	say("unmounting the lake");
	old_root_unmount();
	say("stopping laked");
	if (lake_stop(STOP_TIMEOUT_MS))
		lake_log(LAKE_ERR, "laked did not stop");
	else
		say("done");
	sync();
	reboot(reboot_command(verb));
	/* kexec without a loaded kernel comes back */
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}
