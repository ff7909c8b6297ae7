/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Fuzzers of what lakefs.ko takes from outside: ioctls, the daemon's file,
 * netlink, superblocks. All is drawn from one seed. No answer is expected;
 * what must not happen (an oops, a warning, a hang, a leak) the guest's
 * script and qemu/vm see.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Not by including proto/: its types and those of <linux/...> exclude each
 * other. contract.c knows proto/ for those who need <linux/...>.
 */
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

void random_seed(u64 seed);
u64 random_next(void);
u64 random_below(u64 n);
/* limits, signs and sizes rather than evenly spread numbers */
u64 random_odd(void);
/* random, odd, zero or ones */
void random_fill(void *buf, size_t bytes);

/*
 * Where a call's argument points: proper memory (random_fill), its last bytes
 * before a page that is not there, memory that cannot be written, nowhere.
 */
#define ARG_BYTES	(64u << 10)
void args_init(void);
void *arg_valid(void);			/* ARG_BYTES that can be read, written */
unsigned long arg_pointer(size_t bytes);

/* contract.c */
extern const unsigned long contract_calls[];
extern const size_t contract_call_count;
extern const unsigned long contract_shutdown;
extern const char contract_genl_name[];
extern const u16 contract_genl_attr_max;
bool contract_fill(unsigned long cmd, void *arg);

int hostile_ioctls(int argc, char **argv);
int hostile_daemon(int argc, char **argv);
int hostile_netlink(int argc, char **argv);
int hostile_image(int argc, char **argv);

#endif /* HOSTILE_H */
