// SPDX-License-Identifier: MPL-2.0
/*
 * fakelaked: a daemon that speaks the ring protocol, for testing lakefs.ko
 * without laked.
 *
 *   fakelaked mkfs FILE [BYTES]
 *   fakelaked damage FILE incompat|version|layout|sums|sum|sum-a
 *   fakelaked run [--log FILE] [--pid FILE] [--die-after N] [--spin US]
 *                 [--evil WHAT]
 *                 [--garble SEED] [--seals SOCKET]
 *
 * "run" serves one attachment after the other, each in a child of its own
 * that starts from the log (a killed child is replaced at once). It checks
 * each intent against its tree and fails the mount when they do not agree:
 * it is a judge of the module as much as its server.
 *
 * --spin US: look for US microseconds before sleeping, as laked does.
 * --die-after N: every child kills itself after N intents.
 * --evil WHAT: the first child breaks the protocol after 20 intents:
 *   tail, head, len, tag (in the rings), abi, stale (when it attaches).
 * --seals SOCKET: tests ask there for sealing and sharing (seals.c).
 * --garble SEED: answers are spoilt (garble.c), and intents, which then make
 *   no sense, are not judged.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "fake.h"

/* <sys/prctl.h> brings types that clash with those of proto/ */
int prctl(int option, ...);
#define PR_SET_PDEATHSIG 1

struct fake_state fake;

static struct {
	const char *log, *pid, *evil, *seals;
	u64 die_after, spin_us;
	u64 garble;
} opt = { .log = "/tmp/fakelaked.log", .evil = "" };

static int chan;
static volatile struct lakefs_kpage *k;
static volatile struct lakefs_dpage *d;
static u8 *intents, *requests, *replies;
static u64 intent_tail, request_tail, reply_head, taken;
static struct lakefs_sb sb;
static time_t dirty_since;

void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fprintf(stderr, "fakelaked[%d]: ", getpid());
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static void fail_mount(const char *why, u64 seq)
{
	struct lakefs_fail f = { .error = -EUCLEAN };

	snprintf((char *)f.reason, sizeof(f.reason), "seq %lu: %s", seq, why);
	ioctl(chan, LAKEFS_IOC_FAIL, &f);
	die("FAIL: seq %lu: %s", seq, why);
}

static bool evil(const char *what)
{
	return !strcmp(opt.evil, what) && taken >= 20;
}

static void kick(void)
{
	if (ioctl(chan, LAKEFS_IOC_KICK) && errno != EPROTO && errno != EIO &&
	    errno != ESTALE)
		die("KICK: %m");
}

static void commit(void)
{
	static u8 block[4096] __attribute__((aligned(4096)));
	static u64 frame;
	struct lakefs_commit c = {
		.addr = (u64)(uintptr_t)block,
		.offset = (sb.wal.start_block + frame++ % sb.wal.blocks) *
			  LAKEFS_BLOCK_SIZE,
		.len = sizeof(block),
		.durable_seq = fake.applied_seq,
	};

	log_write();
	dirty_since = 0;
	if (ioctl(chan, LAKEFS_IOC_COMMIT, &c)) {
		if (errno == EIO)
			return;		/* shut down */
		die("COMMIT: %m");
	}
	fake.durable_seq = c.durable_seq;
	space_durable(c.durable_seq);
}

/* Not by the pid: a child with a thread has an even one each time. */
static bool toss(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_nsec >> 10 & 1;
}

static void take_intent(const struct lakefs_intent_hdr *hdr)
{
	const char *wrong;

	if (hdr->seq <= fake.applied_seq)
		return;
	if (hdr->seq != fake.applied_seq + 1)
		fail_mount("a gap in the sequence", hdr->seq);
	wrong = tree_apply(hdr);
	if (wrong && !opt.garble)
		fail_mount(wrong, hdr->seq);
	log_add(hdr, hdr->len);
	fake.applied_seq = hdr->seq;
	if (!dirty_since)
		dirty_since = time(NULL);
	if (++taken == opt.die_after) {
		/* half of them die between the log and the COMMIT */
		if (toss())
			log_write();
		kill(getpid(), SIGKILL);
	}
}

