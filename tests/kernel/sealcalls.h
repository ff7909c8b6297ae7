/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a test asks the fake daemon about sealing and sharing, over the socket that
 * fakelaked's --seals names: one struct seal_call, one struct seal_answer.
 * Without proto/ and <linux/...>, which exclude each other.
 */
#ifndef SEALCALLS_H
#define SEALCALLS_H

#include <stdbool.h>
#include <stdint.h>

enum seal_op {
	SEAL_CALL_SEAL = 1,		/* the ioctl of that name, as given */
	SEAL_CALL_CHECKED,
	SEAL_CALL_UNSEAL,
	SEAL_CALL_SHARE,
	SEAL_CALL_SUMS,			/* read the range, write its checksums */
	SEAL_CALL_WHERE,		/* of file_block, as the daemon has it */
	SEAL_CALL_PUT,			/* blocks of the file SOCKET.pack to free
					 * ones, from file_block on if there are,
					 * and their checksums; it holds them */
	SEAL_CALL_DROP,			/* PUT's, at file_block: not needed */
	SEAL_CALL_REMAP,		/* to what PUT has put; ESTALE: it died */
	SEAL_CALL_REMAP_ANY,		/* the ioctl, as given */
};

#define SEAL_NOW	UINT64_MAX	/* map_seq: what the daemon has applied */

struct seal_call {
	uint32_t op;
	uint32_t generation;
	uint64_t ino;
	uint64_t map_seq;
	uint64_t file_block;
	uint64_t blocks;
	uint32_t flags;
	uint32_t dst_generation;	/* SHARE */
	uint64_t dst_ino;
	uint64_t src_pos;		/* SHARE: bytes; file_block is dst's.
					 * REMAP: 1: die when it is done */
	uint64_t phys;			/* REMAP */
};

#define SEAL_IS_SEALED	1u
#define SEAL_IS_CHECKED	2u
#define SEAL_IS_PACKED	4u
#define SEAL_SKEW_SHIFT	16		/* packed: the span */

struct seal_answer {
	int32_t error;			/* errno; WHERE: ENOENT for a hole */
	uint32_t flags;			/* WHERE: SEAL_IS_* */
	uint64_t seq;			/* of the intent */
	uint64_t map_seq;		/* WHERE: applied then */
	uint64_t phys;			/* WHERE: block of the device, or place
					 * in packs; PUT: where it is */
	uint64_t sum_at;		/* WHERE: its checksum, bytes */
};

/* sealsocket.c */
typedef void (*seal_answer_fn)(const struct seal_call *c,
			       struct seal_answer *a);
/* a thread answers whoever asks. False: errno */
bool seal_socket_serve(const char *path, seal_answer_fn answer);
/* false: nobody is there, or died meanwhile */
bool seal_socket_ask(const char *path, const struct seal_call *c,
		     struct seal_answer *a);

#endif
