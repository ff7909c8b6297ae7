// SPDX-License-Identifier: MPL-2.0
/*
 * What a name cache could get wrong: names that are there or not after every
 * kind of change, listings before and after the caches were dropped, many
 * entries, and all of it at once.
 */
#include "vfstest.h"
#include <sys/mount.h>
#include <sys/syscall.h>
#include <time.h>

#define LIST_MAX	8192

struct listed {
	char name[256];
	uint64_t ino;
	long where;
	int type;
};

struct listing {
	int count;
	struct listed of[LIST_MAX];
};

static struct listing first, second;

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct listed *)a)->name,
		      ((const struct listed *)b)->name);
}

static void list(const char *path, struct listing *l)
{
	struct dirent *de;
	DIR *d = opendir(path);

	CHECK(d);
	l->count = 0;
	while ((de = readdir(d))) {
		struct listed *e = &l->of[l->count];

		CHECK(l->count++ < LIST_MAX);
		snprintf(e->name, sizeof(e->name), "%s", de->d_name);
		e->ino = de->d_ino;
		e->type = de->d_type;
		e->where = telldir(d);
	}
	closedir(d);
	/* a lake keeps order and positions, others need not */
	if (fs_kind != FS_LAKE)
		qsort(l->of, l->count, sizeof(l->of[0]), by_name);
}

/* the same directory from memory and from what is stored */
static void same_after_forget(const char *path, int count)
{
	int i;

	list(path, &first);
	EQ(first.count, count + 2);
	drop_caches();
	list(path, &second);
	EQ(second.count, count + 2);
	for (i = 0; i < first.count; i++) {
		CHECK(!strcmp(first.of[i].name, second.of[i].name));
		EQ(first.of[i].ino, second.of[i].ino);
		EQ(first.of[i].type, second.of[i].type);
		if (fs_kind == FS_LAKE && i + 1 < first.count)
			EQ(first.of[i].where, second.of[i].where);
	}
}

static void make(const char *fmt, int i)
{
	char path[300];

	snprintf(path, sizeof(path), fmt, i);
	OK(close(OK(open(path, O_CREAT | O_EXCL | O_RDWR, 0644))));
}

static void drop(const char *fmt, int i)
{
	char path[300];

	snprintf(path, sizeof(path), fmt, i);
	OK(unlink(path));
}

static bool there(const char *path)
{
	struct stat st;

	if (!lstat(path, &st))
		return true;
	EQ(errno, ENOENT);
	return false;
}

static void test_cache_listing(void)
{
	char name[300];
	int i;

	OK(mkdir("d", 0755));
	for (i = 0; i < 60; i++)
		make("d/file-%d", i);
	for (i = 0; i < 60; i += 3)
		drop("d/file-%d", i);
	same_after_forget("d", 40);
	for (i = 1; i < 60; i += 3) {
		char to[300];

		snprintf(name, sizeof(name), "d/file-%d", i);
		snprintf(to, sizeof(to), "d/moved-%d", i);
		OK(rename(name, to));
	}
	same_after_forget("d", 40);
	OK(mkdir("d/dir", 0700));
	OK(symlink("file-1", "d/symlink"));
	OK(mkfifo("d/fifo", 0600));
	OK(link("d/fifo", "d/link"));
	OK(mknod("d/device", S_IFCHR | 0600, 0x103));
	memset(name, 'n', 2 + 255);
	memcpy(name, "d/", 2);
	name[257] = 0;
	put_file(name, "longest");
	same_after_forget("d", 46);
	OK(rmdir("d/dir"));
	OK(unlink(name));
	same_after_forget("d", 44);
}

/* each name is there exactly when it should be, remembered or not */
static void expect(const char *const *names, unsigned int mask)
{
	int i, round;

	for (round = 0; round < 2; round++) {
		for (i = 0; names[i]; i++)
			EQ(there(names[i]), !!(mask & 1u << i));
		drop_caches();
	}
	for (i = 0; names[i]; i++)
		EQ(there(names[i]), !!(mask & 1u << i));
}

