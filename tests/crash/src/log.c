// SPDX-License-Identifier: MPL-2.0
/*
 * Reads a recording: a header sector, then per request one sector that says
 * what it was, followed by the data of a write.
 *
 * QEMU enters a write before its guest learns of its completion, so what
 * completed before a flush was sent stands before the flush.
 */
#include <errno.h>
#include <endian.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lakecrash.h"

#define MAGIC		0x6a736677736872ull
#define FLUSH_FLAG	1u
#define FUA_FLAG	2u
#define DISCARD_FLAG	4u
#define MARK_FLAG	8u

struct header {
	uint64_t magic, version, nr_entries;
	uint32_t sector_size;
};

struct entry {
	uint64_t sector, nr_sectors, flags, data_len;
};

static int read_all(int fd, void *out, size_t bytes, uint64_t at)
{
	size_t done = 0;

	while (done < bytes) {
		ssize_t n = pread(fd, (char *)out + done, bytes - done,
				  at + done);

		if (n <= 0)
			return n < 0 ? errno : EIO;
		done += n;
	}
	return 0;
}

int lc_log_read(const struct lc_log *log, const struct lc_request *r,
		uint32_t first_sector, uint32_t nsectors, void *out)
{
	return read_all(log->fd, out, (size_t)nsectors * LC_SECTOR,
			r->data + (uint64_t)first_sector * LC_SECTOR);
}

static int bad_log(const char *what)
{
	fprintf(stderr, "lakecrash: recording: %s\n", what);
	return EINVAL;
}

static int read_request(struct lc_log *log, uint32_t sector_size,
			uint64_t *at)
{
	struct lc_request *r = &log->requests[log->nrequests];
	struct entry e;
	uint64_t bytes, flags;
	int error = read_all(log->fd, &e, sizeof(e), *at);

	if (error)
		return error;
	flags = le64toh(e.flags);
	if (flags & DISCARD_FLAG)
		return bad_log("holds a discard; switch it off on the disk");
	if (flags & ~(uint64_t)(FLUSH_FLAG | FUA_FLAG | MARK_FLAG))
		return bad_log("unknown flags");
	bytes = le64toh(e.nr_sectors) * sector_size;
	r->data = *at + sector_size;
	r->sector = le64toh(e.sector) * (sector_size / LC_SECTOR);
	r->nsectors = flags & MARK_FLAG ? 0 : bytes / LC_SECTOR;
	r->flush = flags & FLUSH_FLAG;
	r->fua = flags & FUA_FLAG;
	r->drop = false;
	*at = r->data + (flags & MARK_FLAG ? le64toh(e.data_len) : bytes);
	log->nrequests++;
	return 0;
}

static int read_requests(struct lc_log *log)
{
	struct header h;
	uint64_t at, count;
	uint32_t sector_size;
	int error = read_all(log->fd, &h, sizeof(h), 0);

	if (error)
		return error;
	sector_size = le32toh(h.sector_size);
	if (le64toh(h.magic) != MAGIC || le64toh(h.version) != 1 ||
	    sector_size < LC_SECTOR || sector_size % LC_SECTOR)
		return bad_log("not in dm-log-writes format");
	count = le64toh(h.nr_entries);
	if (!count || count > 10000000)
		return bad_log("no requests, or too many");
	log->requests = lc_alloc(count * sizeof(*log->requests));
	at = sector_size;
	while (!error && log->nrequests < count)
		error = read_request(log, sector_size, &at);
	return error;
}

/* The two partitions, from a DOS table. */
static int read_layout(struct lc_log *log, const char *image)
{
	uint8_t table[LC_SECTOR];
	uint32_t at[4];
	int fd = open(image, O_RDONLY);
	int error = fd < 0 ? errno : read_all(fd, table, LC_SECTOR, 0);

	if (fd >= 0)
		close(fd);
	if (error)
		return error;
	if (table[510] != 0x55 || table[511] != 0xaa)
		return bad_log("the image has no partition table");
	memcpy(&at[0], table + 446 + 8, 8);
	memcpy(&at[2], table + 462 + 8, 8);
	log->fs_start = le32toh(at[0]);
	log->fs_sectors = le32toh(at[1]);
	log->ack_start = le32toh(at[2]);
	log->ack_sectors = le32toh(at[3]);
	if (log->fs_sectors && log->ack_sectors)
		return 0;
	return bad_log("the image needs two partitions");
}

/*
 * The first mark of a kill follows the kill; each later one proves that no
 * successor had attached when the mark before it was written.
 */
static void add_mark(struct lc_log *log, uint32_t request, bool proves)
{
	static uint32_t before;

	if (!proves) {
		log->mark_at = lc_grow(log->mark_at,
				       (log->nmarks + 1) * sizeof(uint32_t));
		log->mark_at[log->nmarks++] = request;
	} else if (before == log->mark_at[log->nmarks - 1]) {
		log->dead = lc_grow(log->dead, (log->ndead + 1) *
				    sizeof(*log->dead));
		log->dead[log->ndead++] = (struct lc_dead){ before, before };
	} else {
		log->dead[log->ndead - 1].to = before;
	}
	before = request;
}

static int add_ack(struct lc_log *log, uint32_t request, uint32_t sector)
{
	uint8_t data[LC_SECTOR];
	struct lc_ack ack;
	int error = lc_log_read(log, &log->requests[request], sector, 1,
				data);

	if (error || !lc_ack_parse(data, &ack))
		return error;
	if (ack.stream == LC_MARK_STREAM) {
		if (ack.sync && !log->nmarks)
			return bad_log("a mark of no kill");
		add_mark(log, request, ack.sync);
		return 0;
	}
	log->acks = lc_grow(log->acks, (log->nacks + 1) * sizeof(ack));
	log->ack_at = lc_grow(log->ack_at,
			      (log->nacks + 1) * sizeof(uint32_t));
	log->acks[log->nacks] = ack;
	log->ack_at[log->nacks++] = request;
	return 0;
}

/* Finds the acks; requests outside the filesystem are not replayed. */
static int read_acks(struct lc_log *log, uint32_t nstreams)
{
	uint64_t fs_end = log->fs_start + log->fs_sectors;
	uint32_t begun = 0;

	for (uint32_t i = 0; i < log->nrequests; i++) {
		struct lc_request *r = &log->requests[i];
		int error = 0;

		if (r->sector >= log->fs_start && r->sector < fs_end) {
			if (r->sector + r->nsectors > fs_end)
				return bad_log("a write leaves the partition");
			continue;
		}
		r->drop = true;
		for (uint32_t s = 0; !error && r->sector >= log->ack_start &&
		     s < r->nsectors; s++)
			error = add_ack(log, i, s);
		if (error)
			return error;
	}
	for (uint32_t i = 0; i < log->nacks; i++)
		if (!log->acks[i].op && ++begun == nstreams)
			log->first_cut = log->ack_at[i] + 1;
	return begun == nstreams ? 0 : bad_log("a stream never began");
}

/* 0 or an errno after a message. */
int lc_log_open(struct lc_log *log, const char *device, const char *image,
		uint32_t nstreams)
{
	int error;

	memset(log, 0, sizeof(*log));
	log->fd = open(device, O_RDONLY);
	error = log->fd < 0 ? errno : read_requests(log);
	if (!error)
		error = read_layout(log, image);
	if (!error)
		error = read_acks(log, nstreams);
	if (error)
		fprintf(stderr, "lakecrash: %s: %s\n", device,
			strerror(error));
	return error;
}
