// SPDX-License-Identifier: MPL-2.0
/* The daemon's processes, and what the kernel says about its attachment. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "killer.h"

#define PATIENCE_MS	120000
#define MARK_EVERY_MS	40

/* A process whose short name is exactly that, or 0. */
pid_t lc_process_find(const char *name, pid_t but)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	pid_t found = 0;

	while (proc && !found && (e = readdir(proc))) {
		char path[300], comm[64] = "";
		FILE *f;

		if (!isdigit((unsigned char)e->d_name[0]) ||
		    atoi(e->d_name) == but)
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		if (fgets(comm, sizeof(comm), f))
			comm[strcspn(comm, "\n")] = 0;
		fclose(f);
		if (!strcmp(comm, name))
			found = atoi(e->d_name);
	}
	if (proc)
		closedir(proc);
	return found;
}

pid_t lc_process_wait(const char *name, pid_t but)
{
	for (int ms = 0; ms < PATIENCE_MS; ms += 10) {
		pid_t pid = lc_process_find(name, but);

		if (pid)
			return pid;
		usleep(10000);
	}
	fprintf(stderr, "lakecrash: no %s came back\n", name);
	return 0;
}

/* Not even as a zombie whose parent has not looked yet. */
bool lc_process_alive(pid_t pid)
{
	char path[64], text[256], *end;
	FILE *f;
	bool alive;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	if (!f)
		return false;
	text[fread(text, 1, sizeof(text) - 1, f)] = 0;
	fclose(f);
	end = strrchr(text, ')');
	alive = end && strncmp(end, ") Z", 3) && strncmp(end, ") X", 3);
	return alive;
}

/* What was done before is durable, so the daemon is at work. */
int lc_wait_service(const struct killer *k)
{
	int fd, error;

	if (!k->probe)
		return 0;
	fd = open(k->probe, O_RDONLY | O_DIRECTORY);
	error = fd < 0 || syncfs(fd);
	if (error)
		perror(k->probe);
	if (fd >= 0)
		close(fd);
	return error ? -1 : 0;
}

static int read_attribute(const struct killer *k, const char *attribute,
			  char *text, size_t bytes)
{
	char path[300];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", k->sysfs, attribute);
	fd = open(path, O_RDONLY);
	n = fd < 0 ? -1 : read(fd, text, bytes - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0) {
		perror(path);
		return -1;
	}
	text[n] = 0;
	text[strcspn(text, "\n")] = 0;
	return 0;
}

/* Grows with every attachment; 0 when it is not known. */
uint64_t lc_generation(const struct killer *k)
{
	char text[64];

	if (!k->sysfs || read_attribute(k, "generation", text, sizeof(text)))
		return 0;
	return strtoull(text, NULL, 10);
}

int lc_wait_generation(const struct killer *k, uint64_t other_than)
{
	for (int ms = 0; ms < PATIENCE_MS; ms++) {
		uint64_t now = lc_generation(k);

		if (!now)
			return -1;
		if (now != other_than)
			return 0;
		usleep(1000);
	}
	fputs("lakecrash: no successor attached\n", stderr);
	return -1;
}

int lc_wait_running(const struct killer *k)
{
	char text[300];

	for (int ms = 0; ms < PATIENCE_MS; ms += 5) {
		if (read_attribute(k, "state", text, sizeof(text)))
			return -1;
		if (!strcmp(text, "running"))
			return 0;
		usleep(5000);
	}
	fprintf(stderr, "lakecrash: the mount stays '%s'\n", text);
	return -1;
}

/*
 * Marks in the recording while no successor is there.  The second and later
 * ones are written after a look at the generation, so each of them proves
 * for the one before it that it was written before the successor attached.
 */
int lc_mark_dead(struct killer *k)
{
	struct lc_ack mark = { .stream = LC_MARK_STREAM, .op = k->kills };

	if (k->area.fd < 0)
		return 0;
	for (int ms = 0; ms < PATIENCE_MS; ms += MARK_EVERY_MS) {
		if (lc_ack_write(&k->area, &mark)) {
			perror("lakecrash: mark");
			return -1;
		}
		if (!k->sysfs)
			return 0;
		usleep(MARK_EVERY_MS * 1000);
		if (lc_generation(k) != k->generation)
			return 0;
		mark.sync = true;
	}
	fputs("lakecrash: no successor attached\n", stderr);
	return -1;
}
