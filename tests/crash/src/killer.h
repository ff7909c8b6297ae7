/* SPDX-License-Identifier: MPL-2.0 */
/* What the parts of the killer share. */
#ifndef KILLER_H
#define KILLER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lakecrash.h"

struct killer {
	const char *name;		/* of the daemon's processes */
	const char *ack_device;		/* NULL: kills are not marked */
	const char *probe;		/* a folder of the mount, or NULL */
	const char *sysfs;		/* of the mount, or NULL */
	const char *standby;		/* program of a second daemon, or NULL */
	uint64_t rng;
	uint32_t count, min_ms, max_ms;	/* count 0: for ever */
	struct lc_ack_area area;
	uint32_t kills;			/* so far */
	pid_t last;			/* killed last, not to be killed again */
	uint64_t generation;		/* of the attachment at that time */
};

/* How a kill is placed.  Each returns 0, or -1 after a message. */
typedef int (*lc_kill_way)(struct killer *k, pid_t pid);

/* killer.c */
int lc_kill_now(struct killer *k, pid_t pid, bool must);
uint32_t lc_kill_delay(struct killer *k);

/* killed.c: the daemon's processes and what the kernel says about them */
pid_t lc_process_find(const char *name, pid_t but);
pid_t lc_process_wait(const char *name, pid_t but);
bool lc_process_alive(pid_t pid);
int lc_wait_service(const struct killer *k);
uint64_t lc_generation(const struct killer *k);
int lc_wait_generation(const struct killer *k, uint64_t other_than);
int lc_wait_running(const struct killer *k);
int lc_mark_dead(struct killer *k);

/* killways.c */
int lc_kill_attached(struct killer *k, pid_t pid);
int lc_kill_frozen(struct killer *k, pid_t pid);
int lc_kill_freezing(struct killer *k, pid_t pid);
int lc_kill_handover(struct killer *k, pid_t pid);

#endif
