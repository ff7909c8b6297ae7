// SPDX-License-Identifier: MPL-2.0
/*
 * SHARE while the files are in use: by readers of every kind, by programs
 * that run from them, by a writer. Whatever comes first, who uses a file finds
 * the file's own bytes.
 */
#include "sealing.h"
#include <signal.h>
#include <stdatomic.h>

#define BLOCKS	48
#define BYTES	(BLOCKS * BLOCK)
#define SEED	5

/* what a child and the test have in common */
struct common {
	_Atomic bool stop;
	_Atomic uint64_t done;
};

static struct common *begin_common(void)
{
	struct common *c = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(c != MAP_FAILED);
	return c;
}

static void check_alive(pid_t pid)
{
	int status;

	EQ(waitpid(pid, &status, WNOHANG), 0);
}

/* the child says on standard error what it found */
static void end_child(struct common *c, pid_t pid)
{
	int status;

	c->stop = true;
	OK(waitpid(pid, &status, 0));
	EQ(status, 0);
	CHECK(c->done > 0);
}

static void wrong(const char *who, uint64_t block)
{
	fprintf(stderr, "%s: %s finds other bytes in block %llu\n", test_name,
		who, (unsigned long long)block);
	_exit(1);
}

static int make_checked(const char *name, uint64_t bytes)
{
	int fd = OK(open(path(name), O_RDWR | O_CREAT | O_TRUNC, 0644));

	put_pattern(fd, 0, bytes, SEED);
	seal_checked(fd, 0, (bytes + BLOCK - 1) / BLOCK);
	return fd;
}

/* Everything still works when the daemon dies in a call: asked again. */
static bool asked(const struct seal_call *call)
{
	struct seal_answer a = seal_ask_call(call);

	if (a.error && a.error != EAGAIN && a.error != EBUSY &&
	    a.error != EINTR && a.error != ESTALE)
		fail_at(__FILE__, __LINE__, "op %u: %s", call->op,
			strerror(a.error));
	return !a.error;
}

/* ---- readers ------------------------------------------------------------- */

static void read_for_ever(struct common *c)
{
	int fd = OK(open(path("b"), O_RDONLY));
	int direct = OK(open(path("b"), O_RDONLY | O_DIRECT));
	uint8_t *map = mmap(NULL, BYTES, PROT_READ, MAP_SHARED, fd, 0);
	uint8_t *want = malloc(BYTES), *got = aligned(BLOCK);

	CHECK(map != MAP_FAILED);
	pattern(want, BYTES, SEED, 0);
	for (; !c->stop; c->done++) {
		uint64_t at = rnd() % BLOCKS;
		struct stat st;

		if (memcmp(map + at * BLOCK, want + at * BLOCK, BLOCK))
			wrong("a mapping", at);
		at = rnd() % BLOCKS;
		if (pread(fd, got, BLOCK, at * BLOCK) != BLOCK ||
		    memcmp(got, want + at * BLOCK, BLOCK))
			wrong("a read", at);
		at = rnd() % BLOCKS;
		if (pread(direct, got, BLOCK, at * BLOCK) != BLOCK ||
		    memcmp(got, want + at * BLOCK, BLOCK))
			wrong("a direct read", at);
		/* a file without blocks is taken for a hole by some */
		if (fstat(fd, &st) || st.st_blocks < (long)(BYTES / 512))
			wrong("stat", st.st_blocks);
		if (!(c->done % 16))
			posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	}
	_exit(0);
}

static void sharing_readers(void)
{
	int a = make_checked("a", BYTES), b = make_checked("b", BYTES);
	int other = make_checked("c", BYTES);
	struct common *c = begin_common();
	struct seal_call call;
	int shared = 0;
	pid_t pid;

	pid = OK(fork());
	if (!pid)
		read_for_ever(c);
	for (int i = 0; i < ops_wanted / 5 || c->done < 100; i++) {
		uint64_t at = rnd() % (BLOCKS - 8);

		check_alive(pid);
		/* all of it now and then, from one and from the other */
		call = i % 8 < 2 ? share_call_of(i % 2 ? a : other, b, 0,
						 BLOCKS) :
				   share_call_of(i % 2 ? a : other, b, at, 8);
		shared += asked(&call);
		usleep(rnd() % 2000);
	}
	end_child(c, pid);
	CHECK(shared > 10);
	check_pattern(b, 0, BYTES, SEED);
	close(a);
	close(b);
	close(other);
}

