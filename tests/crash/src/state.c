// SPDX-License-Identifier: MPL-2.0
/*
 * States a volatile write cache can leave behind.
 *
 * State number N of a seed is a function of both and of the recording: it
 * can be built alone.  A unit (of one sector, if not told otherwise) is
 * written whole or not at all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lakecrash.h"

const char *lc_mode_name(enum lc_mode mode)
{
	static const char *const names[] = {
		[LC_NONE] = "none", [LC_ALL] = "all",
		[LC_SUBSET] = "subset", [LC_TORN] = "torn",
	};

	return names[mode];
}

/* The cut directly behind some acknowledgement, of a sync if it can be. */
static uint32_t cut_after_ack(const struct lc_log *log, uint64_t *rng,
			      bool sync)
{
	uint32_t at = 0;

	for (int tries = 0; tries < 100; tries++) {
		at = lc_below(rng, log->nacks);
		if (log->ack_at[at] + 1 >= log->first_cut &&
		    (!sync || log->acks[at].sync))
			break;
	}
	return log->ack_at[at] + 1;
}

/* The cut before, or behind, the next flush from a random place on. */
static uint32_t cut_at_flush(const struct lc_log *log, uint64_t *rng,
			     bool behind)
{
	uint32_t span = log->nrequests - log->first_cut;
	uint32_t at = log->first_cut + lc_below(rng, span + 1);

	while (at < log->nrequests && !log->requests[at].flush)
		at++;
	return at + (behind && at < log->nrequests);
}

/* The cut between a kill and its successor: right behind it, or anywhere. */
static uint32_t cut_while_dead(const struct lc_log *log, uint64_t *rng)
{
	const struct lc_dead *d = &log->dead[lc_below(rng, log->ndead)];
	uint32_t span = d->to - d->from;

	return d->from + 1 + lc_below(rng, 3) * lc_below(rng, span + 1) / 2;
}

static bool is_dead(const struct lc_log *log, uint32_t cut)
{
	for (uint32_t i = 0; i < log->ndead; i++)
		if (cut > log->dead[i].from && cut <= log->dead[i].to + 1)
			return true;
	return false;
}

static uint32_t pick_cut(const struct lc_log *log, uint64_t *rng)
{
	uint32_t kind = lc_below(rng, 100);

	if (log->ndead && (log->only_dead || lc_below(rng, 3) == 0))
		return cut_while_dead(log, rng);
	if (kind < 35)
		return cut_after_ack(log, rng, true);
	if (kind < 45)
		return cut_after_ack(log, rng, false);
	if (kind < 65)
		return cut_at_flush(log, rng, false);
	if (kind < 75)
		return cut_at_flush(log, rng, true);
	return log->first_cut +
	       lc_below(rng, log->nrequests - log->first_cut + 1);
}

struct lc_state lc_state_make(const struct lc_log *log, uint64_t seed,
			      uint32_t number)
{
	struct lc_state s = { .number = number };
	uint32_t kind;

	s.rng = lc_mix(seed) ^ lc_mix(number);
	s.cut = pick_cut(log, &s.rng);
	if (s.cut < log->first_cut)
		s.cut = log->first_cut;
	s.dead = is_dead(log, s.cut);
	/* Data that travels with a flush is not covered by it. */
	for (s.flushed = s.cut; s.flushed; s.flushed--)
		if (s.flushed < s.cut && log->requests[s.flushed].flush)
			break;
	kind = lc_below(&s.rng, 100);
	s.mode = kind < 25 ? LC_NONE : kind < 35 ? LC_ALL :
		 kind < 70 ? LC_SUBSET : LC_TORN;
	return s;
}

static int write_sectors(const struct lc_log *log,
			 const struct lc_request *r, uint32_t first,
			 uint32_t count, int fd)
{
	static uint8_t *buffer;
	static uint32_t room;
	uint64_t at = (r->sector - log->fs_start + first) * LC_SECTOR;
	size_t bytes = (size_t)count * LC_SECTOR;
	ssize_t n;
	int error;

	if (room < bytes) {
		free(buffer);
		room = (bytes + 0xfffff) & ~0xfffffu;
		buffer = aligned_alloc(4096, room);
		if (!buffer)
			return ENOMEM;
	}
	error = lc_log_read(log, r, first, count, buffer);
	if (error)
		return error;
	n = pwrite(fd, buffer, bytes, at);
	return n == (ssize_t)bytes ? 0 : n < 0 ? errno : EIO;
}

int lc_apply_range(const struct lc_log *log, uint32_t from, uint32_t to,
		   int fd)
{
	int error = 0;

	for (uint32_t i = from; !error && i < to; i++) {
		const struct lc_request *r = &log->requests[i];

		if (!r->drop && r->nsectors)
			error = write_sectors(log, r, 0, r->nsectors, fd);
	}
	return error;
}

/*
 * Lost, whole, cut short, or with holes: one in four each.  What the device
 * writes whole is a unit of the partition, not of the request.
 */
static int apply_torn(const struct lc_log *log, const struct lc_request *r,
		      uint64_t *rng, int fd)
{
	uint32_t how = lc_below(rng, 4), end, at;
	int error = 0;

	if (how == 0)
		return 0;
	end = how == 2 ? 1 + lc_below(rng, r->nsectors) : r->nsectors;
	for (at = 0; !error && at < end; ) {
		uint32_t phase = (r->sector - log->fs_start + at) %
				 log->unit_sectors;
		uint32_t take = log->unit_sectors - phase;

		if (take > r->nsectors - at)
			take = r->nsectors - at;
		if (how != 3 || lc_below(rng, 2))
			error = write_sectors(log, r, at, take, fd);
		at += take;
	}
	return error;
}

/* Adds what survived of the requests after the last flush. */
int lc_state_apply(const struct lc_log *log, const struct lc_state *s,
		   int fd)
{
	static const uint32_t keep_percent[] = { 10, 50, 90 };
	uint64_t rng = s->rng;
	uint32_t keep = keep_percent[lc_below(&rng, 3)];
	int error = 0;

	for (uint32_t i = s->flushed; !error && i < s->cut; i++) {
		const struct lc_request *r = &log->requests[i];

		if (r->drop || !r->nsectors)
			continue;
		/* A write through the cache is as good as flushed. */
		if (r->fua || s->mode == LC_ALL)
			error = write_sectors(log, r, 0, r->nsectors, fd);
		else if (s->mode == LC_SUBSET && lc_below(&rng, 100) < keep)
			error = write_sectors(log, r, 0, r->nsectors, fd);
		else if (s->mode == LC_TORN)
			error = apply_torn(log, r, &rng, fd);
	}
	return error;
}
