// SPDX-License-Identifier: MPL-2.0
/*
 * Rows that are programs at work on a tree of sources: GNU tar, find, grep,
 * rm and gcc. The archive is made by tests/bench/tree.py.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <unistd.h>
#include "bench.h"

#define ENTRIES	5300

/* The path, as the shell has programs of these names built in. */
#define GNU	"/tools/usr/bin/"

static int present;

static void untar(long count)
{
	(void)count;
	run_command(GNU "tar -xf /mnt/share/tree.tar");
	present = 1;
}

static void need_no_tree(long count)
{
	(void)count;
	if (present)
		run_command(GNU "rm -rf tree");
	present = 0;
}

static void need_tree(long count)
{
	if (!present)
		untar(count);
}

static void find(long count)
{
	(void)count;
	run_command(GNU "find tree -type f -size +1000k");
}

static void need_found(long count)
{
	need_tree(count);
	find(count);
}

static void search(long count)
{
	(void)count;
	run_command(GNU "grep -r 'no such words' tree; [ $? = 1 ]");
}

static void remove_tree(long count)
{
	(void)count;
	run_command(GNU "rm -rf tree");
	present = 0;
}

static void copy_sources(long count)
{
	(void)count;
	run_command("cp /mnt/share/compile/* .");
}

/* The warm-up compiles one file only. */
static void compile(long count)
{
	run_command(count == 1 ? "gcc --sysroot=/tools -O2 -c main.c" :
				 "gcc --sysroot=/tools -O2 -c *.c");
}

const struct row tree_rows[] = {
	{ "untar", ROW_SYNC, ENTRIES, need_no_tree, untar, NULL },
	{ "find-cold", ROW_COLD, ENTRIES, need_tree, find, NULL },
	{ "find-warm", 0, ENTRIES, need_found, find, NULL },
	{ "grep-cold", ROW_COLD, ENTRIES, need_tree, search, NULL },
	{ "rm-rf", ROW_SYNC, ENTRIES, need_tree, remove_tree, NULL },
	{ "compile", ROW_SYNC, 4, copy_sources, compile, NULL },
	{ 0 }
};
