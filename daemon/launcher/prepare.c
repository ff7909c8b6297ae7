// SPDX-License-Identifier: MPL-2.0
/*
 * The launcher and laked must survive everything that stops other programs:
 * low memory, systemd's killing sprees, the change of root. What is set here
 * is inherited by laked.
 */
#include "common.h"
#include "launcher.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

static void limit_set(int which, rlim_t value, const char *what)
{
	struct rlimit lim = { value, value };

	if (setrlimit(which, &lim))
		lake_log(LAKE_WARN, "cannot set the limit for %s: %s", what,
			 strerror(errno));
}

void prepare_process(void)
{
	/* 0 would still feed a core pipe, and that may live on the lake */
	limit_set(RLIMIT_CORE, 1, "core files");
	limit_set(RLIMIT_MEMLOCK, RLIM_INFINITY, "locked memory");
	limit_set(RLIMIT_NOFILE, 4096, "open files");

	/* allocations of the daemon must not write back to its own lake */
	if (prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0))
		lake_log(LAKE_WARN, "cannot become an I/O flusher: %s",
			 strerror(errno));
	if (lake_write_text("/proc/self/oom_score_adj", "-1000"))
		lake_log(LAKE_WARN, "cannot get OOM exemption: %s",
			 strerror(errno));
	/* a unit or session that started us must not take us down with it */
	lake_write_text("/sys/fs/cgroup/cgroup.procs", "0");

	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		lake_log(LAKE_WARN, "cannot lock memory: %s", strerror(errno));
	umask(022);
	if (chdir("/"))
		lake_log(LAKE_WARN, "cannot change to /: %s", strerror(errno));
}

struct root_mount {
	const char *dir;
	const char *type;	/* NULL: bind */
	const char *source;
	unsigned long flags;
};

static const struct root_mount root_mounts[] = {
	{ "/proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "/sys", "sysfs", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "/dev", "devtmpfs", "devtmpfs", MS_NOSUID | MS_NOEXEC },
	{ LAKE_RUN_DIR, NULL, LAKE_RUN_DIR, MS_BIND },
};

static bool is_mounted(const char *path, const char *parent)
{
	struct stat here, above;

	return !stat(path, &here) && !stat(parent, &above) &&
	       here.st_dev != above.st_dev;
}

static int root_mount(const char *root, const struct root_mount *m)
{
	char path[512], run[512];

	/* the only mount point that is two levels deep */
	snprintf(run, sizeof(run), "%s/run", root);
	snprintf(path, sizeof(path), "%s%s", root, m->dir);
	if (lake_mkdir("/run", 0755) || lake_mkdir(LAKE_RUN_DIR, 0755) ||
	    lake_mkdir(run, 0755) || lake_mkdir(path, 0755)) {
		lake_log(LAKE_ERR, "cannot make %s: %s", path,
			 strerror(errno));
		return -1;
	}
	if (is_mounted(path, root))
		return 0;
	if (mount(m->source, path, m->type ? m->type : "", m->flags, NULL)) {
		lake_log(LAKE_ERR, "cannot mount %s: %s", path,
			 strerror(errno));
		return -1;
	}
	return 0;
}

/*
 * After switch_root the paths the launcher was started with are gone, so it
 * moves into the daemon's private root together with it.
 */
int prepare_root(const struct launcher *l)
{
	char tmp[512];
	size_t i;

	if (!l->root)
		return 0;
	for (i = 0; i < sizeof(root_mounts) / sizeof(root_mounts[0]); i++)
		if (root_mount(l->root, &root_mounts[i]))
			return -1;
	snprintf(tmp, sizeof(tmp), "%s/tmp", l->root);
	if (lake_mkdir(tmp, 01777) || chroot(l->root) || chdir("/")) {
		lake_log(LAKE_ERR, "cannot enter %s: %s", l->root,
			 strerror(errno));
		return -1;
	}
	return 0;
}
