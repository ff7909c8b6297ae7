// SPDX-License-Identifier: MPL-2.0
/*
 * File content that says where it belongs.
 *
 * Every 16 bytes hold stream and file, generation, position and a hash of
 * them with the seed: a byte in the wrong file, from an older write or from
 * another run cannot pass, and its origin can be named.
 */
#include <string.h>

#include "lakecrash.h"

#define CELL 16u

struct cell {
	uint32_t owner;			/* stream << 24 | file */
	uint32_t gen;
	uint32_t position;		/* offset / CELL */
	uint32_t hash;
};

static struct cell cell_make(uint64_t seed, uint32_t owner, uint32_t gen,
			     uint32_t position)
{
	struct cell c = { .owner = owner, .gen = gen, .position = position };

	c.hash = (uint32_t)lc_mix(seed ^ ((uint64_t)owner << 32 | gen) ^
				  (uint64_t)position * 0xd6e8feb86659fd93ull);
	return c;
}

/* Bytes of generation gen at [offset, offset + length) of a file. */
void lc_pattern(uint64_t seed, uint32_t stream, uint32_t file, uint32_t gen,
		uint32_t offset, uint32_t length, uint8_t *out)
{
	uint32_t owner = stream << 24 | file;

	while (length) {
		uint32_t skip = offset % CELL;
		uint32_t take = CELL - skip;
		struct cell c = cell_make(seed, owner, gen, offset / CELL);

		if (take > length)
			take = length;
		memcpy(out, (uint8_t *)&c + skip, take);
		out += take;
		offset += take;
		length -= take;
	}
}

/* What a version holds at [offset, offset + length); zeros past its end. */
void lc_expected(const struct lc_model *m, const struct lc_version *v,
		 uint32_t offset,
		 uint32_t length, uint8_t *out)
{
	uint32_t end = offset + length;

	memset(out, 0, length);
	for (uint32_t i = 0; i < v->nsegs; i++) {
		uint32_t from = v->segs[i].start, to = v->segs[i].end;

		if (to <= offset || from >= end)
			continue;
		if (from < offset)
			from = offset;
		if (to > end)
			to = end;
		lc_pattern(m->seed, m->stream, v->segs[i].file,
			   v->segs[i].gen, from, to - from,
			   out + (from - offset));
	}
}

/* Names the origin of the byte at data[at]; data starts at a cell. */
void lc_describe(uint64_t seed, const uint8_t *data, uint32_t length,
		 uint32_t at, char *out, size_t out_bytes)
{
	uint32_t start = at / CELL * CELL;
	struct cell c = { 0 }, want;

	if (start + CELL <= length)
		memcpy(&c, data + start, CELL);
	want = cell_make(seed, c.owner, c.gen, c.position);
	if (!memcmp(&c, &want, CELL))
		snprintf(out, out_bytes,
			 "bytes of stream %u file %u, written by op %u at %u",
			 c.owner >> 24, c.owner & 0xffffff, c.gen,
			 c.position * CELL);
	else if (!data[at])
		snprintf(out, out_bytes, "a zero");
	else
		snprintf(out, out_bytes, "byte 0x%02x of no known write",
			 data[at]);
}
