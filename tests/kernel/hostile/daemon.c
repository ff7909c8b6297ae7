// SPDX-License-Identifier: MPL-2.0
/*
 * hostile daemon SEED ROUNDS: attaches to whatever wants a daemon and then
 * does anything but serve it: random calls, random bytes in the page and the
 * ring it may write. ROUNDS attachments, each given up without a word.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../fake.h"
#include "hostile.h"

#define CALLS_EACH	400
#define CHILDREN_MAX	8
#define WAIT_MS		3000	/* nothing wants a daemon any more */

static int attach(void)
{
	int chan = open("/dev/lakefs", O_RDWR | O_CLOEXEC);
	struct lakefs_wanted w = { 0 };
	struct lakefs_attach a = { .abi_version = LAKEFS_ABI_VERSION };
	struct pollfd p = { .fd = chan, .events = POLLIN };

	if (chan < 0)
		die("/dev/lakefs: %m");
	while (ioctl(chan, LAKEFS_IOC_NEXT_WANTED, &w)) {
		if (poll(&p, 1, WAIT_MS) != 1) {
			close(chan);
			return -1;
		}
	}
	a.dev_major = w.dev_major;
	a.dev_minor = w.dev_minor;
	if (ioctl(chan, LAKEFS_IOC_ATTACH, &a)) {
		close(chan);
		return -1;
	}
	return chan;
}

static pid_t children[CHILDREN_MAX];
static int child_count;

static u64 plausible_ino(void)
{
	return random_below(2) ? random_below(40) : random_odd();
}

static u64 plausible_blocks(void)
{
	return random_below(2) ? random_below(20) : random_odd();
}

/* such as an extent of REMAP has */
static u32 plausible_flags(void)
{
	u32 flags = LAKEFS_EXTENT_SEALED | LAKEFS_EXTENT_CHECKED;

	if (random_below(4))
		flags |= LAKEFS_EXTENT_PACKED |
			 random_below(32) << LAKEFS_EXTENT_SPAN_SHIFT;
	return flags;
}

/* the argument of any of the calls that are about files */
union file_call {
	struct lakefs_seal seal;
	struct lakefs_share share;
	struct lakefs_remap remap;
};

static void fill_file_call(unsigned long cmd, union file_call *arg)
{
	if (cmd == LAKEFS_IOC_SHARE)
		arg->share = (struct lakefs_share){
			.src_ino = plausible_ino(), .dst_ino = plausible_ino(),
			.map_seq = random_odd(), .dst_block = random_below(20),
			.src_pos = random_below(20 * LAKEFS_BLOCK_SIZE),
			.blocks = plausible_blocks(),
		};
	else if (cmd == LAKEFS_IOC_REMAP)
		arg->remap = (struct lakefs_remap){
			.ino = plausible_ino(), .map_seq = random_odd(),
			.flags = random_below(4) ? plausible_flags() :
						   (u32)random_odd(),
			.file_block = random_below(20),
			.phys_block = random_below(4) ?
				      random_below(10000 * 32) : random_odd(),
			.blocks = plausible_blocks(),
		};
	else
		arg->seal = (struct lakefs_seal){
			.ino = plausible_ino(), .map_seq = random_odd(),
			.file_block = random_below(20),
			.blocks = plausible_blocks(),
		};
}

/* Whom it waits for is us, who do not answer: it has to be killed. */
static void call_in_a_child(int chan)
{
	static const unsigned long calls[] = {
		LAKEFS_IOC_SEAL, LAKEFS_IOC_CHECKED, LAKEFS_IOC_UNSEAL,
		LAKEFS_IOC_SHARE, LAKEFS_IOC_REMAP,
	};
	unsigned long cmd = calls[random_below(5)];
	union file_call arg;
	pid_t pid;

	if (child_count == CHILDREN_MAX)
		return;
	fill_file_call(cmd, &arg);
	pid = fork();
	if (!pid) {
		ioctl(chan, cmd, &arg);
		_exit(0);
	}
	if (pid > 0)
		children[child_count++] = pid;
}

/* They end by a signal, or with the attachment. */
static void end_children(int chan)
{
	bool killed = random_below(2);
	int tries = 0;

	if (!killed)
		ioctl(chan, LAKEFS_IOC_DETACH);
	while (child_count) {
		pid_t pid = children[child_count - 1];

		if (killed)
			kill(pid, SIGKILL);
		if (waitpid(pid, NULL, WNOHANG) == pid)
			child_count--;
		else if (tries++ == 2000)
			die("a call %s", killed ? "cannot be killed" :
						  "outlives its attachment");
		else
			usleep(5000);
	}
}

