// SPDX-License-Identifier: MPL-2.0
/*
 * A daemon that lies: spoils one answer in three, below the protocol (the
 * ring entries stay well formed). The module has to give errors, never to
 * crash, hang, or loop.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fake.h"

static u64 state;

void garble_seed(u64 seed)
{
	state = seed * 2654435761u + 88172645463325252ull;
}

static u64 next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static u64 odd_number(void)
{
	static const u64 odd[] = {
		0, 1, 2, 15, 255, 256, 4095, 4096, 0x7fffffff, 0x80000000,
		0xffffffff, 1ull << 32, 1ull << 40, 0x7fffffffffffffff,
		0x8000000000000000, 0xffffffffffffffff,
	};

	return odd[next() % (sizeof(odd) / sizeof(odd[0]))];
}

/* overwrite one aligned field of 1 to 8 bytes */
static void spoil_field(struct answer *a)
{
	u32 bytes = 1u << next() % 4;
	u64 value = next() % 3 ? odd_number() : next();
	u32 at;

	if (a->bytes < bytes)
		return;
	at = next() % (a->bytes / bytes) * bytes;
	memcpy(a->payload + at, &value, bytes);
}

/* the extents of an answer that has some, of its first inode */
static struct lakefs_p_extent *extents_of(u16 op, struct answer *a, u32 *count)
{
	struct lakefs_p_inode *p = (void *)a->payload;

	if (op == LAKEFS_R_INODES && a->bytes >= sizeof(*p)) {
		*count = p->extents;
		return (void *)(a->payload + p->len -
				p->extents * sizeof(struct lakefs_p_extent));
	}
	*count = op == LAKEFS_R_EXTENTS ?
		 a->bytes / sizeof(struct lakefs_p_extent) : 0;
	return (void *)a->payload;
}

/*
 * In a pack, it says: of flags that a packed one may have, or not; at a place
 * near where it is, or anywhere. What is read there is no pack.
 */
static void spoil_extent(struct lakefs_p_extent *p)
{
	const u32 marks = LAKEFS_EXTENT_PACKED | LAKEFS_EXTENT_SEALED |
			  LAKEFS_EXTENT_CHECKED;

	p->flags = marks | (next() << LAKEFS_EXTENT_SPAN_SHIFT &
			    LAKEFS_EXTENT_SPAN_MASK);
	if (next() % 4 == 0)
		p->flags ^= 1u << next() % 32;
	if (next() % 8)
		p->phys_block = (p->phys_block + next() % 8) *
				LAKEFS_PACK_BLOCKS + next() % 32;
	else
		p->phys_block = odd_number();
	/* the whole file has to be as long as it says */
	if (next() % 8 == 0)
		p->blocks = next() % 4 ? 1 + next() % 32 : odd_number();
}

/* what somebody else asked for, or half of two answers */
static void swap_payload(struct answer *a)
{
	static struct answer old;
	struct answer now = *a;

	if (old.bytes) {
		memcpy(a->payload, old.payload, old.bytes);
		if (next() % 2)
			a->bytes = old.bytes;
	}
	old = now;
}

void garble(u16 op, struct answer *a)
{
	static const __s32 statuses[] = {
		-ENOENT, -EIO, -ENOSPC, -ESTALE, 1, 4096, -4096,
		(__s32)0x80000000, -ENOTDIR, -512, -ERANGE,
	};

	struct lakefs_p_extent *extents;
	u32 count;

	/* without these two there would be no mount to test */
	if (op == LAKEFS_R_MOUNT || op == LAKEFS_R_UNMOUNT || next() % 3)
		return;
	extents = extents_of(op, a, &count);
	if (count && next() % 2) {
		spoil_extent(extents + next() % count);
		return;
	}
	switch (next() % 8) {
	case 0:
		a->status = statuses[next() %
			(sizeof(statuses) / sizeof(statuses[0]))];
		break;
	case 1:
		a->bytes = next() % (a->bytes + 1);
		break;
	case 2:
		a->bytes += next() % 64;
		break;
	case 3:
		a->flags = next();
		break;
	case 4:
		swap_payload(a);
		break;
	default:
		spoil_field(a);
	}
}
