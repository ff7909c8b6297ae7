// SPDX-License-Identifier: MPL-2.0
/*
 * mount.lakefs: what mount(8) calls for the type lakefs. Sees to it that the
 * module is loaded and a daemon runs, then mounts. The kernel posts the
 * device on /dev/lakefs and the daemon takes it from there, so there is
 * nothing to tell the daemon.
 */
#include "common.h"
#include "mount_options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* exit statuses of mount(8) */
#define EXIT_MOUNT_USAGE	1
#define EXIT_MOUNT_SYSTEM	2
#define EXIT_MOUNT_FAILED	32
#define LAUNCHER_IS_RUNNING	11

static const char usage_text[] =
"Usage: mount.lakefs DEVICE DIRECTORY [-fnrsvw] [-o OPTIONS]\n"
"Mounts a lake. Loads the module lakefs and starts laked when needed.\n"
"  -o OPTIONS  as for mount(8), with commas between them: ro, noatime, ...\n"
"  -f          check everything, mount nothing\n"
"  -r, -w      read-only, writable\n"
"  -v          say what is done; -n, -s and -t TYPE mean nothing here\n"
"Exit status, as of mount(8): 0 mounted, 1 usage, 2 system, 32 failed.\n";

/* with no long option getopt would blame the second dash */
static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static bool verbose;

static int complain(const char *what, const char *cause, const char *next)
{
	fprintf(stderr, "mount.lakefs: %s: %s\n", what, cause);
	if (next)
		fprintf(stderr, "mount.lakefs: %s\n", next);
	return EXIT_MOUNT_FAILED;
}

static int usage(const char *problem)
{
	if (problem)
		fprintf(stderr, "mount.lakefs: %s\n", problem);
	fprintf(stderr, "mount.lakefs: see mount.lakefs --help\n");
	return EXIT_MOUNT_USAGE;
}

static bool module_is_loaded(void)
{
	char line[128];
	bool found = false;
	FILE *f = fopen("/proc/filesystems", "re");

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, "\tlakefs\n") != NULL;
	if (f)
		fclose(f);
	return found;
}

/* Runs a program; its exit status, or 127. */
static int run(const char *path, char *const argv[])
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		execvp(path, argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 127;
	return WEXITSTATUS(status);
}

static int module_load(void)
{
	char *const argv[] = { "modprobe", "lakefs", NULL };

	if (module_is_loaded())
		return 0;
	if (verbose)
		fprintf(stderr, "mount.lakefs: loading the module\n");
	if (run("modprobe", argv) == 0 && module_is_loaded())
		return 0;
	return complain("the kernel has no lakefs", "modprobe lakefs failed",
			"install the module for this kernel (uname -r), or "
			"insmod lakefs.ko; see dmesg for its reason");
}

static int daemon_start(void)
{
	const char *launcher = getenv("LAKED_LAUNCHER");
	int status;

	if (lake_lock_is_held())
		return 0;
	if (!launcher || getuid() != geteuid())
		launcher = LAKE_LIB_DIR "/laked-launcher";
	if (verbose)
		fprintf(stderr, "mount.lakefs: starting %s\n", launcher);
	char *const argv[] = { (char *)launcher, "--wait-ready", NULL };

	status = run(launcher, argv);
	/* somebody else was faster: its daemon is as good as ours */
	if (status == 0 || status == LAUNCHER_IS_RUNNING)
		return 0;
	return complain("laked did not start",
			status == 127 ? "its launcher cannot be executed" :
			"see the lines above",
			status == 127 ?
			"is " LAKE_LIB_DIR " complete?" :
			"look into " LAKE_LOG_PATH);
}

/* Prints what the kernel said about it; true when there was an error line. */
static bool context_print(int fs_fd)
{
	char line[1024];
	bool any = false;
	ssize_t len;

	while ((len = read(fs_fd, line, sizeof(line) - 1)) > 0) {
		line[len - (line[len - 1] == '\n')] = '\0';
		if (len > 2 && line[1] == ' ' && strchr("ewi", line[0])) {
			if (line[0] == 'i' && !verbose)
				continue;
			any |= line[0] == 'e';
			fprintf(stderr, "mount.lakefs: %s%s\n",
				line[0] == 'w' ? "warning: " : "", line + 2);
		}
	}
	return any;
}

static const char *next_step(int error)
{
	switch (error) {
	case EINVAL:
		return "no lake on it, or an option is wrong: check with "
		       "'lakectl verify DEVICE'; 'lakectl repair DEVICE' says "
		       "what can be brought back of a lake that was there; a "
		       "new one is made with 'lakectl mkfs DEVICE'";
	case EBUSY:
		return "it is mounted or used by another program already "
		       "(findmnt, lsblk)";
	case ENOTBLK:
		return "for a file use 'losetup -f --show FILE' first";
	case EIO:
	case EUCLEAN:
		return "the lake is damaged or the device fails: see dmesg, "
		       "then 'lakectl verify DEVICE'";
	case EPROTO:
	case EPROTONOSUPPORT:
		return "module and laked are of different versions: install "
		       "both from one build";
	case EPERM:
	case EACCES:
		return "root is needed, and a writable device unless -o ro";
	case EINTR:
		return "interrupted while waiting for laked; is it running? "
		       "see " LAKE_LOG_PATH;
	default:
		return "see dmesg and " LAKE_LOG_PATH;
	}
}

