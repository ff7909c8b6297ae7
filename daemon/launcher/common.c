// SPDX-License-Identifier: MPL-2.0
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *log_program = "lake";
static int log_kmsg_fd = -1;
static bool log_to_stderr = true;

void lake_log_init(const char *program)
{
	log_program = program;
	if (log_kmsg_fd >= 0)
		close(log_kmsg_fd);
	log_kmsg_fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);
}

void lake_log_detach(void)
{
	int fd = open("/dev/null", O_RDWR);

	log_to_stderr = false;
	if (fd < 0)
		return;
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

void lake_log(int level, const char *fmt, ...)
{
	char line[768];
	va_list args;
	int head, len;

	head = snprintf(line, sizeof(line), "<%d>", level);
	len = head + snprintf(line + head, sizeof(line) - head, "%s: ",
			      log_program);
	va_start(args, fmt);
	len += vsnprintf(line + len, sizeof(line) - len - 1, fmt, args);
	va_end(args);
	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';

	/* one write is one record of the kernel log */
	if (log_kmsg_fd >= 0 && (!log_to_stderr || level <= LAKE_ERR) &&
	    write(log_kmsg_fd, line, len) < 0)
		log_kmsg_fd = -1;
	if (log_to_stderr && write(STDERR_FILENO, line + head, len - head) < 0)
		log_to_stderr = false;
}

int lake_mkdir(const char *path, mode_t mode)
{
	if (!mkdir(path, mode) || errno == EEXIST)
		return 0;
	return -1;
}

int lake_lock_open(void)
{
	if (lake_mkdir("/run", 0755) || lake_mkdir(LAKE_RUN_DIR, 0755))
		return -1;
	return open(LAKE_LOCK_PATH, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		    0600);
}

bool lake_lock_try(int fd)
{
	return !flock(fd, LOCK_EX | LOCK_NB);
}

int lake_lock_write_pid(int fd, pid_t pid)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%d\n", (int)pid);

	if (ftruncate(fd, 0) || pwrite(fd, text, len, 0) != len)
		return -1;
	return 0;
}

pid_t lake_lock_read_pid(int fd)
{
	char text[32] = "";
	long pid;

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return -1;
	pid = strtol(text, NULL, 10);
	return pid > 1 ? (pid_t)pid : -1;
}

bool lake_lock_is_held(void)
{
	int fd = open(LAKE_LOCK_PATH, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	bool held;

	if (fd < 0)
		return false;
	held = !lake_lock_try(fd);
	close(fd);
	return held;
}

long long lake_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

void lake_sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, (ms % 1000) * 1000000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

int lake_stop(long timeout_ms)
{
	long long until = lake_now_ms() + timeout_ms;
	bool asked = false;
	pid_t pid;
	int fd;

	fd = open(LAKE_LOCK_PATH, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	while (!lake_lock_try(fd)) {
		/* the holder writes its pid just after it got the lock */
		pid = asked ? -1 : lake_lock_read_pid(fd);
		if (pid > 1 && !kill(pid, SIGUSR1))
			asked = true;
		if (lake_now_ms() > until) {
			close(fd);
			return -1;
		}
		lake_sleep_ms(20);
	}
	close(fd);
	return 0;
}

ssize_t lake_read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -1;
	len = read(fd, buf, size - 1);
	close(fd);
	if (len < 0)
		return -1;
	buf[len] = '\0';
	if (len && buf[len - 1] == '\n')
		buf[--len] = '\0';
	return len;
}

int lake_write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t len = strlen(text);
	int ret = 0;

	if (fd < 0)
		return -1;
	if (write(fd, text, len) != len)
		ret = -1;
	close(fd);
	return ret;
}
