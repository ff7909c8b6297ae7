/* SPDX-License-Identifier: MPL-2.0 */
/*
 * datatest: that files hold what was put into them, whatever way it went in
 * and out: write, direct I/O, mmap, truncate, fallocate, across dropped
 * caches and remounts. It runs on any file system; what it expects is checked
 * on ext4 first.
 *
 * Every test runs in a child process with its own fresh directory (path()
 * gives names in it). The first check that does not hold ends the test.
 */
#ifndef DATATEST_H
#define DATATEST_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../lib/testframe.h"

#define BLOCK 4096

/* the lists, one a file, each ended by a NULL name */
extern const struct test model_tests[];
extern const struct test tail_tests[];
extern const struct test direct_tests[];
extern const struct test space_tests[];
extern const struct test many_tests[];
extern const struct test clone_tests[];
extern const struct test share_tests[];
extern const struct test shift_tests[];
extern const struct test trim_tests[];
extern const struct test folio_tests[];
extern const struct test flush_tests[];
extern const struct test seal_tests[];
extern const struct test checked_tests[];
extern const struct test sharing_tests[];
extern const struct test sharerace_tests[];
extern const struct test skew_tests[];
extern const struct test pack_tests[];
extern const struct test packbad_tests[];
extern const struct test remap_tests[];

/* number of operations of the long tests: DATATEST_OPS */
extern int ops_wanted;
extern bool is_lakefs;

/* name inside this test's directory; a few are valid at a time */
const char *path(const char *name);
/* unmount and mount again; no file may be open. False: not possible here */
bool remount(void);
/*
 * The file system's reflink, or -1 with EOPNOTSUPP; a copy where there is
 * none: what the tests expect can be checked anywhere.
 */
int clone_range(int from, uint64_t at, uint64_t len, int to, uint64_t pos);
/* blocks of the file that fiemap calls shared */
uint64_t shared_blocks(int fd);
/*
 * A way of writing to [pos, +len) of a file of 20 blocks of the pattern of
 * seed 5, and what is in it then (share.c). Way 2 takes whole blocks.
 */
#define SHARE_WAYS 6
void share_write(int fd, int way, uint64_t pos, uint64_t len);
void share_check(int fd, int way, uint64_t pos, uint64_t len);
/* a fast generator, one per process; begins with the test's own seed */
uint32_t rnd(void);
void rnd_seed(uint64_t seed);
/* bytes that depend on seed and position only */
void pattern(uint8_t *to, size_t bytes, uint64_t seed, uint64_t pos);
/* the file's bytes [pos, +bytes) are the pattern / are zero */
void check_pattern(int fd, uint64_t pos, size_t bytes, uint64_t seed);
void check_zero(int fd, uint64_t pos, size_t bytes);
void put_pattern(int fd, uint64_t pos, size_t bytes, uint64_t seed);
void *aligned(size_t bytes);
uint64_t file_size(int fd);

#endif
