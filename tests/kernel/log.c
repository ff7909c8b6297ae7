// SPDX-License-Identifier: MPL-2.0
/*
 * The log: all intents ever accepted, in order, in a file that outlives the
 * daemon (not the machine). The tree is what replaying it gives, so a killed
 * daemon loses exactly what it had not written here, as a real one would.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fake.h"

static int fd = -1;
static u8 *buffer;
static size_t fill, room;

void log_open(const char *path)
{
	fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		die("cannot open the log %s", path);
}

static void replay_one(const struct lakefs_intent_hdr *hdr)
{
	const char *wrong;

	if (hdr->op == LAKEFS_WAL_OP_EPOCH) {
		fake.epoch = ((const struct lakefs_wal_epoch *)hdr)->epoch;
		fake.clean = false;
		fake.replayed = 0;
		tree_reap_orphans();
		return;
	}
	if (hdr->op == LAKEFS_WAL_OP_CLEAN) {
		fake.clean = true;
		return;
	}
	if (hdr->seq <= fake.applied_seq)
		die("the log goes backwards");
	/* the log does not tell when, but what is in it was durable */
	space_durable(hdr->seq - 1);
	wrong = tree_apply(hdr);
	if (wrong)
		die("replay of seq %lu: %s", hdr->seq, wrong);
	fake.applied_seq = hdr->seq;
	fake.replayed++;
}

void log_replay(void)
{
	static union {
		struct lakefs_intent_hdr hdr;
		u8 bytes[LAKEFS_INTENT_MAX];
	} e;
	off_t at = 0;

	fake.clean = true;		/* an empty log is a new lake */
	while (pread(fd, &e.hdr, sizeof(e.hdr), at) == sizeof(e.hdr) &&
	       e.hdr.len >= sizeof(e.hdr) && e.hdr.len <= sizeof(e) &&
	       pread(fd, &e, e.hdr.len, at) == (ssize_t)e.hdr.len) {
		replay_one(&e.hdr);
		at += e.hdr.len;
	}
	if (ftruncate(fd, at))		/* a torn tail */
		die("cannot cut the log");
	fake.durable_seq = fake.applied_seq;
	space_durable(fake.durable_seq);
}

void log_add(const void *entry, u32 bytes)
{
	if (fill + bytes > room) {
		room = (fill + bytes) * 2;
		buffer = realloc(buffer, room);
	}
	memcpy(buffer + fill, entry, bytes);
	fill += bytes;
}

void log_write(void)
{
	size_t done = 0;

	while (done < fill) {
		ssize_t n = write(fd, buffer + done, fill - done);

		if (n <= 0)
			die("cannot write the log");
		done += n;
	}
	fill = 0;
}

void log_mark(u16 op, u64 epoch)
{
	struct lakefs_wal_epoch mark = {
		.hdr = { .len = sizeof(mark), .op = op },
		.epoch = epoch,
	};

	log_add(&mark, sizeof(mark));
}