static bool take_intents(void)
{
	static union {
		struct lakefs_intent_hdr hdr;
		u8 bytes[LAKEFS_INTENT_MAX];
	} e;
	u64 head = __atomic_load_n(&k->intent_head, __ATOMIC_ACQUIRE);
	bool any = head != intent_tail;

	while (intent_tail != head) {
		u64 at = intent_tail % LAKEFS_INTENT_RING_BYTES;
		u32 len = ((struct lakefs_intent_hdr *)(intents + at))->len;

		if (len < 8 || len > LAKEFS_INTENT_RING_BYTES - at)
			fail_mount("bad length in the intent ring", 0);
		if (((struct lakefs_intent_hdr *)(intents + at))->op) {
			memcpy(&e, intents + at, len);
			take_intent(&e.hdr);
		}
		intent_tail += len;
		if (intent_tail == head || intent_tail % 65536 < len)
			__atomic_store_n(&d->intent_tail, intent_tail,
					 __ATOMIC_RELEASE);
	}
	__atomic_store_n(&d->applied_seq, fake.applied_seq, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (k->last_seq > k->sent_seq) {
		kick();
		any = true;
	}
	return any;
}

static void put_reply(u64 tag, const struct answer *a)
{
	struct lakefs_reply_hdr hdr = {
		.len = (sizeof(hdr) + a->bytes + 7) & ~7u,
		.payload_bytes = a->bytes,
		.tag = tag, .status = a->status, .flags = a->flags,
	};
	u64 at = reply_head % LAKEFS_REPLY_RING_BYTES;
	u64 to_end = LAKEFS_REPLY_RING_BYTES - at;
	u64 need = hdr.len <= to_end ? hdr.len : hdr.len + to_end;

	while (reply_head + need - k->reply_tail > LAKEFS_REPLY_RING_BYTES) {
		__atomic_store_n(&d->reply_head, reply_head, __ATOMIC_RELEASE);
		kick();
		if (k->state != LAKEFS_CHAN_RUNNING)
			exit(0);
	}
	if (hdr.len > to_end) {
		struct lakefs_reply_hdr pad = {
			.len = to_end, .tag = LAKEFS_REPLY_TAG_PAD,
		};

		memcpy(replies + at, &pad,
		       to_end < sizeof(pad) ? to_end : sizeof(pad));
		reply_head += to_end;
		at = 0;
	}
	if (evil("len"))
		hdr.len = 20;
	memcpy(replies + at, &hdr, sizeof(hdr));
	memcpy(replies + at + sizeof(hdr), a->payload, a->bytes);
	reply_head += evil("len") ? 24 : hdr.len;
}

static void take_request(const struct lakefs_request_hdr *hdr)
{
	static struct answer a;

	take_intents();
	if (hdr->barrier > fake.applied_seq)
		fail_mount("a request before its barrier", hdr->barrier);
	if (hdr->op == LAKEFS_R_UNMOUNT && fake.applied_seq > fake.durable_seq)
		commit();
	request_answer(hdr, &a);
	if (opt.garble)
		garble(hdr->op, &a);
	if (evil("tag")) {
		put_reply(hdr->tag + 1000000, &a);
		put_reply(hdr->tag, &a);
	}
	put_reply(hdr->tag, &a);
}

static bool take_requests(void)
{
	static union {
		struct lakefs_request_hdr hdr;
		u8 bytes[LAKEFS_REQUEST_MAX];
	} e;
	u64 head = __atomic_load_n(&k->request_head, __ATOMIC_ACQUIRE);
	bool any = head != request_tail;

	while (request_tail != head) {
		u64 at = request_tail % LAKEFS_REQUEST_RING_BYTES;
		u32 len = ((struct lakefs_request_hdr *)(requests + at))->len;

		if (len < 8 || len > LAKEFS_REQUEST_RING_BYTES - at)
			fail_mount("bad length in the request ring", 0);
		request_tail += len;
		if (!((struct lakefs_request_hdr *)(requests + at))->op)
			continue;
		if (len > sizeof(e))
			fail_mount("a request too long", 0);
		memcpy(&e, requests + at, len);
		take_request(&e.hdr);
	}
	if (any) {
		__atomic_store_n(&d->request_tail, request_tail,
				 __ATOMIC_RELEASE);
		__atomic_store_n(&d->reply_head, reply_head, __ATOMIC_RELEASE);
		if (evil("tail"))
			d->intent_tail = intent_tail + (1 << 21);
		if (evil("head"))
			d->reply_head = reply_head + (1 << 21);
		kick();
	}
	return any;
}

static bool must_commit(void)
{
	return k->wanted_seq > fake.durable_seq &&
	       fake.applied_seq > fake.durable_seq;
}

/* a little patience before sleeping; true when something came */
static bool spin(void)
{
	struct timespec t;
	u64 end = 0, now;

	do {
		if (__atomic_load_n(&k->intent_head, __ATOMIC_ACQUIRE) !=
		    intent_tail ||
		    __atomic_load_n(&k->request_head, __ATOMIC_ACQUIRE) !=
		    request_tail || must_commit())
			return true;
		clock_gettime(CLOCK_MONOTONIC, &t);
		now = t.tv_sec * 1000000ull + t.tv_nsec / 1000;
		if (!end)
			end = now + opt.spin_us;
	} while (now < end);
	return false;
}

/* until the mount is gone */
static void serve(void)
{
	struct pollfd p = { .fd = chan, .events = POLLIN };

	for (;;) {
		bool any;

		seals_lock();
		any = take_intents();
		any |= take_requests();
		if (must_commit() ||
		    (dirty_since && time(NULL) > dirty_since + 2)) {
			commit();
			any = true;
		}
		seals_unlock();
		if (any || (opt.spin_us && spin()))
			continue;
		d->sleeping = 1;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		poll(&p, 1, dirty_since ? 1000 : -1);
		d->sleeping = 0;
		if (p.revents & (POLLHUP | POLLERR))
			return;
	}
}

/* Reads its superblock; the device stays open, for seals.c. */
static int open_device(const struct lakefs_wanted *w)
{
	static struct lakefs_sb buffer __attribute__((aligned(4096)));
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/fakelaked.%d", getpid());
	mknod(path, S_IFBLK | 0600, makedev(w->dev_major, w->dev_minor));
	fd = open(path, (opt.seals ? O_RDWR : O_RDONLY) | __O_DIRECT | O_CLOEXEC);
	unlink(path);
	if (fd < 0 || pread(fd, &buffer, sizeof(sb), LAKEFS_SB_A_BLOCK *
			    LAKEFS_BLOCK_SIZE) != sizeof(sb))
		die("cannot read the superblock");
	sb = buffer;
	if (memcmp(sb.uuid, w->uuid, sizeof(sb.uuid)))
		die("the device is not the wanted one");
	return fd;
}

static void declare(u64 durable_seq)
{
	static struct lakefs_declared out[65536];
	struct lakefs_declare arg = {
		.addr = (u64)(uintptr_t)out, .max = 65536,
		.durable_seq = durable_seq,
	};

	if (ioctl(chan, LAKEFS_IOC_DECLARE, &arg) || arg.count > arg.max)
		die("DECLARE: %m");
	for (u64 i = 0; i < arg.count; i++) {
		if (out[i].kind == LAKEFS_DECLARE_BLOCKS)
			space_leased(out[i].start, out[i].count);
		else if (out[i].kind == LAKEFS_DECLARE_INOS &&
			 out[i].start + out[i].count > tree_next_ino)
			tree_next_ino = out[i].start + out[i].count;
	}
}

static void map_rings(void)
{
	u8 *ro = mmap(NULL, LAKEFS_RO_BYTES, PROT_READ, MAP_SHARED, chan,
		      LAKEFS_MMAP_RO);
	u8 *rw = mmap(NULL, LAKEFS_RW_BYTES, PROT_READ | PROT_WRITE,
		      MAP_SHARED, chan, LAKEFS_MMAP_RW);

	if (ro == MAP_FAILED || rw == MAP_FAILED)
		die("mmap: %m");
	k = (void *)ro;
	d = (void *)rw;
	intents = ro + LAKEFS_RING_PAGE;
	requests = intents + LAKEFS_INTENT_RING_BYTES;
	replies = rw + LAKEFS_RING_PAGE;
	if (k->magic != LAKEFS_RING_MAGIC)
		die("bad magic of the ring");
}

/* one attachment, from the log on */
static void child(void)
{
	struct lakefs_wanted w = { 0 };
	struct lakefs_attach a = { .abi_version = LAKEFS_ABI_VERSION };
	struct lakefs_ready r;
	struct pollfd p = { .events = POLLIN };
	int device;

	chan = p.fd = open("/dev/lakefs", O_RDWR | O_CLOEXEC);
	if (chan < 0)
		die("/dev/lakefs: %m");
	while (ioctl(chan, LAKEFS_IOC_NEXT_WANTED, &w))
		poll(&p, 1, -1);
	device = open_device(&w);
	a.dev_major = w.dev_major;
	a.dev_minor = w.dev_minor;
	if (!strcmp(opt.evil, "abi"))
		a.abi_version = 99;
	if (ioctl(chan, LAKEFS_IOC_ATTACH, &a))
		die("ATTACH: %m (the kernel has ABI %u)", a.abi_version);
	space_init(sb.data.start_block, sb.data.blocks);
	tree_init();
	log_open(opt.log);
	log_replay();
	map_rings();
	if (a.epoch)
		declare(fake.durable_seq);
	space_strict = true;
	r.epoch = fake.epoch;
	r.durable_seq = fake.durable_seq - !strcmp(opt.evil, "stale");
	fprintf(stderr, "fakelaked[%d]: attached, epoch %lu, seq %lu\n",
		getpid(), r.epoch, r.durable_seq);
	if (ioctl(chan, LAKEFS_IOC_READY, &r))
		die("READY: %m");
	if (opt.seals)
		seals_begin(opt.seals, chan, device, &sb);
	serve();
}

static void write_pid(pid_t pid)
{
	FILE *f = opt.pid ? fopen(opt.pid, "w") : NULL;

	if (f) {
		fprintf(f, "%d\n", pid);
		fclose(f);
	}
}

static int run(void)
{
	for (;;) {
		pid_t pid = fork();
		int status;

		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			child();
			exit(0);
		}
		write_pid(pid);
		waitpid(pid, &status, 0);
		if (WIFEXITED(status) && WEXITSTATUS(status))
			usleep(200000);
		opt.evil = "";
	}
}

