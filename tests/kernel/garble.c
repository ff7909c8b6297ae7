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

	/* without these two there would be no mount to test */
	if (op == LAKEFS_R_MOUNT || op == LAKEFS_R_UNMOUNT || next() % 3)
		return;
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
