/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lakebench: times filesystem operations in one directory. A row is one
 * operation, run once small to warm up and once in full.
 */
#ifndef LAKEBENCH_H
#define LAKEBENCH_H

#include <stdint.h>

#define ROW_SYNC	1	/* the clock stops after syncfs */
#define ROW_COLD	2	/* caches are dropped before */
#define ROW_EXTRA	4	/* only when it is asked for by name */

struct row {
	const char *name;
	unsigned int flags;
	long count;			/* operations of the full run */
	void (*prepare)(long count);	/* before the clock starts; optional */
	void (*body)(long count);
	void (*finish)(long count);	/* after the clock stopped; optional */
};

/* The directory under test. */
extern int bench_root;
extern const char *bench_root_path;

void die(const char *what) __attribute__((noreturn));
uint32_t next_random(void);
void sync_root(void);
/* Syncs, and sleeps until what a filesystem does later is done. */
void settle(void);
void drop_caches(void);
/* Runs a shell command in the directory and waits for it. */
void run_command(const char *command);

/* meter.c */
void meter_init(const char *block_device);
void meter_start(void);
void meter_program_done(void);
void meter_stop(const struct row *row, long count, int threads);

/* Tables of rows, ended by a row without a name. */
extern const struct row name_rows[];
extern const struct row list_rows[];
extern const struct row data_rows[];
extern const struct row tree_rows[];

#endif
