// SPDX-License-Identifier: MPL-2.0
/*
 * The log: all intents ever accepted, in order, in a file that outlives the
 * daemon (not the machine). The tree is what replaying it gives, so a killed
 * daemon loses exactly what it had not written here, as a real one would.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
	const struct lakefs_intent_hdr *hdr;
	off_t size = lseek(fd, 0, SEEK_END), at = 0;
	const u8 *log = size <= 0 ? NULL :
		mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);

	if (size < 0 || log == MAP_FAILED)
		die("cannot read the log");
	fake.clean = true;		/* an empty log is a new lake */
	for (; at + (off_t)sizeof(*hdr) <= size; at += hdr->len) {
		hdr = (const void *)(log + at);
		if (hdr->len < sizeof(*hdr) || hdr->len > LAKEFS_INTENT_MAX ||
		    hdr->len > size - at)
			break;
		replay_one(hdr);
	}
	if (log)
		munmap((void *)log, size);
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
