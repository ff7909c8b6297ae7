// SPDX-License-Identifier: GPL-2.0
/*
 * The entries of a directory in memory.
 *
 * Cookies only grow, so entries are appended, and the order of memory is the
 * order of reading. Chunks double up to a page. A name is found by chains
 * over the hash; a reference is the chunk's number and the place in it, in
 * units of 8 bytes. What is removed stays where it is, dead, until a copy
 * leaves it behind (lakefs_cache_begin).
 */
#include <linux/slab.h>
#include <linux/stringhash.h>
#include "table.h"

#define LAKEFS_CHUNK_MIN	256u
#define LAKEFS_CHUNK_MAX	4096u
#define LAKEFS_REF_BITS		9	/* of the place in a chunk */
/* no table is worth killing anybody */
#define LAKEFS_TABLE_GFP_LARGE \
	(GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN)
#define LAKEFS_TABLE_GFP \
	(LAKEFS_TABLE_GFP_LARGE | __GFP_RECLAIMABLE)

static u32 lakefs_entry_bytes(unsigned int len)
{
	return ALIGN(offsetof(struct lakefs_entry, name) + len, 8);
}

static struct lakefs_entry *lakefs_entry_at(struct lakefs_table *t, u32 ref)
{
	struct lakefs_chunk *chunk = t->chunks[ref >> LAKEFS_REF_BITS];

	return (void *)((u64 *)chunk + (ref & ((1u << LAKEFS_REF_BITS) - 1)));
}

static u32 lakefs_name_hash(struct lakefs_table *t, const struct qstr *name)
{
	/* salted as the dcache's: by an address nobody knows */
	return full_name_hash(t->total, name->name, name->len);
}

static void lakefs_table_account(struct lakefs_table *t, long bytes)
{
	t->bytes += bytes;
	atomic_long_add(bytes, t->total);
}

struct lakefs_table *lakefs_table_alloc(struct inode *dir)
{
	struct lakefs_table *t;

	BUILD_BUG_ON(LAKEFS_CHUNK_MAX > 8u << LAKEFS_REF_BITS);
	t = kzalloc(sizeof(*t), LAKEFS_TABLE_GFP);
	if (!t)
		return NULL;
	INIT_LIST_HEAD(&t->lru);
	t->dir = dir;
	t->total = &LAKEFS_SB(dir->i_sb)->table_bytes;
	t->chunks = t->first_chunks;
	t->chunk_room = ARRAY_SIZE(t->first_chunks);
	t->buckets = t->first_buckets;
	t->bucket_mask = LAKEFS_TABLE_FEW - 1;
	lakefs_table_account(t, sizeof(*t));
	return t;
}

void lakefs_table_free(struct lakefs_table *t)
{
	u32 i;

	for (i = 0; i < t->chunk_count; i++)
		kfree(t->chunks[i]);
	if (t->chunks != t->first_chunks)
		kvfree(t->chunks);
	if (t->buckets != t->first_buckets)
		kvfree(t->buckets);
	atomic_long_sub(t->bytes, t->total);
	kfree(t);
}

/* ---- growing --------------------------------------------------------------- */

static bool lakefs_table_more_chunks(struct lakefs_table *t)
{
	u32 room = t->chunk_room * 2;
	struct lakefs_chunk **chunks;

	if (room > 1u << (32 - LAKEFS_REF_BITS))
		return false;
	chunks = kvmalloc_array(room, sizeof(*chunks),
				LAKEFS_TABLE_GFP_LARGE);
	if (!chunks)
		return false;
	memcpy(chunks, t->chunks, t->chunk_count * sizeof(*chunks));
	if (t->chunks != t->first_chunks)
		kvfree(t->chunks);
	lakefs_table_account(t, (room - t->chunk_room) * sizeof(*chunks));
	t->chunks = chunks;
	t->chunk_room = room;
	return true;
}

static bool lakefs_table_add_chunk(struct lakefs_table *t, u32 need)
{
	u32 bytes = LAKEFS_CHUNK_MIN << min(t->chunk_count, 4u);
	struct lakefs_chunk *chunk;

	if (t->chunk_count == t->chunk_room && !lakefs_table_more_chunks(t))
		return false;
	while (bytes < sizeof(*chunk) + need)
		bytes *= 2;
	chunk = kmalloc(bytes, LAKEFS_TABLE_GFP);
	if (!chunk)
		return false;
	chunk->used = sizeof(*chunk);
	chunk->bytes = bytes;
	t->chunks[t->chunk_count++] = chunk;
	lakefs_table_account(t, bytes);
	return true;
}

/* n is a power of two. Without memory chains just get longer. */
static void lakefs_table_more_buckets(struct lakefs_table *t, u32 n)
{
	u32 i, ref, next;
	struct lakefs_entry *e;
	u32 *buckets;

	buckets = kvcalloc(n, sizeof(*buckets), LAKEFS_TABLE_GFP_LARGE);
	if (!buckets)
		return;
	for (i = 0; i <= t->bucket_mask; i++) {
		for (ref = t->buckets[i]; ref; ref = next) {
			e = lakefs_entry_at(t, ref);
			next = e->next;
			e->next = buckets[e->hash & (n - 1)];
			buckets[e->hash & (n - 1)] = ref;
		}
	}
	if (t->buckets != t->first_buckets)
		kvfree(t->buckets);
	lakefs_table_account(t, (n - t->bucket_mask - 1) * sizeof(*buckets));
	t->buckets = buckets;
	t->bucket_mask = n - 1;
}

void lakefs_table_expect(struct lakefs_table *t, u32 count)
{
	u32 n = roundup_pow_of_two(max(count, 1u));

	if (n > t->bucket_mask + 1)
		lakefs_table_more_buckets(t, n);
}

