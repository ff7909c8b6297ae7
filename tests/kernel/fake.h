/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A small daemon for testing lakefs.ko alone: an in-memory tree whose only
 * durable form is the log of the intents it was sent. See fakelaked.c.
 */
#ifndef FAKE_H
#define FAKE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "../../proto/lakefs_ring.h"

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

/* one name; also in its directory's array, ordered by cookie */
struct name {
	struct name *next;		/* hash chain */
	u64 dir, ino, cookie;
	u8 type, bytes;
	char text[256];
};

struct extent {
	u64 file, phys;			/* phys: PACKED: a place in packs */
	u32 blocks, flags;
};
/* blocks of the device that it refers to */
u64 extent_base(const struct extent *x);
u64 extent_spans(const struct extent *x);

struct xattr {
	struct xattr *next;
	u16 name_bytes;
	u32 value_bytes;
	char name[256];
	u8 *value;
};

struct node {
	struct node *next;		/* hash chain */
	struct lakefs_inode rec;
	char link[4096];
	u64 parent;			/* directories */
	struct xattr *xattrs;
	struct extent *extents;
	size_t extent_count, extent_room;
	struct name **names;
	size_t name_count, name_room;
};

/* tree.c: the tree and its changes. Text = what is wrong, NULL = fine. */
struct node *node_find(u64 ino);
struct name *name_find(u64 dir, const char *text, size_t bytes);
const char *tree_apply(const struct lakefs_intent_hdr *hdr);
void tree_init(void);
void tree_reap_orphans(void);
u64 tree_inode_count(void);
extern u64 tree_next_ino;

/* extents.c */
const char *extents_map(struct node *n, const struct lakefs_i_map *e);
void extents_cut(struct node *n, u64 first, u64 end, u64 seq);
bool extents_any_shared(struct node *n, u64 first, u64 end);
bool extents_any_sealed(struct node *n, u64 first, u64 end);
const char *extents_seal(struct node *n, const struct lakefs_i_seal *e);
const char *extents_clone(struct node *src, struct node *dst,
			  const struct lakefs_i_clone *e);
const char *extents_share(struct node *src, struct node *dst,
			  const struct lakefs_i_share *e);
const char *extents_shift(struct node *n, const struct lakefs_i_shift *e);
const char *extents_remap(struct node *n, const struct lakefs_i_remap *e);
/* xattrs.c */
const char *xattr_set(struct node *n, const char *name, u16 name_bytes,
		      const void *value, u32 value_bytes);
const char *xattr_remove(struct node *n, const char *name, u16 name_bytes);
struct xattr *xattr_find(struct node *n, const char *name, u16 bytes);
void xattr_drop_all(struct node *n);

/* space.c: blocks are free, leased, used, or freed but not durably so */
void space_init(u64 start, u64 blocks);
const char *space_use(u64 start, u64 blocks);
void space_free(u64 start, u64 blocks, u64 seq);
void space_share(u64 start, u64 blocks);
bool space_shared(u64 block);
/* blocks of a pack, of that length: used for the first time, or once more */
const char *space_use_pack(u64 start, u64 blocks);
bool space_pack(u64 start, u64 blocks);
u64 space_take(u64 blocks, u64 goal);
size_t space_trim(const struct lakefs_r_trim *r, struct lakefs_range *out,
		  size_t max);
void space_durable(u64 seq);
void space_leased(u64 start, u64 blocks);
void space_return(u64 start, u64 blocks);
size_t space_lease(u64 want, u64 goal, struct lakefs_range *out, size_t max);
void space_reset_leases(void);
u64 space_total(void);
u64 space_free_count(void);
extern bool space_strict;		/* only leased blocks may be mapped */

/* mkfs.c */
int fake_mkfs(const char *path, u64 bytes);
int fake_damage(const char *path, const char *what);
u32 crc32c(const void *data, size_t bytes);

/* seals.c: sealing and sharing for tests that ask at socket_path; the tree's lock */
void seals_begin(const char *socket_path, int chan, int device,
		 const struct lakefs_sb *sb);
void seals_lock(void);
void seals_unlock(void);

/* requests.c: answer to one request; payload has room for its maximum */
struct answer {
	__s32 status;
	u32 flags;
	u32 bytes;
	u8 payload[LAKEFS_REPLY_MAX];
};
void request_answer(const struct lakefs_request_hdr *hdr, struct answer *a);

/* garble.c: lies. garble_seed() first. */
void garble_seed(u64 seed);
void garble(u16 op, struct answer *a);

/* fakelaked.c: what the log says about the mount */
struct fake_state {
	u64 epoch;
	u64 durable_seq;		/* last seq in the log */
	u64 applied_seq;
	bool clean;
	u64 replayed;
};
extern struct fake_state fake;

/* log.c: the log is a file; its first line of defence is its length */
void log_open(const char *path);
void log_replay(void);
void log_add(const void *entry, u32 bytes);
void log_write(void);			/* everything added is durable */
void log_mark(u16 op, u64 epoch);

void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif /* FAKE_H */
