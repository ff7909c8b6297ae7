// SPDX-License-Identifier: MPL-2.0
/*
 * Kills at the places that are hard to get right: the moment after a
 * successor attached, inside a freeze, and while two daemons are there of
 * which one takes over from the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "killer.h"

#define READY_MS	120000
#define STANDBY_SOCKET	"/run/deeplake/standby.sock"

/* It has attached, and dies in what it does next. */
int lc_kill_attached(struct killer *k, pid_t pid)
{
	if (lc_wait_generation(k, k->generation))
		return -1;
	usleep(lc_below(&k->rng, 4) * lc_below(&k->rng, 20000));
	return lc_kill_now(k, pid, true);
}

static int open_probe(const struct killer *k)
{
	int fd = open(k->probe, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		perror(k->probe);
	return fd;
}

static int thaw(int fd)
{
	int error = ioctl(fd, FITHAW, 0);

	if (error)
		perror("lakecrash: thaw");
	close(fd);
	return error;
}

/* Thawed by a mount without a daemon, or when the successor serves. */
int lc_kill_frozen(struct killer *k, pid_t pid)
{
	int fd = open_probe(k), error;

	if (fd < 0)
		return -1;
	if (ioctl(fd, FIFREEZE, 0)) {
		perror("lakecrash: freeze");
		close(fd);
		return -1;
	}
	usleep(lc_below(&k->rng, 50000));
	error = lc_kill_now(k, pid, true);
	if (!error && lc_below(&k->rng, 2))
		error = lc_wait_generation(k, k->generation) ||
			lc_wait_running(k);
	return thaw(fd) || error ? -1 : 0;
}

/* The freeze must go on with the successor, and end well. */
int lc_kill_freezing(struct killer *k, pid_t pid)
{
	int fd = open_probe(k), status = -1, error;
	pid_t child;

	if (fd < 0 || lc_wait_service(k))
		return -1;
	usleep(lc_below(&k->rng, 200000));
	child = fork();
	if (!child)
		_exit(ioctl(fd, FIFREEZE, 0) ? errno : 0);
	usleep(lc_below(&k->rng, 60000));
	error = lc_kill_now(k, pid, true);
	if (child < 0 || waitpid(child, &status, 0) != child || status) {
		fprintf(stderr, "lakecrash: freeze: %s\n",
			strerror(WEXITSTATUS(status)));
		error = -1;
	}
	return thaw(fd) || error ? -1 : 0;
}

static void run_standby(const struct killer *k, int ready_fd)
{
	char number[16];
	int null = open("/dev/null", O_RDWR);

	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	snprintf(number, sizeof(number), "%d", ready_fd);
	setenv("LAKED_READY_FD", number, 1);
	setenv("DOTNET_gcServer", "0", 1);
	setenv("DOTNET_gcConcurrent", "0", 1);
	setenv("DOTNET_GCHeapHardLimit", "0x7000000", 1);
	setenv("DOTNET_EnableDiagnostics", "0", 1);
	execl(k->standby, k->name, "serve", "--socket", STANDBY_SOCKET,
	      (char *)NULL);
	_exit(127);
}

/* A second daemon that only waits for a mount without one; 0: failed. */
static pid_t start_standby(const struct killer *k)
{
	struct pollfd ready = { .events = POLLIN };
	int fds[2];
	char byte = 0;
	pid_t pid;

	if (pipe(fds))
		return 0;
	pid = fork();
	if (!pid) {
		close(fds[0]);
		run_standby(k, fds[1]);
	}
	close(fds[1]);
	ready.fd = fds[0];
	if (pid > 0 && (poll(&ready, 1, READY_MS) != 1 ||
			read(fds[0], &byte, 1) != 1 || byte != 'R')) {
		fputs("lakecrash: the second daemon does not start\n", stderr);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		pid = 0;
	}
	close(fds[0]);
	return pid > 0 ? pid : 0;
}

/*
 * The second daemon attaches when the first lets go: killed, or told to end
 * and killed while it does.  Then the second is killed too, just after it
 * attached or at work, and the launcher's next one takes over.
 */
int lc_kill_handover(struct killer *k, pid_t pid)
{
	pid_t standby;
	bool told = lc_below(&k->rng, 2);
	int error;

	if (lc_wait_service(k))
		return -1;
	standby = start_standby(k);
	if (!standby)
		return -1;
	if (told) {
		k->generation = lc_generation(k);
		kill(pid, SIGTERM);
		if (lc_below(&k->rng, 2))
			usleep(lc_below(&k->rng, 300000));
		else if (lc_wait_generation(k, k->generation))
			return -1;
	}
	/* who waits for the successor below counts from here */
	error = lc_kill_now(k, pid, !told);
	if (!error && !told)
		error = lc_wait_generation(k, k->generation);
	usleep(lc_below(&k->rng, 3) * lc_below(&k->rng, 150000));
	k->generation = lc_generation(k);
	if (kill(standby, SIGKILL))
		error = -1;
	else
		k->kills++;
	waitpid(standby, NULL, 0);
	k->last = pid;
	return error;
}
