// SPDX-License-Identifier: MPL-2.0
/*
 * datatest [--dev DEVICE --type TYPE] DIR [NAME...]: runs all tests, or those
 * whose names begin with one of NAME, in DIR. With --dev, DIR is where that
 * device is mounted, and tests may unmount and mount it again. One line each,
 * "pass NAME" or "fail NAME: reason"; exit status 1 when any failed.
 */
#include "datatest.h"
#include <ftw.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <time.h>

int ops_wanted = 3000;
bool is_lakefs;
static char top_dir[PATH_MAX - 300];
static const char *device, *fs_type, *test_name;
static int reason_fd;
static uint64_t rnd_state;

void fail_at(const char *file, int line, const char *fmt, ...)
{
	const char *base = strrchr(file, '/');
	char text[512];
	va_list args;
	int n;

	n = snprintf(text, sizeof(text), "%s:%d: ", base ? base + 1 : file,
		     line);
	va_start(args, fmt);
	vsnprintf(text + n, sizeof(text) - n, fmt, args);
	va_end(args);
	if (write(reason_fd, text, strlen(text)) < 0)
		_exit(3);
	_exit(1);
}

const char *path(const char *name)
{
	static char names[8][PATH_MAX];
	static int next;
	char *to = names[next++ % 8];

	snprintf(to, PATH_MAX, "%s/t-%s/%s", top_dir, test_name, name);
	return to;
}

void drop_caches(void)
{
	int fd;

	sync();
	fd = OK(open("/proc/sys/vm/drop_caches", O_WRONLY));
	OK(write(fd, "3\n", 2));
	close(fd);
}

bool remount(void)
{
	if (!device)
		return false;
	OK(umount(top_dir));
	OK(mount(device, top_dir, fs_type, 0, ""));
	return true;
}

/* splitmix64: any seed is a good one */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

void rnd_seed(uint64_t seed)
{
	rnd_state = mix(seed + 1);
}

uint32_t rnd(void)
{
	return mix(rnd_state += 0x9e3779b97f4a7c15ull) >> 32;
}

void pattern(uint8_t *to, size_t bytes, uint64_t seed, uint64_t pos)
{
	uint64_t word = 0;

	for (size_t i = 0; i < bytes; i++, pos++) {
		if (!i || !(pos & 7))	/* the same however it is cut */
			word = mix(seed * 0x9e3779b97f4a7c15ull + (pos >> 3));
		to[i] = word >> (8 * (pos & 7)) | 1;	/* never zero */
	}
}

void put_pattern(int fd, uint64_t pos, size_t bytes, uint64_t seed)
{
	uint8_t *buffer = malloc(bytes);

	pattern(buffer, bytes, seed, pos);
	EQ(pwrite(fd, buffer, bytes, pos), bytes);
	free(buffer);
}

static void check_bytes(int fd, uint64_t pos, size_t bytes,
			const uint8_t *want)
{
	uint8_t *got = malloc(bytes + 1);

	EQ(pread(fd, got, bytes, pos), bytes);
	for (size_t i = 0; i < bytes; i++)
		if (got[i] != want[i])
			fail_at(__FILE__, __LINE__,
				"byte %llu is %02x, not %02x",
				(unsigned long long)(pos + i), got[i],
				want[i]);
	free(got);
}

void check_pattern(int fd, uint64_t pos, size_t bytes, uint64_t seed)
{
	uint8_t *want = malloc(bytes + 1);

	pattern(want, bytes, seed, pos);
	check_bytes(fd, pos, bytes, want);
	free(want);
}

void check_zero(int fd, uint64_t pos, size_t bytes)
{
	uint8_t *want = calloc(1, bytes + 1);

	check_bytes(fd, pos, bytes, want);
	free(want);
}

void *aligned(size_t bytes)
{
	void *p;

	CHECK(!posix_memalign(&p, BLOCK, bytes));
	return p;
}

uint64_t file_size(int fd)
{
	struct stat st;

	OK(fstat(fd, &st));
	return st.st_size;
}

static int remove_one(const char *name, const struct stat *st, int type,
		      struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(name);
}

/* Returns true when it passed. */
static bool run_test(const struct test *t)
{
	char dir[PATH_MAX], reason[600];
	int fds[2], status, got = 0, n;
	time_t began = time(NULL);
	pid_t pid;

	test_name = t->name;
	snprintf(dir, sizeof(dir), "%s/t-%s", top_dir, t->name);
	if (mkdir(dir, 0755) || pipe(fds)) {
		printf("fail %s: cannot begin: %s\n", t->name,
		       strerror(errno));
		return false;
	}
	fflush(stdout);
	pid = fork();
	if (!pid) {
		close(fds[0]);
		reason_fd = fds[1];
		rnd_seed(strlen(t->name) * 1000 + t->name[0]);
		alarm(1500);
		t->run();
		_exit(0);
	}
	close(fds[1]);
	while (got < (int)sizeof(reason) - 1 &&
	       (n = read(fds[0], reason + got, sizeof(reason) - 1 - got)) > 0)
		got += n;
	reason[got] = 0;
	close(fds[0]);
	waitpid(pid, &status, 0);
	fprintf(stderr, "%s: %ld s\n", t->name, (long)(time(NULL) - began));
	if (nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) && !status) {
		printf("fail %s: cannot remove its directory: %s\n", t->name,
		       strerror(errno));
		return false;
	}
	if (!status) {
		printf("pass %s\n", t->name);
		return true;
	}
	printf("fail %s: %s (status %x)\n", t->name, reason, status);
	return false;
}

static bool wanted(const struct test *t, char **names)
{
	if (t->alone && !device)
		return false;
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strncmp(t->name, *names, strlen(*names)))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	static const struct test *const all[] = {
		tail_tests, direct_tests, many_tests, model_tests,
		space_tests, NULL
	};
	const struct test *const *list, *t;
	int passed = 0, failed = 0;
	struct statfs sf;

	if (getenv("DATATEST_OPS"))
		ops_wanted = atoi(getenv("DATATEST_OPS"));
	for (; argc > 2 && !strncmp(argv[1], "--", 2); argc -= 2, argv += 2)
		*(strcmp(argv[1], "--dev") ? &fs_type : &device) = argv[2];
	if (argc < 2 || strlen(argv[1]) >= sizeof(top_dir) ||
	    statfs(argv[1], &sf) || (device && !fs_type)) {
		fprintf(stderr, "usage: datatest [--dev DEVICE --type TYPE] "
			"DIR [NAME...]\n");
		return 2;
	}
	strcpy(top_dir, argv[1]);
	is_lakefs = sf.f_type == 0x4c414b45;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (list = all; *list; list++)
		for (t = *list; t->name; t++)
			if (wanted(t, argv + 2)) {
				if (run_test(t))
					passed++;
				else
					failed++;
			}
	fprintf(stderr, "%d passed, %d failed\n", passed, failed);
	return failed ? 1 : 0;
}
