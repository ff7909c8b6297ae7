// SPDX-License-Identifier: MPL-2.0
/*
 * laked-launcher: prepares and supervises laked, one per machine. Static and
 * tiny, because it must run when everything else on the machine waits for
 * the daemon it is about to restart.
 */
#include "common.h"
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_USAGE	2
#define EXIT_BUSY	11

static const char usage_text[] =
"Usage: laked-launcher [options] [-- LAKED-ARGUMENT...]\n"
"       laked-launcher --stop [--timeout SECONDS]\n"
"Starts laked, keeps it running, and stays in the background.\n"
"  --root DIR      private root of the daemon: gets /proc, /sys, /dev and\n"
"                  /run/deeplake, then launcher and laked live in there\n"
"  --program FILE  laked, inside DIR (" LAKE_LIB_DIR "/laked)\n"
"  --wait-ready    return when the first laked is ready (0) or failed (1)\n"
"  --timeout S     for --wait-ready (120) and --stop (60)\n"
"  --foreground    do not go to the background\n"
"  --stop          stop the running laked cleanly, and its launcher\n"
"Without arguments laked gets: serve --socket " LAKE_SOCKET_PATH "\n"
"Its standard error goes to " LAKE_LOG_PATH ".\n"
"Exit status: 0 done, 1 error, 2 usage, 11 one is running already.\n";

static char *default_args[] = {
	"serve", "--socket", LAKE_SOCKET_PATH, NULL,
};

struct request {
	struct launcher launcher;
	bool stop;
	bool foreground;
	bool wait_ready;
	long timeout_ms;	/* 0: default */
};

enum { OPT_ROOT = 256, OPT_PROGRAM, OPT_WAIT, OPT_TIMEOUT, OPT_FOREGROUND,
       OPT_STOP, OPT_HELP };

static const struct option options[] = {
	{ "root", required_argument, NULL, OPT_ROOT },
	{ "program", required_argument, NULL, OPT_PROGRAM },
	{ "wait-ready", no_argument, NULL, OPT_WAIT },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "foreground", no_argument, NULL, OPT_FOREGROUND },
	{ "stop", no_argument, NULL, OPT_STOP },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static int usage(const char *word, const char *problem)
{
	if (word)
		fprintf(stderr, "laked-launcher: %s%s\n", word, problem);
	fprintf(stderr, "laked-launcher: see laked-launcher --help\n");
	return EXIT_USAGE;
}

/* -1: go on; else the exit status */
static int request_parse(struct request *r, int argc, char **argv)
{
	char *end;
	int opt;

	while ((opt = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (opt) {
		case OPT_ROOT:
			r->launcher.root = optarg;
			break;
		case OPT_PROGRAM:
			r->launcher.program = optarg;
			break;
		case OPT_WAIT:
			r->wait_ready = true;
			break;
		case OPT_FOREGROUND:
			r->foreground = true;
			break;
		case OPT_STOP:
			r->stop = true;
			break;
		case OPT_TIMEOUT:
			r->timeout_ms = 1000 * strtol(optarg, &end, 10);
			if (r->timeout_ms > 0 && !*end)
				break;
			return usage(optarg, " is no --timeout in seconds");
		case OPT_HELP:
		case 'h':
			fputs(usage_text, stdout);
			return 0;
		default: /* getopt has said which */
			return usage(NULL, "");
		}
	}
	/* a word that was meant for the launcher is not laked's */
	if (optind < argc && strcmp(argv[optind - 1], "--"))
		return usage(argv[optind],
			     ": no option; what is for laked comes after --");
	if (optind < argc)
		r->launcher.args = argv + optind;
	return -1;
}

/* The command line must begin with @ before systemd looks at it. */
static void rename_self(char **argv)
{
	char *name = argv[0];

	if (name[0] == '@')
		return;
	argv[0] = "@laked-launcher";
	execv("/proc/self/exe", argv);
	argv[0] = name;
	name[0] = '@';
}

/* The parent's part of --wait-ready: passes the verdict on. */
static int verdict_wait(int fd)
{
	char text[256];
	ssize_t len = 0, got;

	while (len < (ssize_t)sizeof(text) - 1) {
		got = read(fd, text + len, sizeof(text) - 1 - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		len += got;
	}
	text[len] = '\0';
	if (!strcmp(text, "R"))
		return 0;
	fprintf(stderr, "laked-launcher: %s; see %s\n",
		len ? text : "the daemon's surroundings could not be prepared",
		LAKE_LOG_PATH);
	return 1;
}

/*
 * Splits into the caller and the supervisor. Returns in the supervisor only;
 * the caller's exit status is the verdict.
 */
static void go_to_background(struct request *r)
{
	int fds[2] = { -1, -1 };
	pid_t pid;

	if (r->wait_ready && pipe2(fds, O_CLOEXEC)) {
		lake_log(LAKE_ERR, "no pipe: %s", strerror(errno));
		exit(1);
	}
	pid = fork();
	if (pid < 0) {
		lake_log(LAKE_ERR, "cannot fork: %s", strerror(errno));
		exit(1);
	}
	if (pid) {
		close(fds[1]);
		exit(r->wait_ready ? verdict_wait(fds[0]) : 0);
	}
	setsid();
	close(fds[0]);
	r->launcher.report_fd = fds[1];
}

static int lock_take(void)
{
	int fd = lake_lock_open();

	if (fd < 0) {
		lake_log(LAKE_ERR, "cannot open %s: %s (root is needed)",
			 LAKE_LOCK_PATH, strerror(errno));
		exit(1);
	}
	if (!lake_lock_try(fd)) {
		lake_log(LAKE_WARN, "laked is running already (pid %d of its "
			 "launcher in %s); nothing to do",
			 (int)lake_lock_read_pid(fd), LAKE_LOCK_PATH);
		exit(EXIT_BUSY);
	}
	return fd;
}

int main(int argc, char **argv)
{
	struct request r = {
		.launcher = {
			.program = LAKE_LIB_DIR "/laked",
			.args = default_args,
			.report_fd = -1,
		},
	};
	int status;

	lake_log_init("laked-launcher");
	status = request_parse(&r, argc, argv);
	if (status >= 0)
		return status;
	if (r.stop) {
		if (!lake_stop(r.timeout_ms ? r.timeout_ms : 60000))
			return 0;
		lake_log(LAKE_ERR, "laked is still running");
		return 1;
	}
	rename_self(argv);
	r.launcher.ready_timeout_ms = r.timeout_ms ? r.timeout_ms : 120000;
	r.launcher.stop_timeout_ms = 60000;
	/*
	 * Every file is opened inside the private root: one from outside would
	 * keep the old /run and /dev busy when the system goes down.
	 */
	if (prepare_root(&r.launcher))
		return 1;
	lake_log_init("laked-launcher");
	r.launcher.lock_fd = lock_take();
	if (!r.foreground)
		go_to_background(&r);
	if (lake_lock_write_pid(r.launcher.lock_fd, getpid()))
		lake_log(LAKE_WARN, "cannot write %s", LAKE_LOCK_PATH);
	prepare_process();
	if (!r.foreground && !r.wait_ready)
		lake_log_detach();
	return supervise(&r.launcher);
}
