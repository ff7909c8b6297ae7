// SPDX-License-Identifier: MPL-2.0
/* One state: mount, oracle, use, unmount, then the filesystem's own check. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replay.h"

#define HOOK_OUTPUT "/tmp/hook.out"
#define UMOUNT_TRIES 100		/* of 10 ms */

static void blame(struct lc_verdict *v, const char *format, ...)
{
	size_t used = strlen(v->text);
	va_list args;

	va_start(args, format);
	vsnprintf(v->text + used, sizeof(v->text) - used, format, args);
	va_end(args);
	v->failures++;
}

/* The first lines of what a hook printed. */
static void hook_output(char *out, size_t bytes)
{
	int fd = open(HOOK_OUTPUT, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, out, bytes - 1);

	if (fd >= 0)
		close(fd);
	out[n > 0 ? n : 0] = 0;
	while (n > 0 && out[n - 1] == '\n')
		out[--n] = 0;
	for (char *p = out; *p; p++)
		if (*p == '\n')
			*p = '|';
}

/* 0 when the command, run by sh with DEV and DIR set, ended with 0. */
static int run_hook(const char *command, const char *device,
		    const char *dir, const char *what, struct lc_verdict *v)
{
	char output[600];
	int status, fd;
	pid_t pid = fork();

	if (pid == 0) {
		fd = open(HOOK_OUTPUT, O_CREAT | O_TRUNC | O_WRONLY, 0600);
		dup2(fd, 1);
		dup2(fd, 2);
		setenv("DEV", device, 1);
		setenv("DIR", dir, 1);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (pid > 0 && waitpid(pid, &status, 0) == pid && !status)
		return 0;
	hook_output(output, sizeof(output));
	blame(v, "%s: status %x: %s\n", what, pid > 0 ? status : -1, output);
	return -1;
}

static int mount_it(const struct lc_hooks *h, const char *device,
		    struct lc_verdict *v)
{
	if (h->mount)
		return run_hook(h->mount, device, h->dir, "mount", v);
	if (!mount(device, h->dir, h->fs, 0, h->options))
		return 0;
	blame(v, "mount: %s\n", strerror(errno));
	return -1;
}

static int umount_it(const struct lc_hooks *h, const char *device,
		     struct lc_verdict *v)
{
	if (h->umount)
		return run_hook(h->umount, device, h->dir, "umount", v);
	for (int i = 0; i < UMOUNT_TRIES; i++) {
		if (!umount(h->dir))
			return 0;
		if (errno != EBUSY)
			break;
		usleep(10000);
	}
	blame(v, "umount: %s\n", strerror(errno));
	return -1;
}

/* The recovered filesystem must also be fit for work. */
static void use_it(const struct lc_hooks *h, struct lc_verdict *v)
{
	static const char text[] = "written after the power came back";
	char path[4096], back[sizeof(text)];
	int fd;

	snprintf(path, sizeof(path), "%s/.probe", h->dir);
	fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
	if (fd < 0 || write(fd, text, sizeof(text)) != sizeof(text) ||
	    fsync(fd) || pread(fd, back, sizeof(back), 0) != sizeof(back) ||
	    memcmp(text, back, sizeof(text)) || close(fd) || unlink(path))
		blame(v, "use: %s\n", strerror(errno));
}

/* In a child: a fault in the oracle must not end the whole replay. */
static void run_oracle(const struct lc_hooks *h,
		       const struct lc_check *check, struct lc_verdict *v)
{
	struct lc_check c = *check;
	int status, failures;
	char line[700];
	FILE *out = tmpfile();
	pid_t pid;

	if (!out) {
		blame(v, "oracle: %s\n", strerror(errno));
		return;
	}
	c.out = out;
	pid = fork();
	if (!pid) {
		failures = lc_check_run(&c);
		if (h->socket)
			failures += lc_verify_mounted(h->socket, h->dir, out);
		fflush(out);
		_exit(failures > 100 ? 100 : failures);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		blame(v, "oracle: died\n");
	rewind(out);
	while (fgets(line, sizeof(line), out))
		blame(v, "%s", line);
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) &&
	    !v->failures)
		blame(v, "oracle: failed without a reason\n");
	fclose(out);
}

/* Number of failures; their reasons are in v->text. */
int lc_judge(const struct lc_hooks *hooks, const char *device,
	     const struct lc_check *check, struct lc_verdict *v)
{
	memset(v, 0, sizeof(*v));
	if (!mount_it(hooks, device, v)) {
		run_oracle(hooks, check, v);
		use_it(hooks, v);
		umount_it(hooks, device, v);
	}
	if (hooks->fsck)
		run_hook(hooks->fsck, device, hooks->dir, "fsck", v);
	return v->failures;
}