static int context_fail(int fs_fd, const char *what, int error)
{
	if (fs_fd >= 0)
		context_print(fs_fd);
	return complain(what, strerror(error), next_step(error));
}

/* 0 or an errno */
static int context_configure(int fd, const struct mount_options *o)
{
	char word[256];
	char *value;
	int i, err;

	for (i = 0; i < o->sb_flag_count; i++)
		if (strcmp(o->sb_flags[i], "loud") &&
		    fsconfig(fd, FSCONFIG_SET_FLAG, o->sb_flags[i], NULL, 0))
			return errno;
	for (i = 0; i < o->data_count; i++) {
		snprintf(word, sizeof(word), "%s", o->data[i]);
		value = strchr(word, '=');
		if (value)
			*value++ = '\0';
		err = value ?
		      fsconfig(fd, FSCONFIG_SET_STRING, word, value, 0) :
		      fsconfig(fd, FSCONFIG_SET_FLAG, word, NULL, 0);
		if (err)
			return errno;
	}
	return 0;
}

static int mount_new(const char *device, const char *dir,
		     const struct mount_options *o)
{
	int fs_fd, mnt_fd, err;

	fs_fd = fsopen("lakefs", FSOPEN_CLOEXEC);
	if (fs_fd < 0)
		return context_fail(-1, device, errno);
	if (fsconfig(fs_fd, FSCONFIG_SET_STRING, "source", device, 0))
		return context_fail(fs_fd, device, errno);
	err = context_configure(fs_fd, o);
	if (err)
		return context_fail(fs_fd, "options", err);
	/* waits, killably, until the daemon has recovered the lake */
	if (fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return context_fail(fs_fd, device, errno);
	context_print(fs_fd);
	mnt_fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, o->attr_set);
	if (mnt_fd < 0)
		return context_fail(fs_fd, device, errno);
	if (move_mount(mnt_fd, "", AT_FDCWD, dir, MOVE_MOUNT_F_EMPTY_PATH))
		return complain(dir, strerror(errno),
				"is it an existing directory?");
	return 0;
}

static int mount_again(const char *dir, const struct mount_options *o)
{
	struct mount_attr attr = {
		.attr_set = o->attr_set, .attr_clr = o->attr_clear,
	};
	int fs_fd, err;

	fs_fd = fspick(AT_FDCWD, dir, FSPICK_CLOEXEC);
	if (fs_fd < 0)
		return complain(dir, strerror(errno),
				"is it the mount point of a lake?");
	err = context_configure(fs_fd, o);
	if (err)
		return context_fail(fs_fd, "options", err);
	if (fsconfig(fs_fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0))
		return context_fail(fs_fd, dir, errno);
	context_print(fs_fd);
	if ((o->attr_set || o->attr_clear) &&
	    mount_setattr(AT_FDCWD, dir, 0, &attr, sizeof(attr)))
		return complain(dir, strerror(errno), NULL);
	return 0;
}

static int device_check(const char *device)
{
	struct stat st;

	if (stat(device, &st))
		return complain(device, strerror(errno),
				"is the device there? (lsblk)");
	if (!S_ISBLK(st.st_mode))
		return complain(device, "not a block device",
				next_step(ENOTBLK));
	return 0;
}

int main(int argc, char **argv)
{
	struct mount_options o = { 0 };
	const char *names[2] = { NULL, NULL }, *extra;
	bool fake = false;
	int opt, i, n = 0, err;

	/* mount(8) puts the names first; getopt brings them to the end */
	while ((opt = getopt_long(argc, argv, "fhnrsvwo:t:N:", long_options,
				  NULL)) != -1) {
		if (opt == 'h')
			return fputs(usage_text, stdout), 0;
		else if (opt == 'f')
			fake = true;
		else if (opt == 'v')
			verbose = true;
		else if (opt == 'r' || opt == 'w')
			mount_options_parse(&o, strdup(opt == 'r' ? "ro" :
							"rw"));
		else if (opt == 'o' &&
			 (extra = mount_options_parse(&o, optarg)))
			return complain(extra, "too many options", NULL);
		else if (opt == 'N')
			return usage("-N: other namespaces are not supported");
		else if (opt == '?') /* getopt has said which */
			return usage(NULL);
	}
	for (i = optind; i < argc && n < 2; i++)
		names[n++] = argv[i];
	if (n != 2 || i < argc)
		return usage(n != 2 ? "a DEVICE and a DIRECTORY are needed" :
			     "more than a DEVICE and a DIRECTORY");
	if (o.bind)
		return usage("-o bind: mount --bind does this by itself");
	if (geteuid())
		return complain(names[0], "not permitted",
				"root is needed to mount a lake");
	lake_log_init("mount.lakefs");
	if (o.remount)
		return fake ? 0 : mount_again(names[1], &o);
	err = device_check(names[0]);
	if (err || fake)
		return err;
	err = module_load();
	if (!err)
		err = daemon_start();
	return err ? err : mount_new(names[0], names[1], &o);
}
