/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The entries of one directory in memory (table.c), and how inodes come by
 * them (dircache.c, fetch.c).
 */
#ifndef LAKEFS_TABLE_H
#define LAKEFS_TABLE_H

#include "lakefs.h"

/*
 * One entry. It lies in a chunk, at a place that a 32-bit reference names;
 * it never moves while its table lives, and keeps its length when it is dead.
 */
struct lakefs_entry {
	u64 cookie;
	u64 ino;
	u32 hash;
	u32 next;			/* reference: same bucket; 0: last */
	u8 type;			/* DT_*; 0: dead */
	u8 len;
	char name[];
};

/* entries one after the other, by cookie; the header counts as used */
struct lakefs_chunk {
	u32 used, bytes;
};

#define LAKEFS_TABLE_FEW	16

struct lakefs_table {
	struct list_head lru;		/* sbi->table_lock */
	struct inode *dir;
	atomic_long_t *total;		/* of all tables' bytes */
	struct lakefs_chunk **chunks;
	u32 *buckets;			/* references */
	u32 bucket_mask;
	u32 chunk_count, chunk_room;
	u32 count;			/* of live entries */
	size_t bytes, live_bytes, dead_bytes;
	u64 ahead_cookie;		/* hints of fetch.c */
	u32 ahead;
	u32 expected;			/* entries a reader saw, not fetched */
	bool recent;			/* used since the shrinker saw it */
	bool wrong;			/* a change proved it: to be dropped */
	struct lakefs_chunk *first_chunks[4];
	u32 first_buckets[LAKEFS_TABLE_FEW];
};

/* ---- table.c: no locks; whoever changes a table is alone with it --------- */
struct lakefs_table *lakefs_table_alloc(struct inode *dir);
void lakefs_table_free(struct lakefs_table *t);
/* so many entries will come: a hint */
void lakefs_table_expect(struct lakefs_table *t, u32 count);
/* make sure that an append of that name cannot fail. False: no memory */
bool lakefs_table_reserve(struct lakefs_table *t, unsigned int len);
/* cookie is greater than that of any entry before */
void lakefs_table_append(struct lakefs_table *t, const struct qstr *name,
			 u64 ino, u8 type, u64 cookie);
/* the same unless the name is there: false */
bool lakefs_table_append_new(struct lakefs_table *t, const struct qstr *name,
			     u64 ino, u8 type, u64 cookie);
struct lakefs_entry *lakefs_table_find(struct lakefs_table *t,
				       const struct qstr *name);
void lakefs_table_remove(struct lakefs_table *t, struct lakefs_entry *e);
/* a new one with what is live in t; NULL: no memory */
struct lakefs_table *lakefs_table_copy(struct lakefs_table *t);

struct lakefs_cursor {
	struct lakefs_table *t;
	u32 chunk, at;			/* of the entry that comes next */
};
/* the next live entry; NULL: no more */
struct lakefs_entry *lakefs_cursor_next(struct lakefs_cursor *c);
/* next comes the first entry with that cookie or a greater one */
void lakefs_cursor_seek(struct lakefs_cursor *c, struct lakefs_table *t,
			u64 cookie);

/* ---- dircache.c ---------------------------------------------------------- */
/* NULL: not complete. Holds off the shrinker until the put */
struct lakefs_table *lakefs_cache_get(struct inode *dir);
void lakefs_cache_put(struct inode *dir);
/*
 * A name is missed, or the directory is about to be read from its beginning:
 * reads it whole if that pays. i_rwsem, shared is enough. 0 says nothing
 * about success; errors are the daemon's or -EINTR.
 */
int lakefs_cache_missed(struct inode *dir);
int lakefs_cache_reading(struct inode *dir);
/*
 * Around a change, under i_rwsem exclusively. What begin gives (NULL: not
 * complete) goes through add, remove and replace to end; add of a name of
 * add_len bytes cannot fail.
 */
struct lakefs_table *lakefs_cache_begin(struct inode *dir,
					unsigned int add_len);
void lakefs_cache_add(struct lakefs_table *t, const struct qstr *name,
		      u64 ino, umode_t mode, u64 cookie);
void lakefs_cache_remove(struct lakefs_table *t, const struct qstr *name);
/* the name stays with its cookie, for another inode */
void lakefs_cache_replace(struct lakefs_table *t, const struct qstr *name,
			  u64 ino, umode_t mode);
void lakefs_cache_end(struct inode *dir, struct lakefs_table *t);
/* the directory was just made, or has no entry for sure */
void lakefs_cache_empty(struct inode *dir);

/* ---- fetch.c ------------------------------------------------------------- */
/*
 * The inode of e, with a reference; puts t. May bring others along. to_open:
 * its data is wanted.
 */
struct inode *lakefs_fetch(struct inode *dir, struct lakefs_table *t,
			   struct lakefs_entry *e, bool to_open);

/* ---- dir.c --------------------------------------------------------------- */
/*
 * READDIR of what comes after a cookie; every entry of the answer is checked.
 * Returns the bytes; *more: there are entries behind them.
 */
int lakefs_ask_readdir(struct inode *dir, u64 cookie, void *buf, u32 bytes,
		       bool *more);

#endif /* LAKEFS_TABLE_H */
