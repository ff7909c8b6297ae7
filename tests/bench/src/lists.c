// SPDX-License-Identifier: MPL-2.0
/* Rows about listing one directory of 100,000 files. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bench.h"

#define ENTRIES	100000

static long present;

static void need_entries(long count)
{
	char name[32];

	if (mkdirat(bench_root, "many", 0755) && errno != EEXIST)
		die("mkdir");
	for (; present < count; present++) {
		int fd;

		snprintf(name, sizeof(name), "many/entry%06ld", present);
		fd = openat(bench_root, name, O_CREAT | O_EXCL | O_WRONLY, 0644);
		if (fd < 0)
			die("create");
		close(fd);
	}
}

static void list(long count)
{
	DIR *dir = fdopendir(openat(bench_root, "many",
				    O_RDONLY | O_DIRECTORY));
	long found = 0;

	if (!dir)
		die("opendir");
	while (readdir(dir))
		found++;
	closedir(dir);
	if (found != present + 2 || present < count)
		die("readdir does not show every file");
}

static void need_listed(long count)
{
	need_entries(count);
	list(count);
}

const struct row list_rows[] = {
	{ "readdir-cold", ROW_COLD, ENTRIES, need_entries, list, NULL },
	{ "readdir-warm", 0, ENTRIES, need_listed, list, NULL },
	{ 0 }
};