/* ---- programs ------------------------------------------------------------ */

static uint64_t copy_program(const char *name)
{
	int from = OK(open("/proc/self/exe", O_RDONLY));
	int to = OK(open(path(name), O_WRONLY | O_CREAT, 0755));
	char buffer[65536];
	uint64_t bytes = 0;
	ssize_t n;

	while ((n = OK(read(from, buffer, sizeof(buffer)))) > 0) {
		EQ(write(to, buffer, n), n);
		bytes += n;
	}
	close(from);
	close(to);
	return bytes;
}

/* Without arguments it says how it is used, and ends with 2. */
static void run_for_ever(struct common *c)
{
	int status, null = open("/dev/null", O_WRONLY);
	pid_t pid;

	for (; !c->stop; c->done++) {
		pid = fork();
		if (!pid) {
			dup2(null, 2);
			execl(path("b"), "b", NULL);
			_exit(1);
		}
		if (waitpid(pid, &status, 0) != pid ||
		    !WIFEXITED(status) || WEXITSTATUS(status) != 2)
			wrong("a program", status);
	}
	_exit(0);
}

static void sharing_programs(void)
{
	uint64_t blocks = (copy_program("a") + BLOCK - 1) / BLOCK;
	struct common *c = begin_common();
	struct seal_call call;
	int a, b, shared = 0;
	pid_t pid;

	copy_program("b");
	a = OK(open(path("a"), O_RDONLY));
	b = OK(open(path("b"), O_RDONLY));
	seal_checked(a, 0, blocks);
	seal_checked(b, 0, blocks);
	pid = OK(fork());
	if (!pid)
		run_for_ever(c);
	call = share_call_of(a, b, 0, blocks);
	for (int i = 0; i < 20 || c->done < 5; i++) {
		check_alive(pid);
		shared += asked(&call);
		usleep(20000);
	}
	end_child(c, pid);
	CHECK(shared > 5);
	EQ(shared_blocks(b), blocks);
	close(a);
	close(b);
}

/* ---- a writer ------------------------------------------------------------ */

/*
 * Both files have few different blocks, so that they are often equal. The
 * writer alone knows what each of them has at the moment.
 */
struct writer {
	const char *names[2];
	uint8_t model[2][BLOCKS];	/* seed of each block */
	int fds[2], direct[2];
	uint8_t *maps[2];
	uint8_t *block, *want;
};

static void write_block(struct writer *w, int file, uint64_t at, int how,
			uint8_t seed)
{
	uint64_t pos = at * BLOCK;

	pattern(w->block, BLOCK, seed, pos);
	w->model[file][at] = seed;
	if (how == 1)
		memcpy(w->maps[file] + pos, w->block, BLOCK);
	else if (pwrite(how ? w->direct[file] : w->fds[file], w->block, BLOCK,
			pos) != BLOCK)
		wrong("a write", at);
}

static void look_at_block(struct writer *w, int file, uint64_t at, int how)
{
	const uint8_t *got = w->block;

	pattern(w->want, BLOCK, w->model[file][at], at * BLOCK);
	if (how == 1)
		got = w->maps[file] + at * BLOCK;
	else if (pread(how ? w->direct[file] : w->fds[file], w->block, BLOCK,
		       at * BLOCK) != BLOCK)
		wrong("a look", at);
	if (memcmp(got, w->want, BLOCK))
		wrong(w->names[file], at);
}