static void test_cache_renames(void)
{
	static const char *const names[] = { "a/x", "a/y", "b/x", "b/y", NULL };
	uint64_t x, y;

	OK(mkdir("a", 0755));
	OK(mkdir("b", 0755));
	put_file("a/x", "x");
	expect(names, 1);
	OK(rename("a/x", "a/y"));
	expect(names, 2);
	OK(rename("a/y", "b/y"));
	expect(names, 8);
	put_file("a/y", "other");
	OK(rename("b/y", "a/y"));
	expect(names, 2);
	same_after_forget("a", 1);
	same_after_forget("b", 0);
	put_file("b/x", "second");
	ERR(syscall(SYS_renameat2, AT_FDCWD, "a/y", AT_FDCWD, "b/x",
		    1 /* NOREPLACE */), EEXIST);
	expect(names, 6);
	x = stat_of("b/x").st_ino;
	y = stat_of("a/y").st_ino;
	OK(syscall(SYS_renameat2, AT_FDCWD, "a/y", AT_FDCWD, "b/x",
		   2 /* EXCHANGE */));
	expect(names, 6);
	EQ(stat_of("a/y").st_ino, x);
	EQ(stat_of("b/x").st_ino, y);
	same_after_forget("a", 1);
	same_after_forget("b", 1);
	OK(syscall(SYS_renameat2, AT_FDCWD, "a/y", AT_FDCWD, "b/x",
		   4 /* WHITEOUT */));
	expect(names, 6);
	CHECK(S_ISCHR(stat_of("a/y").st_mode));
	EQ(stat_of("b/x").st_ino, x);
	same_after_forget("a", 1);
	same_after_forget("b", 1);
	OK(mkdir("a/x", 0755));
	OK(rename("a/x", "b/y"));
	expect(names, 14);
	OK(syscall(SYS_renameat2, AT_FDCWD, "b/y", AT_FDCWD, "a/y", 2));
	CHECK(S_ISDIR(stat_of("a/y").st_mode));
	same_after_forget("a", 1);
	same_after_forget("b", 2);
}

/* a name that was looked for in vain comes by every way there is */
static void test_cache_negative(void)
{
	static const char *const name[] = {
		"d/create", "d/mkdir", "d/mknod", "d/symlink", "d/link",
		"d/rename", "d/tmpfile", NULL
	};
	char proc[64];
	int i, fd, round;

	OK(mkdir("d", 0755));
	put_file("source", "");
	for (round = 0; round < 3; round++) {
		for (i = 0; name[i]; i++)
			CHECK(!there(name[i]));
		if (round == 1)
			drop_caches();
		put_file(name[0], "");
		OK(mkdir(name[1], 0755));
		OK(mknod(name[2], S_IFIFO | 0644, 0));
		OK(symlink("nowhere", name[3]));
		OK(link("source", name[4]));
		put_file("other", "");
		OK(rename("other", name[5]));
		fd = OK(open("d", O_TMPFILE | O_RDWR, 0644));
		snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
		OK(linkat(AT_FDCWD, proc, AT_FDCWD, name[6],
			  AT_SYMLINK_FOLLOW));
		close(fd);
		for (i = 0; name[i]; i++)
			CHECK(there(name[i]));
		same_after_forget("d", 7);
		for (i = 0; name[i]; i++) {
			if (i == 1)
				OK(rmdir(name[i]));
			else
				OK(unlink(name[i]));
			CHECK(!there(name[i]));
		}
		same_after_forget("d", 0);
	}
}

/* few entries stay while very many come and go */
static void test_cache_churn(void)
{
	int i;

	OK(mkdir("d", 0755));
	for (i = 0; i < 1000; i++) {
		make("d/name-of-something-%d", i);
		if (i >= 10)
			drop("d/name-of-something-%d", i - 10);
	}
	same_after_forget("d", 10);
	CHECK(there("d/name-of-something-995"));
	CHECK(!there("d/name-of-something-980"));
	for (i = 990; i < 1000; i++)
		drop("d/name-of-something-%d", i);
	same_after_forget("d", 0);
	make("d/%d", 1);
	same_after_forget("d", 1);
}

static void test_cache_huge(void)
{
	int i;

	OK(mkdir("d", 0755));
	for (i = 0; i < 3000; i++)
		make("d/%d", i);
	drop_caches();
	/* one name after the other, until the whole is read */
	for (i = 0; i < 1000; i++) {
		char path[32];

		make("d/more-%d", i);
		snprintf(path, sizeof(path), "d/%d", i * 7 % 4000);
		EQ(there(path), i * 7 % 4000 < 3000);
	}
	for (i = 0; i < 3000; i += 2)
		drop("d/%d", i);
	same_after_forget("d", 2500);
}

