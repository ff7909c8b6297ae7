// SPDX-License-Identifier: MPL-2.0
/* The last steps before laked: its signals, descriptors and environment. */
#include "common.h"
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define OUTPUT_MAX_BYTES	(1L << 20)
#define ARGS_MAX		32
#define HEAP_LEAST_BYTES	(112ULL << 20)
#define HEAP_PART		5	/* of the machine's memory */

/*
 * The .NET runtime's own settings, for a small locked daemon that starts
 * fast. Numbers are hexadecimal there. What the launcher's environment says
 * already is left alone, so that a person can try another value.
 */
static const char *const runtime_env[][2] = {
	{ "DOTNET_gcServer", "0" },
	{ "DOTNET_gcConcurrent", "0" },
	{ "DOTNET_GCgen0size", "0x400000" },
	{ "DOTNET_Thread_DefaultStackSize", "0x40000" },
	/* W^X maps every code page twice */
	{ "DOTNET_EnableWriteXorExecute", "0" },
	{ "DOTNET_TieredPGO", "0" },
	/*
	 * Calls of a method before it is compiled once more, better: many, so
	 * that only what is done for each change or request is worth it, and
	 * that is soon over. What is done for a batch of them is good enough.
	 */
	{ "DOTNET_TC_CallCountThreshold", "0x100" },
	/* no diagnostics socket, no dump: both would touch the file system */
	{ "DOTNET_EnableDiagnostics", "0" },
	{ "DOTNET_DbgEnableMiniDump", "0" },
	{ "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1" },
	{ "DOTNET_NOLOGO", "1" },
	/* one malloc arena: each one more is 64 MiB of reservation */
	{ "MALLOC_ARENA_MAX", "1" },
	{ "LC_ALL", "C.UTF-8" },
	{ "HOME", "/" },
	{ "TMPDIR", "/tmp" },
	{ "PATH", "/usr/sbin:/usr/bin:/sbin:/bin" },
};

/*
 * The heap's limit: with everything locked, reserved address space must stay
 * small; but the index of a lake's metadata pages is in the heap, 64 MiB for
 * each TiB, and twice for as long as a checkpoint is read beside the engine.
 */
static void heap_limit_set(void)
{
	unsigned long long bytes = HEAP_LEAST_BYTES;
	struct sysinfo info;
	char text[24];

	if (!sysinfo(&info)) {
		unsigned long long part = (unsigned long long)info.totalram *
					  info.mem_unit / HEAP_PART;

		if (part > bytes)
			bytes = part;
	}
	snprintf(text, sizeof(text), "0x%llx", bytes);
	setenv("DOTNET_GCHeapHardLimit", text, 0);
}

static void environment_set(int ready_fd)
{
	char text[16];
	size_t i;

	heap_limit_set();
	for (i = 0; i < sizeof(runtime_env) / sizeof(runtime_env[0]); i++)
		setenv(runtime_env[i][0], runtime_env[i][1],
		       !strcmp(runtime_env[i][0], "HOME") ||
		       !strcmp(runtime_env[i][0], "TMPDIR"));
	/* a person's startup hooks and host settings are not for this one */
	unsetenv("DOTNET_STARTUP_HOOKS");
	unsetenv("LD_PRELOAD");
	unsetenv("LD_LIBRARY_PATH");
	unsetenv("NOTIFY_SOCKET");
	snprintf(text, sizeof(text), "%d", ready_fd);
	setenv("LAKED_READY_FD", text, 1);
}

static void signals_reset(void)
{
	sigset_t none;
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * laked logs to its standard error; a crash of the runtime is told there too.
 * Bounded over restarts: the file of before is kept once.
 */
static int output_open(void)
{
	struct stat st;

	if (!stat(LAKE_LOG_PATH, &st) && st.st_size > OUTPUT_MAX_BYTES)
		rename(LAKE_LOG_PATH, LAKE_LOG_PATH ".1");
	return open(LAKE_LOG_PATH,
		    O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NOFOLLOW,
		    0640);
}

/* All descriptors come from the daemon's own /dev and /run. */
static void descriptors_set(int ready_fd, int lock_fd)
{
	int in = open("/dev/null", O_RDONLY);
	int out = output_open();

	if (out < 0)
		out = open("/dev/null", O_WRONLY);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	if (in > STDERR_FILENO)
		close(in);
	if (out > STDERR_FILENO)
		close(out);
	fcntl(ready_fd, F_SETFD, 0);
	fcntl(lock_fd, F_SETFD, 0);
}

void child_exec(const struct launcher *l, int ready_fd)
{
	char *argv[ARGS_MAX + 2];
	int i;

	setsid();
	signals_reset();
	descriptors_set(ready_fd, l->lock_fd);
	environment_set(ready_fd);
	setpriority(PRIO_PROCESS, 0, -10);

	/* systemd leaves processes alone whose command line begins with @ */
	argv[0] = "@laked";
	for (i = 0; i < ARGS_MAX && l->args[i]; i++)
		argv[i + 1] = l->args[i];
	argv[i + 1] = NULL;
	execv(l->program, argv);
	dprintf(STDERR_FILENO, "laked-launcher: cannot start %s: %s\n",
		l->program, strerror(errno));
	_exit(127);
}
