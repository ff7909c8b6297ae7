// SPDX-License-Identifier: MPL-2.0
/*
 * nomem DIR [--second DEVICE] [NAME...]: one line each on standard output,
 * "pass NAME" or "fail NAME: reason"; exit status 1 when any failed.
 */
#include "nomem.h"

#define OPS_MAX		80
#define FAULTS_MAX	3000

const char *second_device;
static const struct op *ops[OPS_MAX];
static struct test tests[OPS_MAX + 1];

char pattern(long at)
{
	return 'a' + (at * 7 + at / 4096) % 26;
}

void put_pattern(const char *path, long bytes)
{
	char *buf = malloc(bytes + 1);
	int fd = OK(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
	long i;

	CHECK(buf);
	for (i = 0; i < bytes; i++)
		buf[i] = pattern(i);
	EQ(write(fd, buf, bytes), bytes);
	OK(fsync(fd));
	close(fd);
	free(buf);
}

bool has_pattern(const char *path, long from, long to)
{
	char *buf = malloc(to - from);
	int fd = OK(open(path, O_RDONLY));
	long i;

	CHECK(buf);
	EQ(pread(fd, buf, to - from, from), to - from);
	close(fd);
	for (i = from; i < to && buf[i - from] == pattern(i); i++)
		;
	free(buf);
	return i == to;
}

/* ---- the N-th allocation from now on fails ------------------------------------ */

static int nth_fd = -1;

static void arm(int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", n);

	EQ(pwrite(nth_fd, text, len, 0), len);
}

/* Was there an N-th? */
static bool disarm(void)
{
	char text[16] = "";

	OK(pread(nth_fd, text, sizeof(text) - 1, 0));
	arm(0);
	return atoi(text) == 0;
}

static void expect(const struct op *op, int n, int err)
{
	if (err && err != -ENOMEM && err != op->also)
		fail_at(__FILE__, __LINE__, "failure %d: %s", n,
			strerror(-err));
}

static void run_op(void)
{
	const struct op *op = NULL;
	int i, n, err, failed = 0;
	bool was;

	for (i = 0; ops[i]; i++)
		if (!strcmp(ops[i]->name, test_name))
			op = ops[i];
	for (n = 1; n < FAULTS_MAX; n++) {
		op->prepare();
		if (op->cold)
			drop_caches();
		arm(n);
		err = op->run();
		was = disarm();
		expect(op, n, err);
		if (err) {
			failed++;
			err = op->run();
			if (err && err != op->done)
				fail_at(__FILE__, __LINE__,
					"again after failure %d: %s", n,
					strerror(-err));
		}
		if (op->check)
			op->check();
		if (!was)
			break;
	}
	CHECK(n > 1 && n < FAULTS_MAX);
	fprintf(stderr, "%s: %d allocations, %d of which it needs\n",
		test_name, n - 1, failed);
}

static void begin(void)
{
	umask(022);
	if (chdir(test_dir))
		_exit(2);
	nth_fd = open("/proc/self/fail-nth", O_RDWR);
	if (nth_fd < 0)
		_exit(2);
}

static int add_ops(int n, const struct op *list)
{
	for (; list->name; list++, n++) {
		ops[n] = list;
		tests[n].name = list->name;
		tests[n].run = run_op;
	}
	return n;
}

int main(int argc, char **argv)
{
	static const struct test *const all[] = { tests, NULL };
	struct frame frame = {
		.lists = all, .seconds = 1500, .begin = begin,
	};
	char **names = argv + 2;
	int n = 0;

	if (argc > 3 && !strcmp(argv[2], "--second")) {
		second_device = argv[3];
		names += 2;
	}
	if (argc < 2 || !realpath(argv[1], top_dir)) {
		fprintf(stderr, "usage: nomem DIR [--second DEVICE] [NAME...]\n");
		return 2;
	}
	if (access("/proc/self/fail-nth", W_OK)) {
		fprintf(stderr, "nomem: this kernel has no fail-nth\n");
		return 2;
	}
	frame.names = names;
	n = add_ops(n, name_ops);
	n = add_ops(n, data_ops);
	if (second_device)
		n = add_ops(n, mount_ops);
	return run_tests(&frame) ? 1 : 0;
}
