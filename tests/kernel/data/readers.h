/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Ways to read [pos, +len) of a file that holds the pattern of READ_SEED:
 * false with EIO (or SIGBUS), true with the right bytes; else the test fails.
 */
#ifndef READERS_H
#define READERS_H

#include "datatest.h"

#define READ_SEED	5
#define READERS		5

typedef bool (*reader)(int fd, uint64_t pos, uint64_t len);
extern const reader readers[READERS];

bool by_pread(int fd, uint64_t pos, uint64_t len);
/* pos, len and memory as far as the device takes it */
bool by_direct(int fd, uint64_t pos, uint64_t len);
bool by_direct_odd(int fd, uint64_t pos, uint64_t len);
bool by_mapping(int fd, uint64_t pos, uint64_t len);
bool by_splice(int fd, uint64_t pos, uint64_t len);

#endif
