// SPDX-License-Identifier: MPL-2.0
/*
 * One laked after the other. A death is answered at once; a daemon that
 * keeps dying is tried more slowly, but never given up while something may
 * wait for it. Only the first start, when a boot script waits for the
 * verdict, ends in failure.
 */
#include "common.h"
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEATHS_BEFORE_SLOW	8
#define DEATH_WINDOW_MS		60000
#define RESTART_STEP_MS		125
#define RESTART_MAX_MS		1000
#define RESTART_SLOW_MS		10000
#define FIRST_START_TRIES	3

struct supervisor {
	const struct launcher *cfg;
	int signal_fd;
	int report_fd;		/* -1: nobody waits for the first start */
	int ready_fd;		/* -1: ready already, or no child */
	pid_t child;		/* 0: none */
	bool stopping;
	bool ever_ready;
	bool slow;
	long long first_try_ms;
	long long stop_until_ms;
	long long deaths_ms[DEATHS_BEFORE_SLOW];	/* ring, oldest next */
	int death_next;
	int death_run;		/* deaths since the daemon last got further */
	long long restart_at_ms;
};

/* Tells the waiting parent; a second call is without effect. */
static void report(struct supervisor *s, const char *text)
{
	if (s->report_fd < 0)
		return;
	if (write(s->report_fd, text, strlen(text)) < 0)
		lake_log(LAKE_WARN, "nobody waits for: %s", text);
	close(s->report_fd);
	s->report_fd = -1;
	lake_log_detach();
}

static void child_start(struct supervisor *s)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC)) {
		lake_log(LAKE_ERR, "no pipe: %s", strerror(errno));
		s->restart_at_ms = lake_now_ms() + RESTART_MAX_MS;
		return;
	}
	pid = fork();
	if (!pid) {
		close(fds[0]);
		child_exec(s->cfg, fds[1]);
	}
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		lake_log(LAKE_ERR, "cannot fork: %s", strerror(errno));
		s->restart_at_ms = lake_now_ms() + RESTART_MAX_MS;
		return;
	}
	s->child = pid;
	s->ready_fd = fds[0];
}

static void ready_read(struct supervisor *s)
{
	char byte;
	ssize_t len = read(s->ready_fd, &byte, 1);

	if (len < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	close(s->ready_fd);
	s->ready_fd = -1;
	if (len != 1)
		return;		/* it died; SIGCHLD says how */
	s->ever_ready = true;
	s->slow = false;
	lake_log(LAKE_INFO, "laked is ready (pid %d)", (int)s->child);
	report(s, "R");
}

static void death_describe(int status, char *text, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(text, size, "killed by signal %d (%s)",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == 127)
		snprintf(text, size, "could not be started, see %s",
			 LAKE_LOG_PATH);
	else
		snprintf(text, size, "exit status %d", WEXITSTATUS(status));
}

/* The eighth death within a minute without progress makes it slow. */
static bool death_is_repeated(struct supervisor *s, long long now)
{
	long long oldest = s->deaths_ms[s->death_next];

	s->deaths_ms[s->death_next] = now;
	s->death_next = (s->death_next + 1) % DEATHS_BEFORE_SLOW;
	return s->death_run >= DEATHS_BEFORE_SLOW && oldest &&
	       now - oldest < DEATH_WINDOW_MS;
}

static void restart_plan(struct supervisor *s, const char *how)
{
	long long now = lake_now_ms();
	long delay;

	if (death_is_repeated(s, now) && !s->slow) {
		s->slow = true;
		lake_log(LAKE_ERR, "laked died %d times within a minute (%s); "
			 "trying every %d s from now on, see %s",
			 DEATHS_BEFORE_SLOW, how, RESTART_SLOW_MS / 1000,
			 LAKE_LOG_PATH);
	}
	delay = (s->death_run - 1) * RESTART_STEP_MS;
	if (delay > RESTART_MAX_MS)
		delay = RESTART_MAX_MS;
	s->restart_at_ms = now + (s->slow ? RESTART_SLOW_MS : delay);
}

/* Takes note of a death. False: the first start has failed for good. */
static bool child_reap(struct supervisor *s)
{
	char how[96];
	int status;
	pid_t pid = waitpid(s->child, &status, WNOHANG);

	if (pid != s->child)
		return true;
	s->child = 0;
	if (s->ready_fd >= 0)
		ready_read(s);	/* it may have got ready just before */
	if (s->ready_fd >= 0)
		close(s->ready_fd);
	s->ready_fd = -1;
	if (s->stopping)
		return true;

	death_describe(status, how, sizeof(how));
	s->death_run++;
	/*
	 * SIGKILL comes from a person (laked is exempt from OOM) and says
	 * nothing about the lake.
	 */
	if ((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
	    progress_note_death(how))
		s->death_run = 1;
	lake_log(LAKE_WARN, "laked ended: %s", how);
	if (!s->ever_ready && s->death_run >= FIRST_START_TRIES &&
	    s->report_fd >= 0) {
		char text[256];

		snprintf(text, sizeof(text), "laked ended %d times before it "
			 "was ready: %s", s->death_run, how);
		report(s, text);
		return false;
	}
	restart_plan(s, how);
	return true;
}

static void stop_begin(struct supervisor *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	s->stop_until_ms = lake_now_ms() + s->cfg->stop_timeout_ms;
	if (s->child)
		kill(s->child, SIGTERM);
}

/* False: the first start has failed for good. */
static bool signals_read(struct supervisor *s)
{
	struct signalfd_siginfo info;

	while (read(s->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGUSR1)
			stop_begin(s);
		/* SIGTERM, SIGHUP, SIGINT: read, and that is all */
	}
	return !s->child || child_reap(s);
}

static int next_timeout_ms(const struct supervisor *s)
{
	long long now = lake_now_ms(), until = -1;

	if (s->stopping)
		until = s->stop_until_ms;
	else if (!s->child)
		until = s->restart_at_ms;
	else if (s->report_fd >= 0)
		until = s->first_try_ms + s->cfg->ready_timeout_ms;
	if (until < 0)
		return -1;
	return until > now ? (int)(until - now) : 0;
}

static int signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void wait_for_event(struct supervisor *s)
{
	struct pollfd fds[2] = {
		{ .fd = s->signal_fd, .events = POLLIN },
		{ .fd = s->ready_fd, .events = POLLIN },
	};

	if (poll(fds, 2, next_timeout_ms(s)) <= 0)
		return;
	if (fds[1].revents)
		ready_read(s);
}

int supervise(const struct launcher *cfg)
{
	struct supervisor s = {
		.cfg = cfg, .ready_fd = -1, .report_fd = cfg->report_fd,
		.first_try_ms = lake_now_ms(),
	};

	s.signal_fd = signals_open();
	if (s.signal_fd < 0) {
		report(&s, "no signalfd in this kernel");
		return 1;
	}
	for (;;) {
		if (!s.child && s.stopping)
			return 0;
		if (!s.child && lake_now_ms() >= s.restart_at_ms)
			child_start(&s);
		wait_for_event(&s);
		if (!signals_read(&s))
			return 1;
		if (s.child && s.stopping && !next_timeout_ms(&s)) {
			lake_log(LAKE_ERR, "laked does not stop; killing it "
				 "(its log is complete without a clean stop)");
			kill(s.child, SIGKILL);
			s.stop_until_ms += RESTART_SLOW_MS;
		}
		if (s.child && !s.stopping && s.report_fd >= 0 &&
		    !next_timeout_ms(&s)) {
			report(&s, "laked did not get ready in time");
			kill(s.child, SIGKILL);
			return 1;
		}
	}
}