/* what a daemon that is nearly honest would say: its lies go further */
static void call_plausibly(int chan, const struct lakefs_kpage *k)
{
	struct lakefs_ready r = { .epoch = random_below(3) };
	struct lakefs_declare d = { .durable_seq = random_odd() };
	struct lakefs_commit c = { 0 };

	switch (random_below(5)) {
	case 0:
		r.durable_seq = k->durable_seq + random_below(2);
		ioctl(chan, LAKEFS_IOC_READY, &r);
		break;
	case 1:
		d.addr = (unsigned long)arg_valid();
		d.max = random_below(2) ? random_below(2000) : random_odd();
		ioctl(chan, LAKEFS_IOC_DECLARE, &d);
		break;
	case 2:
		c.addr = arg_pointer(8192);
		c.offset = random_below(2) ? random_below(30000) * 4096 :
					     random_odd();
		c.len = random_below(2) ? 4096u << random_below(4) :
					  (u32)random_odd();
		c.durable_seq = random_below(2) ? k->sent_seq : random_odd();
		ioctl(chan, LAKEFS_IOC_COMMIT, &c);
		break;
	case 3:
		call_in_a_child(chan);
		break;
	default:
		ioctl(chan, LAKEFS_IOC_KICK);
	}
}

/* a reply whose outside is right, or only its place */
static void forge_reply(const struct lakefs_kpage *k, u8 *rw, const u8 *ro)
{
	struct lakefs_dpage *d = (void *)rw;
	const u8 *requests = ro + LAKEFS_RING_PAGE + LAKEFS_INTENT_RING_BYTES;
	struct lakefs_request_hdr hdr;
	struct lakefs_reply_hdr reply = { 0 };
	u8 payload[2048];
	u64 at = d->reply_head % LAKEFS_REPLY_RING_BYTES;

	memcpy(&hdr, requests + random_below(64) * 64, sizeof(hdr));
	reply.payload_bytes = random_below(4) ? random_below(sizeof(payload)) & ~7u :
						random_odd();
	reply.len = sizeof(reply) + (random_below(4) ? reply.payload_bytes :
						       (u32)random_odd());
	reply.tag = random_below(2) ? hdr.tag : random_below(64);
	reply.status = random_below(2) ? 0 : -(__s32)random_below(200);
	reply.flags = random_below(2);
	random_fill(payload, sizeof(payload));
	if (at + sizeof(reply) + sizeof(payload) > LAKEFS_REPLY_RING_BYTES)
		at = 0;
	memcpy(rw + LAKEFS_RING_PAGE + at, &reply, sizeof(reply));
	memcpy(rw + LAKEFS_RING_PAGE + at + sizeof(reply), payload,
	       sizeof(payload));
	d->intent_tail = k->intent_head;
	d->request_tail = k->request_head;
	__atomic_store_n(&d->reply_head, d->reply_head + (reply.len & ~7u),
			 __ATOMIC_RELEASE);
}

static void scribble(u8 *rw)
{
	size_t bytes = random_below(4) ? 8 : random_below(512);
	size_t range = random_below(2) ? LAKEFS_RING_PAGE : LAKEFS_RW_BYTES;
	size_t at = random_below(range - bytes) & ~7ul;

	if (at + bytes <= LAKEFS_RW_BYTES)
		random_fill(rw + at, bytes);
}

static void be_hostile(int chan)
{
	u8 *ro = mmap(NULL, LAKEFS_RO_BYTES, PROT_READ, MAP_SHARED, chan,
		      LAKEFS_MMAP_RO);
	u8 *rw = mmap(NULL, LAKEFS_RW_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
		      chan, LAKEFS_MMAP_RW);
	struct pollfd p = { .fd = chan, .events = POLLIN };

	if (ro == MAP_FAILED || rw == MAP_FAILED)
		die("mmap of the rings: %m");
	if (mmap(NULL, LAKEFS_RO_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
		 chan, LAKEFS_MMAP_RO) != MAP_FAILED)
		die("the kernel's rings can be mapped for writing");
	if (!mprotect(ro, LAKEFS_RO_BYTES, PROT_READ | PROT_WRITE))
		die("the kernel's rings can be made writable");
	for (int i = 0; i < CALLS_EACH; i++) {
		switch (random_below(8)) {
		case 0:
			scribble(rw);
			break;
		case 1:
		case 2:
			forge_reply((void *)ro, rw, ro);
			break;
		case 3:
			ioctl(chan, _IOC(random_below(4), LAKEFS_IOC_MAGIC,
					 random_below(14), random_below(200)),
			      arg_pointer(4096));
			break;
		case 4:
			/* an end of the mount comes late in an attachment */
			if (i > CALLS_EACH * 3 / 4 && !random_below(20))
				ioctl(chan, random_below(2) ?
				      LAKEFS_IOC_FAIL : LAKEFS_IOC_DETACH,
				      arg_pointer(sizeof(struct lakefs_fail)));
			break;
		default:
			call_plausibly(chan, (void *)ro);
		}
		if (random_below(16) == 0)
			poll(&p, 1, 1);
	}
	end_children(chan);
	munmap(ro, LAKEFS_RO_BYTES);
	munmap(rw, LAKEFS_RW_BYTES);
}

int hostile_daemon(int argc, char **argv)
{
	unsigned long rounds = strtoul(argv[3], NULL, 0);
	unsigned long attached = 0;

	(void)argc;
	for (unsigned long i = 0; i < rounds; i++) {
		int chan = attach();

		if (chan < 0)
			break;
		attached++;
		be_hostile(chan);
		close(chan);
	}
	printf("%lu\n", attached);
	return attached ? 0 : 1;
}
