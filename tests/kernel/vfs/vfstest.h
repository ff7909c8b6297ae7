/* SPDX-License-Identifier: MPL-2.0 */
/*
 * vfstest: what a POSIX file system has to do, call by call, errno values
 * included. It runs on any file system, so what it expects is checked on ext4
 * and tmpfs first.
 *
 * Every test is a function of its own, run in a child process inside a fresh,
 * empty directory, as root with umask 022. The first check that does not hold
 * ends the test.
 */
#ifndef VFSTEST_H
#define VFSTEST_H

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../lib/testframe.h"

/* the lists, one a file, each ended by a NULL name */
extern const struct test name_tests[];
extern const struct test rename_tests[];
extern const struct test attr_tests[];
extern const struct test perm_tests[];
extern const struct test xattr_tests[];
extern const struct test dir_tests[];
extern const struct test misc_tests[];
extern const struct test cache_tests[];

enum fs_kind { FS_OTHER, FS_EXT, FS_TMPFS, FS_LAKE };
extern enum fs_kind fs_kind;

/* run fn in a child as another user without capabilities; fails with it */
void as_user(uid_t uid, gid_t gid, void (*fn)(void));
void put_file(const char *path, const char *text);
/* number of names in a directory, without . and .. */
int count_names(const char *path);
struct stat stat_of(const char *path);
/* a moment later, in the file system's own clock */
void tick(void);
int list_tree(const char *path);

#endif