static void expect_content(const char *path, int i)
{
	char text[4200], got[4200];
	int fd, k, n = i % 5 ? i : 4096 + i % 100;

	fd = OK(open(path, O_RDONLY));
	memset(text, 'a' + i % 26, sizeof(text));
	EQ(read(fd, got, n), n);
	CHECK(!memcmp(text, got, n));
	for (k = 1; i % 50 == 7 && k < 12; k++) {
		EQ(pread(fd, got, 12, k * 16384), k < 11 ? 12 : 10);
		CHECK(!memcmp(text, got, 10));
	}
	close(fd);
}

/*
 * The content of files whose inodes came with others: opened at once (their
 * maps come along), or first looked at (they are asked for).
 */
static void test_cache_content(void)
{
	char path[64], text[4200];
	int i, fd, n, round;

	OK(mkdir("d", 0755));
	for (i = 0; i < 400; i++) {
		n = i % 5 ? i : 4096 + i % 100;
		memset(text, 'a' + i % 26, sizeof(text));
		snprintf(path, sizeof(path), "d/%d", i);
		fd = OK(open(path, O_CREAT | O_WRONLY, 0644));
		EQ(write(fd, text, n), n);
		/* a hole, or many pieces */
		for (int k = 1; i % 50 == 7 && k < 12; k++)
			EQ(pwrite(fd, text, 10, k * 16384), 10);
		close(fd);
	}
	for (round = 0; round < 2; round++) {
		drop_caches();
		sleep(2);
		EQ(count_names("d"), 400);
		for (i = 0; round && i < 400; i++) {
			snprintf(path, sizeof(path), "d/%d", i);
			stat_of(path);
		}
		for (i = 0; i < 400; i++) {
			snprintf(path, sizeof(path), "d/%d", i * 37 % 400);
			expect_content(path, i * 37 % 400);
		}
	}
}

/* links whose targets do not fit into one answer */
static void test_cache_symlinks(void)
{
	static char target[4096], got[4096];
	int n = fs_kind == FS_TMPFS ? 4000 : 4090, i;
	char path[64];

	OK(mkdir("d", 0755));
	memset(target, 't', n);
	for (i = 0; i < 120; i++) {
		snprintf(path, sizeof(path), "d/%d", i);
		target[0] = 'a' + i % 26;
		OK(symlink(target, path));
	}
	drop_caches();
	EQ(count_names("d"), 120);
	for (i = 0; i < 120; i++) {
		snprintf(path, sizeof(path), "d/%d", i);
		target[0] = 'a' + i % 26;
		EQ(readlink(path, got, sizeof(got)), n);
		CHECK(!memcmp(got, target, n));
	}
}

/* ---- without memory ---------------------------------------------------------- */

