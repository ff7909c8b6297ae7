// SPDX-License-Identifier: MPL-2.0
/*
 * Blocks of the data region in the fake daemon, one byte of state each. A
 * block that is used twice, or used without a lease while the module runs, is
 * the module's fault and reported as such.
 */
#include <stdlib.h>
#include <string.h>
#include "fake.h"

enum { FREE, LEASED, USED, FREED };

struct freed {
	u64 seq, start, blocks;
};

static u8 *map;
static u32 *extra;			/* references beyond the first */
static u8 *packs;			/* of a pack's first block: its length */
static u64 first, total, cursor, free_blocks;
static struct freed *freed;
static size_t freed_count, freed_room;
bool space_strict;

void space_init(u64 start, u64 blocks)
{
	free(map);
	map = calloc(1, blocks);
	free(extra);
	extra = calloc(blocks, sizeof(*extra));
	free(packs);
	packs = calloc(1, blocks);
	first = start;
	total = free_blocks = blocks;
	cursor = freed_count = 0;
}

u64 space_total(void)
{
	return total;
}

u64 space_free_count(void)
{
	return free_blocks;
}

static bool inside(u64 start, u64 blocks)
{
	return start >= first && blocks <= total &&
	       start - first <= total - blocks;
}

static void set(u64 i, u8 state)
{
	if (map[i] == FREE)
		free_blocks--;
	if (state == FREE)
		free_blocks++;
	map[i] = state;
}

const char *space_use(u64 start, u64 blocks)
{
	if (!inside(start, blocks))
		return "map: blocks outside of the data region";
	for (u64 i = start - first; i < start - first + blocks; i++) {
		if (map[i] == USED)
			return "map: block in use already";
		if (map[i] == FREED)
			return "map: block freed but not durably";
		if (map[i] == FREE && space_strict)
			return "map: block was not leased";
		set(i, USED);
	}
	return NULL;
}

void space_share(u64 start, u64 blocks)
{
	for (u64 i = start - first; i < start - first + blocks; i++)
		extra[i]++;
}

bool space_pack(u64 start, u64 blocks)
{
	return inside(start, blocks) && packs[start - first] == blocks;
}

/* a pack that is there gets another reference */
const char *space_use_pack(u64 start, u64 blocks)
{
	const char *wrong = NULL;

	if (space_pack(start, blocks))
		space_share(start, blocks);
	else
		wrong = space_use(start, blocks);
	if (!wrong)
		packs[start - first] = blocks;
	return wrong;
}

bool space_shared(u64 block)
{
	return extra[block - first];
}

static void free_run(u64 start, u64 blocks, u64 seq)
{
	for (u64 i = start - first; i < start - first + blocks; i++) {
		set(i, FREED);
		packs[i] = 0;
	}
	if (freed_count == freed_room) {
		freed_room = freed_room * 2 + 64;
		freed = realloc(freed, freed_room * sizeof(*freed));
	}
	freed[freed_count++] = (struct freed){ seq, start, blocks };
}

/* a reference less: what has none left is free once seq is durable */
void space_free(u64 start, u64 blocks, u64 seq)
{
	u64 run = 0;

	for (u64 i = 0; i < blocks; i++) {
		if (extra[start + i - first]) {
			extra[start + i - first]--;
			if (run)
				free_run(start + i - run, run, seq);
			run = 0;
		} else {
			run++;
		}
	}
	if (run)
		free_run(start + blocks - run, run, seq);
}

void space_durable(u64 seq)
{
	size_t kept = 0;

	for (size_t f = 0; f < freed_count; f++) {
		u64 i = freed[f].start - first;

		if (freed[f].seq > seq) {
			freed[kept++] = freed[f];
			continue;
		}
		for (u64 n = freed[f].blocks; n--; i++)
			set(i, FREE);
	}
	freed_count = kept;
}

void space_leased(u64 start, u64 blocks)
{
	if (!inside(start, blocks))
		die("declared blocks %lu+%lu are outside", start, blocks);
	for (u64 i = start - first; i < start - first + blocks; i++)
		if (map[i] == FREE)
			set(i, LEASED);
}

void space_return(u64 start, u64 blocks)
{
	if (!inside(start, blocks))
		die("returned blocks %lu+%lu are outside", start, blocks);
	for (u64 i = start - first; i < start - first + blocks; i++) {
		/* FREE: the answer of a killed predecessor was lost */
		if (map[i] != LEASED && map[i] != FREE)
			die("block %lu was returned but not leased",
			    first + i);
		set(i, FREE);
	}
}

void space_reset_leases(void)
{
	for (u64 i = 0; i < total; i++)
		if (map[i] == LEASED)
			set(i, FREE);
}

size_t space_lease(u64 want, u64 goal, struct lakefs_range *out, size_t max)
{
	u64 seen = 0, i = inside(goal, 1) ? goal - first : cursor;
	size_t n = 0;

	for (; want && seen < total; seen++, i = (i + 1) % total) {
		struct lakefs_range *last = n ? &out[n - 1] : NULL;

		if (map[i] != FREE)
			continue;
		if (last && last->start + last->count == first + i)
			last->count++;
		else if (n == max)
			break;
		else
			out[n++] = (struct lakefs_range){ first + i, 1 };
		set(i, LEASED);
		want--;
	}
	cursor = i;
	return n;
}

/* so many side by side, from goal on; 0: none */
u64 space_take(u64 blocks, u64 goal)
{
	u64 run = 0;

	for (u64 i = inside(goal, 1) ? goal - first : 0; i < total; i++) {
		run = map[i] == FREE ? run + 1 : 0;
		if (run == blocks) {
			space_leased(first + i + 1 - blocks, blocks);
			return first + i + 1 - blocks;
		}
	}
	return 0;
}

size_t space_trim(const struct lakefs_r_trim *r, struct lakefs_range *out,
		  size_t max)
{
	u64 i = r->start > first ? r->start - first : 0, left = r->max_blocks;
	size_t n = 0;

	while (n < max && i < total && first + i < r->end &&
	       left >= r->min_blocks) {
		u64 run = 0;

		while (run < left && i + run < total &&
		       first + i + run < r->end && map[i + run] == FREE)
			run++;
		if (run && run >= r->min_blocks) {
			out[n++] = (struct lakefs_range){ first + i, run };
			space_leased(first + i, run);
			left -= run;
		}
		i += run ? run : 1;
	}
	return n;
}
