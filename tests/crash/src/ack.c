// SPDX-License-Identifier: MPL-2.0
/*
 * Acknowledgements on the recorded disk itself.
 *
 * Each stream rewrites its own sector of a partition beside the filesystem,
 * with plain O_DIRECT writes and never a flush: the recording keeps every
 * write, so an ack's place in the log tells what was promised by then.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lakecrash.h"

#define MAGIC "LAKEACK1"

struct sector {
	char magic[8];
	uint32_t stream, op, sync, crc;
};

int lc_ack_open(struct lc_ack_area *a, const char *device)
{
	a->sector = aligned_alloc(4096, 4096);
	a->fd = open(device, O_WRONLY | O_DIRECT);
	if (!a->sector)
		return ENOMEM;
	memset(a->sector, 0, 4096);
	return a->fd < 0 ? errno : 0;
}

int lc_ack_write(struct lc_ack_area *a, const struct lc_ack *ack)
{
	struct sector s = { .stream = ack->stream, .op = ack->op,
			    .sync = ack->sync };
	ssize_t n;

	memcpy(s.magic, MAGIC, sizeof(s.magic));
	s.crc = lc_crc32c(&s, offsetof(struct sector, crc));
	memcpy(a->sector, &s, sizeof(s));
	n = pwrite(a->fd, a->sector, LC_SECTOR, ack->stream * LC_SECTOR);
	if (n == LC_SECTOR)
		return 0;
	return n < 0 ? errno : EIO;
}

bool lc_ack_parse(const uint8_t *sector, struct lc_ack *ack)
{
	struct sector s;

	memcpy(&s, sector, sizeof(s));
	if (memcmp(s.magic, MAGIC, sizeof(s.magic)) ||
	    s.crc != lc_crc32c(&s, offsetof(struct sector, crc)) ||
	    s.stream >= LC_MAX_STREAMS)
		return false;
	ack->stream = s.stream;
	ack->op = s.op;
	ack->sync = s.sync;
	return true;
}