static void put_knob(const char *name, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/failslab/%s", name);
	fd = OK(open(path, O_WRONLY));
	EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void make_it_fail(bool yes)
{
	int fd;

	/* only kernels for debugging have it; without, nothing fails here */
	do {
		fd = open("/proc/self/make-it-fail", O_WRONLY);
		if (fd < 0 && errno == ENOENT)
			return;
	} while (fd < 0 || write(fd, yes ? "1" : "0", 1) < 0);
	close(fd);
}

/* until it succeeds; nothing but memory may be missing */
#define PERSIST(call) \
	do { \
		errno = 0; \
		if ((call) >= 0) \
			break; \
		EQ(errno, ENOMEM); \
	} while (1)

static void test_cache_no_memory(void)
{
	char path[64], to[64];
	struct stat st;
	int i, round;

	OK(mkdir("d", 0755));
	OK(mkdir("e", 0755));
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	if (!access("/sys/kernel/debug/failslab/probability", F_OK)) {
		put_knob("task-filter", "Y");
		put_knob("ignore-gfp-wait", "N");
		put_knob("verbose", "0");
		put_knob("interval", "1");
		put_knob("times", "-1");
		put_knob("probability", "8");
	}
	for (round = 0; round < 3; round++) {
		make_it_fail(true);
		for (i = 0; i < 200; i++) {
			snprintf(path, sizeof(path), "d/%d-%d", round, i);
			PERSIST(mknod(path, S_IFREG | 0644, 0));
			snprintf(to, sizeof(to), "e/%d-%d", round, i);
			if (i % 4 == 0)
				PERSIST(rename(path, to));
			else if (i % 4 == 1)
				PERSIST(link(path, to));
			else if (i % 4 == 2)
				PERSIST(unlink(path));
		}
		make_it_fail(false);
		drop_caches();
		make_it_fail(true);
		for (i = 0; i < 200; i++) {
			snprintf(path, sizeof(path), "d/%d-%d", round,
				 i * 7 % 200);
			do {
				errno = 0;
			} while (lstat(path, &st) && errno == ENOMEM);
			EQ(errno, i * 7 % 4 % 2 ? 0 : ENOENT);
		}
		make_it_fail(false);
		same_after_forget("d", 100 * (round + 1));
		same_after_forget("e", 100 * (round + 1));
	}
}

/* ---- all at once ----------------------------------------------------------- */

#define STORM_NAMES	40

/* one's own names are there exactly while they should be */
static void storm_worker(int who, int seconds)
{
	bool have[STORM_NAMES] = { false };
	time_t end = time(NULL) + seconds;
	unsigned int seed = who;
	char path[64], to[64];
	int i, k;

	while (time(NULL) < end) {
		i = rand_r(&seed) % STORM_NAMES;
		k = rand_r(&seed) % STORM_NAMES;
		snprintf(path, sizeof(path), "d/w%d-%d", who, i);
		snprintf(to, sizeof(to), "d/w%d-%d", who, k);
		EQ(there(path), have[i]);
		switch (rand_r(&seed) % 4) {
		case 0:
			if (!have[i])
				put_file(path, "x");
			have[i] = true;
			break;
		case 1:
			if (have[i])
				OK(unlink(path));
			have[i] = false;
			break;
		case 2:
			/* to another name of the same file does nothing */
			if (have[i] && !have[k]) {
				OK(rename(path, to));
				have[i] = false;
				have[k] = true;
			}
			break;
		default:
			if (have[i] && !have[k]) {
				OK(link(path, to));
				have[k] = true;
			}
		}
	}
	for (i = 0; i < STORM_NAMES; i++) {
		snprintf(path, sizeof(path), "d/w%d-%d", who, i);
		EQ(there(path), have[i]);
	}
}

static void storm_reader(int seconds)
{
	time_t end = time(NULL) + seconds;
	char path[300];
	struct stat st;

	while (time(NULL) < end) {
		DIR *d = opendir("d");
		struct dirent *de;
		int steady = 0;

		CHECK(d);
		while ((de = readdir(d))) {
			steady += !strncmp(de->d_name, "steady-", 7);
			snprintf(path, sizeof(path), "d/%s", de->d_name);
			if (lstat(path, &st))
				EQ(errno, ENOENT);
		}
		EQ(steady, 50);
		closedir(d);
	}
}

static void storm_dropper(int seconds)
{
	time_t end = time(NULL) + seconds;
	int fd = OK(open("/proc/sys/vm/drop_caches", O_WRONLY));

	while (time(NULL) < end)
		OK(write(fd, "2\n", 2));
	close(fd);
}

static void test_cache_storm(void)
{
	pid_t pid[6];
	int i, status, seconds = 5;

	OK(mkdir("d", 0755));
	for (i = 0; i < 50; i++)
		make("d/steady-%d", i);
	for (i = 0; i < 6; i++) {
		pid[i] = OK(fork());
		if (pid[i])
			continue;
		if (i < 3)
			storm_worker(i, seconds);
		else if (i < 5)
			storm_reader(seconds);
		else
			storm_dropper(seconds);
		_exit(0);
	}
	for (i = 0; i < 6; i++) {
		OK(waitpid(pid[i], &status, 0));
		EQ(status, 0);
	}
	same_after_forget("d", count_names("d"));
}

const struct test cache_tests[] = {
	{ "cache_listing", test_cache_listing },
	{ "cache_renames", test_cache_renames },
	{ "cache_negative", test_cache_negative },
	{ "cache_churn", test_cache_churn },
	{ "cache_huge", test_cache_huge },
	{ "cache_content", test_cache_content },
	{ "cache_symlinks", test_cache_symlinks },
	{ "cache_no_memory", test_cache_no_memory },
	{ "cache_storm", test_cache_storm },
	{ NULL, NULL }
};
