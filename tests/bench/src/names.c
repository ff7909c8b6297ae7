// SPDX-License-Identifier: MPL-2.0
/*
 * Rows about names: 20,000 empty files in one directory, and directories.
 * Rows that follow each other use the same files; a row that is run alone
 * makes them first.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bench.h"

#define FILES	20000
#define DIRS	10000

static long present;		/* files that exist now */
static char prefix = 'f';	/* and how their names begin */

static const char *name_of(char kind, long i)
{
	static char name[2][32];
	static int turn;

	turn = !turn;
	snprintf(name[turn], sizeof(name[turn]), "d/%c%06ld", kind, i);
	return name[turn];
}

static void make_files(long count)
{
	for (long i = 0; i < count; i++) {
		int fd = openat(bench_root, name_of(prefix, i),
				O_CREAT | O_EXCL | O_WRONLY, 0644);

		if (fd < 0)
			die("create");
		close(fd);
	}
	present = count;
}

static void remove_files(long count)
{
	for (long i = 0; i < count; i++)
		if (unlinkat(bench_root, name_of(prefix, i), 0))
			die("unlink");
	present = 0;
}

static void need_none(long count)
{
	(void)count;
	remove_files(present);
	if (mkdirat(bench_root, "d", 0755) && errno != EEXIST)
		die("mkdir");
}

static void need_files(long count)
{
	if (present == count)
		return;
	need_none(0);
	make_files(count);
}

static void stat_files(long count)
{
	struct stat st;

	for (long i = 0; i < count; i++)
		if (fstatat(bench_root, name_of(prefix, i), &st, 0))
			die("stat");
}

static void need_warm_files(long count)
{
	need_files(count);
	stat_files(count);
}

static void rename_files(long count)
{
	char to = prefix == 'f' ? 'g' : 'f';

	for (long i = 0; i < count; i++)
		if (renameat(bench_root, name_of(prefix, i), bench_root,
			     name_of(to, i)))
			die("rename");
	prefix = to;
}

static void link_files(long count)
{
	for (long i = 0; i < count; i++)
		if (linkat(bench_root, name_of(prefix, i), bench_root,
			   name_of('l', i), 0))
			die("link");
}

static void remove_links(long count)
{
	for (long i = 0; i < count; i++)
		if (unlinkat(bench_root, name_of('l', i), 0))
			die("unlink of a link");
}

static void chmod_files(long count)
{
	static int mode = 0600;

	mode ^= 0044;
	for (long i = 0; i < count; i++)
		if (fchmodat(bench_root, name_of(prefix, i), mode, 0))
			die("chmod");
}

static void make_directories(long count)
{
	for (long i = 0; i < count; i++)
		if (mkdirat(bench_root, name_of('s', i), 0755))
			die("mkdir");
}

static void remove_directories(long count)
{
	for (long i = 0; i < count; i++)
		if (unlinkat(bench_root, name_of('s', i), AT_REMOVEDIR))
			die("rmdir");
}

static void need_directories(long count)
{
	need_none(0);
	make_directories(count);
}

const struct row name_rows[] = {
	{ "create", ROW_SYNC, FILES, need_none, make_files, NULL },
	{ "stat-cold", ROW_COLD, FILES, need_files, stat_files, NULL },
	{ "stat-warm", 0, FILES, need_warm_files, stat_files, NULL },
	{ "chmod", ROW_SYNC | ROW_EXTRA, FILES, need_files, chmod_files,
	  NULL },
	{ "link", ROW_SYNC | ROW_EXTRA, FILES, need_files, link_files,
	  remove_links },
	{ "rename", ROW_SYNC, FILES, need_files, rename_files, NULL },
	{ "unlink", ROW_SYNC, FILES, need_files, remove_files, NULL },
	{ "mkdir", ROW_SYNC, DIRS, need_none, make_directories,
	  remove_directories },
	{ "rmdir", ROW_SYNC, DIRS, need_directories, remove_directories, NULL },
	{ 0 }
};
