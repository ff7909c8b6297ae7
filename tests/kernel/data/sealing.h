/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Sealing as a test sees it: what to ask of the fake daemon (sealcalls.h), and
 * what is on the device, past the file system.
 */
#ifndef SEALING_H
#define SEALING_H

#include "datatest.h"
#include "../sealcalls.h"

/* the socket of fakelaked's --seals; NULL: another daemon, no such tests */
extern const char *seal_socket;
extern const char *seal_device;		/* path of the lake's device */

/*
 * The answer to op of blocks of fd's file. Asks again while the daemon is
 * being replaced. Errors of the call are in .error.
 */
struct seal_answer seal_ask(int fd, uint32_t op, uint64_t block,
			    uint64_t blocks);
/* the same with everything told */
struct seal_answer seal_ask_call(const struct seal_call *call);
/* CHECKs that this is the error; 0: there is none */
void seal_ask_refused(const struct seal_call *call, int error);
/* a call that may be done now; SHARE gives src's blocks to dst */
struct seal_call seal_call_of(int fd, uint32_t op, uint64_t block,
			      uint64_t blocks);
struct seal_call share_call_of(int src, int dst, uint64_t block,
			       uint64_t blocks);
/* SEAL; again while the file has changed. The data is synced first. */
void seal(int fd, uint64_t block, uint64_t blocks);
/* and its checksums, and CHECKED */
void seal_checked(int fd, uint64_t block, uint64_t blocks);
void unseal(int fd, uint64_t block, uint64_t blocks);
/* SHARE of what is checked; again while a file has changed */
void seal_share(int src, int dst, uint64_t block, uint64_t blocks);
/* of dst's blocks, which src has from byte src_pos on */
struct seal_call piece_call_of(int src, uint64_t src_pos, int dst,
			       uint64_t block, uint64_t blocks);
void seal_share_piece(int src, uint64_t src_pos, int dst, uint64_t block,
		      uint64_t blocks);
/* where the block is, once all is applied; CHECKs that it is somewhere */
struct seal_answer seal_where(int fd, uint64_t block);
/* a block as it is on the device */
void device_read(uint64_t phys, uint8_t *block);
void device_write(uint64_t phys, const uint8_t *block);
/* change a bit of the device; the same again changes it back */
void device_flip(uint64_t byte);
/* sharing.c: a pipe has very many references to the file's one block */
int pin_block(int fd, int pipe_end);
/* a number in the mount's folder in /sys/fs/lakefs */
uint64_t lake_number(const char *name);

/* events.c: listen to lakefs' events; has one told of damage to that block? */
int events_open(void);
bool events_tell_of(int fd, uint64_t block);

#endif
