/* SPDX-License-Identifier: MPL-2.0 */
/*
 * nomem: every operation is done again and again, its first allocation of
 * memory failing, then its second, until it needs no more than that. Each time
 * it succeeds or says so, and what it did half can be done again. Needs a
 * kernel with failslab (the debug kernel); what is lost or used after it was
 * freed, that kernel tells.
 */
#ifndef NOMEM_H
#define NOMEM_H

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../lib/testframe.h"

struct op {
	const char *name;
	void (*prepare)(void);		/* from any state an attempt left */
	int (*run)(void);		/* 0 or -errno */
	void (*check)(void);		/* after it succeeded; may be NULL */
	int done;			/* what a second time says when the
					 * first failed after the deed */
	int also;			/* an errno it may fail with instead */
	bool cold;			/* caches are dropped before */
};

/* each ended by a NULL name */
extern const struct op name_ops[];
extern const struct op data_ops[];
extern const struct op mount_ops[];

/* a device with a lake of its own, or NULL */
extern const char *second_device;

/* a call's value as a result of run() */
static inline int result_of(long value)
{
	return value < 0 ? -errno : 0;
}

/* bytes of the file f that prepare wrote; at its place */
char pattern(long at);
/* f, of so many bytes of the pattern, durable */
void put_pattern(const char *path, long bytes);
/* does f hold the pattern in [from, to)? */
bool has_pattern(const char *path, long from, long to);

#endif