bool lakefs_table_reserve(struct lakefs_table *t, unsigned int len)
{
	u32 need = lakefs_entry_bytes(len);
	struct lakefs_chunk *last;

	if (t->count > t->bucket_mask)
		lakefs_table_more_buckets(t, (t->bucket_mask + 1) * 2);
	if (t->chunk_count) {
		last = t->chunks[t->chunk_count - 1];
		if (last->bytes - last->used >= need)
			return true;
	}
	return lakefs_table_add_chunk(t, need);
}

/* ---- entries --------------------------------------------------------------- */

static void lakefs_table_put(struct lakefs_table *t, const struct qstr *name,
			     u32 hash, u64 ino, u8 type, u64 cookie)
{
	struct lakefs_chunk *chunk = t->chunks[t->chunk_count - 1];
	u32 bytes = lakefs_entry_bytes(name->len), *bucket;
	struct lakefs_entry *e = (void *)chunk + chunk->used;

	e->cookie = cookie;
	e->ino = ino;
	e->hash = hash;
	e->type = type;
	e->len = name->len;
	memcpy(e->name, name->name, name->len);
	bucket = &t->buckets[e->hash & t->bucket_mask];
	e->next = *bucket;
	*bucket = (t->chunk_count - 1) << LAKEFS_REF_BITS | chunk->used / 8;
	chunk->used += bytes;
	t->live_bytes += bytes;
	t->count++;
}

void lakefs_table_append(struct lakefs_table *t, const struct qstr *name,
			 u64 ino, u8 type, u64 cookie)
{
	lakefs_table_put(t, name, lakefs_name_hash(t, name), ino, type,
			 cookie);
}

static struct lakefs_entry *lakefs_table_look(struct lakefs_table *t,
					      const struct qstr *name, u32 hash)
{
	u32 ref = t->buckets[hash & t->bucket_mask];

	while (ref) {
		struct lakefs_entry *e = lakefs_entry_at(t, ref);

		if (e->hash == hash && e->len == name->len &&
		    !memcmp(e->name, name->name, name->len))
			return e;
		ref = e->next;
	}
	return NULL;
}

struct lakefs_entry *lakefs_table_find(struct lakefs_table *t,
				       const struct qstr *name)
{
	if (!t->count)
		return NULL;
	return lakefs_table_look(t, name, lakefs_name_hash(t, name));
}

bool lakefs_table_append_new(struct lakefs_table *t, const struct qstr *name,
			     u64 ino, u8 type, u64 cookie)
{
	u32 hash = lakefs_name_hash(t, name);

	if (lakefs_table_look(t, name, hash))
		return false;
	lakefs_table_put(t, name, hash, ino, type, cookie);
	return true;
}

void lakefs_table_remove(struct lakefs_table *t, struct lakefs_entry *e)
{
	u32 *link = &t->buckets[e->hash & t->bucket_mask];
	u32 bytes = lakefs_entry_bytes(e->len);
	struct lakefs_entry *at;

	while ((at = lakefs_entry_at(t, *link)) != e)
		link = &at->next;
	*link = e->next;
	e->type = 0;
	t->live_bytes -= bytes;
	t->dead_bytes += bytes;
	t->count--;
}

struct lakefs_table *lakefs_table_copy(struct lakefs_table *t)
{
	struct lakefs_table *copy = lakefs_table_alloc(t->dir);
	struct lakefs_cursor c = { .t = t };
	struct lakefs_entry *e;

	if (!copy)
		return NULL;
	while ((e = lakefs_cursor_next(&c))) {
		struct qstr name = QSTR_INIT(e->name, e->len);

		if (!lakefs_table_reserve(copy, e->len)) {
			lakefs_table_free(copy);
			return NULL;
		}
		lakefs_table_append(copy, &name, e->ino, e->type, e->cookie);
	}
	return copy;
}

/* ---- order ----------------------------------------------------------------- */

struct lakefs_entry *lakefs_cursor_next(struct lakefs_cursor *c)
{
	struct lakefs_table *t = c->t;

	while (c->chunk < t->chunk_count) {
		struct lakefs_chunk *chunk = t->chunks[c->chunk];

		if (!c->at)
			c->at = sizeof(*chunk);
		while (c->at < chunk->used) {
			struct lakefs_entry *e = (void *)chunk + c->at;

			c->at += lakefs_entry_bytes(e->len);
			if (e->type)
				return e;
		}
		c->chunk++;
		c->at = 0;
	}
	return NULL;
}

/* the last chunk may be empty: a reservation that was not used */
static bool lakefs_chunk_begins_after(struct lakefs_chunk *chunk, u64 cookie)
{
	struct lakefs_entry *first = (void *)(chunk + 1);

	return chunk->used == sizeof(*chunk) || first->cookie > cookie;
}

void lakefs_cursor_seek(struct lakefs_cursor *c, struct lakefs_table *t,
			u64 cookie)
{
	u32 lo = 0, hi = t->chunk_count, mid;
	struct lakefs_chunk *chunk;
	struct lakefs_entry *e;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (lakefs_chunk_begins_after(t->chunks[mid], cookie))
			hi = mid;
		else
			lo = mid + 1;
	}
	c->t = t;
	c->chunk = lo ? lo - 1 : 0;
	c->at = sizeof(*chunk);
	if (!t->chunk_count)
		return;
	chunk = t->chunks[c->chunk];
	while (c->at < chunk->used) {
		e = (void *)chunk + c->at;
		if (e->cookie >= cookie)
			break;
		c->at += lakefs_entry_bytes(e->len);
	}
}
