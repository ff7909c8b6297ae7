// SPDX-License-Identifier: MPL-2.0
/*
 * Compares a file's bytes and size to the versions it may show.
 *
 * A sector must equal one allowed version, or be a mix of allowed versions
 * byte by byte (a page may be rewritten while it travels).  Behind a
 * version's end lie its zeros: blocks not yet written read so.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lakecrash.h"

#define PIECE 4096u

/* The first version that the floor operation leaves possible. */
static uint32_t first_allowed(const struct lc_node *n, uint32_t floor_op)
{
	uint32_t first = 0;

	for (uint32_t v = 1; v < n->nversions; v++)
		if (n->versions[v].op <= floor_op)
			first = v;
	return first;
}

static bool size_allowed(const struct lc_node *n, uint32_t first,
			 uint64_t size)
{
	for (uint32_t v = first; v < n->nversions; v++) {
		const struct lc_version *ver = &n->versions[v];

		if (size == ver->size)
			return true;
		/* A write may have become durable in part. */
		if (v > first && ver->written && size < ver->size &&
		    size > n->versions[v - 1].size)
			return true;
	}
	return false;
}

static bool piece_equals(const struct lc_model *m, int node, uint32_t v,
			 uint32_t offset, uint32_t length,
			 const uint8_t *data)
{
	uint8_t want[PIECE];

	lc_expected(m, &m->nodes[node].versions[v], offset, length, want);
	return !memcmp(want, data, length);
}

/* Length when every byte is some allowed version's, else the bad one. */
static uint32_t first_bad(const struct lc_model *m, int node, uint32_t first,
			  uint32_t offset, uint32_t length,
			  const uint8_t *data)
{
	const struct lc_node *n = &m->nodes[node];
	uint8_t want[LC_SECTOR];
	bool good[LC_SECTOR] = { false };

	for (uint32_t v = first; v < n->nversions; v++) {
		lc_expected(m, &n->versions[v], offset, length, want);
		for (uint32_t i = 0; i < length; i++)
			good[i] |= want[i] == data[i];
	}
	for (uint32_t i = 0; i < length; i++)
		if (!good[i])
			return i;
	return length;
}

static int check_piece(const struct lc_model *m, const struct lc_found *f,
		       uint32_t first, uint32_t offset, uint32_t length,
		       const uint8_t *data, char *why, size_t why_bytes)
{
	const struct lc_node *n = &m->nodes[f->node];
	char what[128];

	if (piece_equals(m, f->node, n->nversions - 1, offset, length, data))
		return 0;
	for (uint32_t at = 0; at < length; at += LC_SECTOR) {
		uint32_t take = length - at < LC_SECTOR ? length - at
							: LC_SECTOR;
		uint32_t bad = first_bad(m, f->node, first, offset + at, take,
					 data + at);

		if (bad == take)
			continue;
		lc_describe(m->seed, data + at, take, bad, what,
			    sizeof(what));
		snprintf(why, why_bytes,
			 "%s (file %d): byte %u is %s; allowed are ops %u..%u",
			 f->path, f->node, offset + at + bad, what,
			 n->versions[first].op, lc_newest(n)->op);
		return -1;
	}
	return 0;
}

/* 0, or -1 with the reason; floor_op: its content and later may show. */
int lc_data_check(const struct lc_model *m, const struct lc_found *f,
		  uint32_t floor_op, char *why, size_t why_bytes)
{
	const struct lc_node *n = &m->nodes[f->node];
	uint32_t first = first_allowed(n, floor_op);
	uint8_t data[PIECE];
	uint32_t at = 0;
	ssize_t got;
	int error = 0, fd;

	if (!size_allowed(n, first, f->size)) {
		snprintf(why, why_bytes,
			 "%s (file %d): size %llu; ops %u..%u give %u..%u",
			 f->path, f->node, (unsigned long long)f->size,
			 n->versions[first].op, lc_newest(n)->op,
			 n->versions[first].size, lc_newest(n)->size);
		return -1;
	}
	fd = open(f->path, O_RDONLY);
	if (fd < 0) {
		snprintf(why, why_bytes, "%s: open: %s", f->path,
			 strerror(errno));
		return -1;
	}
	while (!error && (got = pread(fd, data, PIECE, at)) > 0) {
		error = check_piece(m, f, first, at, got, data, why,
				    why_bytes);
		at += got;
	}
	if (!error && (got < 0 || at != f->size)) {
		snprintf(why, why_bytes, "%s: read stops at %u of %llu: %s",
			 f->path, at, (unsigned long long)f->size,
			 got < 0 ? strerror(errno) : "end of file");
		error = -1;
	}
	close(fd);
	return error;
}
