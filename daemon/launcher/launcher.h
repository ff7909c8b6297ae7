/* SPDX-License-Identifier: MPL-2.0 */
#ifndef LAKE_LAUNCHER_H
#define LAKE_LAUNCHER_H

#include <stdbool.h>

struct launcher {
	const char *root;	/* private tmpfs of the daemon; NULL: "/" */
	const char *program;	/* path of laked, inside root */
	char **args;		/* its arguments after argv[0] */
	int lock_fd;
	int report_fd;		/* --wait-ready: where the parent listens */
	long ready_timeout_ms;
	long stop_timeout_ms;
};

/* prepare.c: the process and the place it lives in; 0 or -1 with a message */
void prepare_process(void);
int prepare_root(const struct launcher *l);

/* child.c: becomes laked; does not return */
void child_exec(const struct launcher *l, int ready_fd)
	__attribute__((noreturn));

/* supervise.c: runs laked until asked to stop; exit status */
int supervise(const struct launcher *l);

/*
 * progress.c: deaths of the daemon at one durable_seq.
 * progress_note_death() is told of every death that was the daemon's own
 * doing and shuts a mount down that has seen too many without progress;
 * true when some mount got further (or there is none to judge by).
 */
bool progress_note_death(const char *reason);

#endif /* LAKE_LAUNCHER_H */
