/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What vfstest and datatest share: tests that run one by one, each in a child
 * process and with a fresh directory of its own; the first check that does not
 * hold ends it and tells why.
 */
#ifndef TESTFRAME_H
#define TESTFRAME_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

struct test {
	const char *name;
	void (*run)(void);
	bool alone;			/* needs the device: fills it, remounts */
};

/* how the tests of a program are run */
struct frame {
	const struct test *const *lists;	/* NULL at the end; so each list */
	char *const *names;	/* only tests that begin with one; empty: all */
	bool no_alone;		/* leave out those that are alone */
	bool keep;		/* what tests made stays */
	unsigned int seconds;	/* limit of one test */
	void (*begin)(void);	/* first thing in the child */
};

/* where the tests' directories are made; set before run_tests() */
extern char top_dir[PATH_MAX];
/* of the test that runs: its name, its directory */
extern const char *test_name;
extern char test_dir[PATH_MAX + 64];

/*
 * One line each on standard output, "pass NAME" or "fail NAME: reason"; the
 * times and the sum on standard error. Returns how many failed.
 */
int run_tests(const struct frame *frame);

/* end the test; printed as its reason */
void fail_at(const char *file, int line, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));
/* clean pages, dentries and inodes are forgotten (dirty ones written first) */
void drop_caches(void);

#define CHECK(cond) \
	do { \
		if (!(cond)) \
			fail_at(__FILE__, __LINE__, "not true: %s", #cond); \
	} while (0)
/* integers, printed when they differ */
#define EQ(a, b) \
	do { \
		long long a_ = (long long)(a), b_ = (long long)(b); \
		if (a_ != b_) \
			fail_at(__FILE__, __LINE__, "%s is %lld, not %lld", \
				#a, a_, b_); \
	} while (0)
/* a call that has to succeed (>= 0); gives its value */
#define OK(call) \
	({ \
		long long r_ = (long long)(call); \
		if (r_ < 0) \
			fail_at(__FILE__, __LINE__, "%s: %s", #call, \
				strerror(errno)); \
		r_; \
	})
/* a call that has to fail with this errno */
#define ERR(call, want) \
	do { \
		errno = 0; \
		if ((long long)(call) >= 0) \
			fail_at(__FILE__, __LINE__, \
				"%s succeeded, not %s", #call, #want); \
		if (errno != (want)) \
			fail_at(__FILE__, __LINE__, "%s: %s, not %s", #call, \
				strerror(errno), #want); \
	} while (0)

#endif /* TESTFRAME_H */