static void open_writer(struct writer *w)
{
	for (int f = 0; f < 2; f++) {
		w->fds[f] = OK(open(path(w->names[f]), O_RDWR));
		w->direct[f] = OK(open(path(w->names[f]), O_RDWR | O_DIRECT));
		w->maps[f] = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
				  MAP_SHARED, w->fds[f], 0);
		CHECK(w->maps[f] != MAP_FAILED);
		memset(w->model[f], SEED, BLOCKS);
	}
	w->block = aligned(BLOCK);
	w->want = aligned(BLOCK);
}

static void write_for_ever(struct common *c)
{
	struct writer w = { .names = { "a", "b" } };
	uint64_t at;

	open_writer(&w);
	rnd_seed(77);
	for (; !c->stop; c->done++) {
		uint8_t seed = SEED + rnd() % 2;
		int how = rnd() % 3, first = rnd() % 2;

		/* most often to both, and equal in between */
		at = rnd() % BLOCKS;
		write_block(&w, first, at, how, seed);
		look_at_block(&w, !first, at, rnd() % 3);
		if (rnd() % 8)
			write_block(&w, !first, at, rnd() % 3, seed);
		for (int i = 0; i < 4; i++)
			look_at_block(&w, rnd() % 2, rnd() % BLOCKS,
				      rnd() % 3);
		if (!(rnd() % 8))
			fdatasync(w.fds[rnd() % 2]);
		/* sealing needs a quiet moment */
		if (c->done % 16 == 15)
			usleep(60000);
	}
	for (int f = 0; f < 2; f++)
		posix_fadvise(w.fds[f], 0, 0, POSIX_FADV_DONTNEED);
	for (at = 0; at < BLOCKS; at++)
		for (int f = 0; f < 2; f++)
			look_at_block(&w, f, at, rnd() % 3);
	_exit(0);
}

/*
 * False: a write came in between. What is durable is applied: the daemon
 * writes checksums of what it knows to be sealed.
 */
static bool try_checked(int fd, uint64_t at, uint64_t n)
{
	struct seal_call call = seal_call_of(fd, SEAL_CALL_SEAL, at, n);

	OK(fsync(fd));
	if (!asked(&call))
		return false;
	OK(fsync(fd));
	call.op = SEAL_CALL_SUMS;
	if (!asked(&call))
		return false;
	call.op = SEAL_CALL_CHECKED;
	return asked(&call);
}

/*
 * Equal when looked at, which is after the number was taken: so they were
 * equal as of it, or the kernel refuses.
 */
static bool share_if_equal(int src, int dst, uint64_t at, uint64_t n)
{
	static uint8_t one[BYTES], two[BYTES];
	struct seal_call call = share_call_of(src, dst, at, n);
	struct seal_answer a;

	a = seal_ask(src, SEAL_CALL_WHERE, at, 1);
	call.map_seq = a.map_seq;
	EQ(pread(src, one, n * BLOCK, at * BLOCK), n * BLOCK);
	EQ(pread(dst, two, n * BLOCK, at * BLOCK), n * BLOCK);
	return !memcmp(one, two, n * BLOCK) && asked(&call);
}

static void sharing_writer(void)
{
	int a = make_checked("a", BYTES), b = make_checked("b", BYTES);
	struct common *c = begin_common();
	int shared = 0;
	pid_t pid;

	pid = OK(fork());
	if (!pid)
		write_for_ever(c);
	for (int i = 0; i < ops_wanted / 5 || c->done < 200; i++) {
		uint64_t at = rnd() % BLOCKS, n = 1 + rnd() % 4;
		int src = rnd() % 2 ? a : b, dst = src == a ? b : a;

		check_alive(pid);
		if (at + n > BLOCKS)
			n = BLOCKS - at;
		if (try_checked(src, at, n) && try_checked(dst, at, n))
			shared += share_if_equal(src, dst, at, n);
	}
	end_child(c, pid);
	CHECK(shared > 5);
	close(a);
	close(b);
}

const struct test sharerace_tests[] = {
	{ "seal_share_readers", sharing_readers, false },
	{ "seal_share_programs", sharing_programs, false },
	{ "seal_share_writer", sharing_writer, false },
	{ NULL, NULL, false }
};