int main(int argc, char **argv)
{
	if (argc >= 3 && !strcmp(argv[1], "mkfs"))
		return fake_mkfs(argv[2], argc > 3 ? strtoull(argv[3], 0, 0) : 0);
	if (argc == 4 && !strcmp(argv[1], "damage"))
		return fake_damage(argv[2], argv[3]);
	if (argc < 2 || strcmp(argv[1], "run"))
		die("usage: fakelaked mkfs|damage|run ...");
	for (int i = 2; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--log"))
			opt.log = argv[i + 1];
		else if (!strcmp(argv[i], "--pid"))
			opt.pid = argv[i + 1];
		else if (!strcmp(argv[i], "--seals"))
			opt.seals = argv[i + 1];
		else if (!strcmp(argv[i], "--evil"))
			opt.evil = argv[i + 1];
		else if (!strcmp(argv[i], "--spin"))
			opt.spin_us = strtoull(argv[i + 1], 0, 0);
		else if (!strcmp(argv[i], "--die-after"))
			opt.die_after = strtoull(argv[i + 1], 0, 0);
		else if (!strcmp(argv[i], "--garble"))
			garble_seed(opt.garble = strtoull(argv[i + 1], 0, 0));
		else
			die("unknown option %s", argv[i]);
	}
	return run();
}
