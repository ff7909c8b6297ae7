// SPDX-License-Identifier: GPL-2.0
/*
 * Complete directories: those whose entries are all in memory, in a table
 * (table.c). See "The namespace cache" in docs/ring-protocol.md.
 *
 * The table is a cache. Whatever it says the daemon would say too, after the
 * barrier of a request; so it can go at any moment, and then every name is
 * asked for again. li->table is NULL when the directory is not complete.
 *
 * Who touches a table, and why nobody is hurt:
 *  - Changes (begin to end) hold i_rwsem exclusively, lookups and readings
 *    hold it shared: they never meet. Two changes of one directory never
 *    meet. Lookups change nothing but hints, which may be anything.
 *  - The shrinker respects no i_rwsem. All others pin: table_users counts
 *    them; the shrinker takes a table away only by moving table_users from 0
 *    to -1, clears li->table, and moves it back. Who finds -1 proceeds as if
 *    the directory were not complete, which is true from then on: nobody
 *    brings a table back while i_rwsem is held for a change.
 *  - Loading needs i_rwsem, shared is enough: no change, hence no difference
 *    between one READDIR and the next. The bit LAKEFS_LOADING admits one
 *    loader; he works on a table that nobody else sees and publishes it. As
 *    li->table was NULL the shrinker has nothing to do with it before.
 *  - li->table changes under sbi->table_lock, together with the list that the
 *    shrinker walks. Eviction takes a table off that list under the lock, so
 *    what the shrinker finds there belongs to a living inode.
 *  - A table that is replaced or dropped by a change is freed at once: its
 *    pins are of the same i_rwsem, which is held exclusively.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include "table.h"
#include "ring.h"

#define LAKEFS_LOADING		0	/* bit of table_bits */
#define LAKEFS_SMALL_DIR	128	/* entries: read whole at once */
#define LAKEFS_MISS_COST	32	/* entries as dear as one LOOKUP */
#define LAKEFS_TABLE_MAX	(1u << 20)
#define LAKEFS_LOAD_BYTES_MAX	(LAKEFS_REPLY_MAX - 4096)
#define LAKEFS_WASTE_BYTES	4096

/*
 * Of every directory without entries, of all mounts. Many processors look at
 * it at once and nobody may write to it: it lies where a write faults.
 */
static const struct lakefs_table lakefs_no_entries_table;
#define lakefs_no_entries ((struct lakefs_table *)&lakefs_no_entries_table)

/* ---- whose table ----------------------------------------------------------- */

static bool lakefs_table_real(struct lakefs_table *t)
{
	return t && t != lakefs_no_entries;
}

/* See above who may. The one before is freed. */
static void lakefs_cache_set(struct inode *dir, struct lakefs_table *t)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(dir->i_sb);
	struct lakefs_inode_info *li = LAKEFS_I(dir);
	struct lakefs_table *old;

	spin_lock(&sbi->table_lock);
	old = li->table;
	if (lakefs_table_real(old))
		list_del(&old->lru);
	if (lakefs_table_real(t))
		list_add_tail(&t->lru, &sbi->tables);
	/* pairs with lakefs_cache_get(): t is complete */
	smp_store_release(&li->table, t);
	spin_unlock(&sbi->table_lock);
	if (lakefs_table_real(old))
		lakefs_table_free(old);
}

struct lakefs_table *lakefs_cache_get(struct inode *dir)
{
	struct lakefs_inode_info *li = LAKEFS_I(dir);
	struct lakefs_table *t;

	if (!READ_ONCE(li->table) ||
	    !atomic_inc_unless_negative(&li->table_users))
		return NULL;
	t = smp_load_acquire(&li->table);
	if (!t) {
		lakefs_cache_put(dir);
		return NULL;
	}
	if (lakefs_table_real(t) && !READ_ONCE(t->recent))
		WRITE_ONCE(t->recent, true);
	return t;
}

void lakefs_cache_put(struct inode *dir)
{
	/* release: pairs with the acquire of lakefs_cache_take() */
	(void)atomic_dec_return_release(&LAKEFS_I(dir)->table_users);
}

void lakefs_cache_empty(struct inode *dir)
{
	LAKEFS_I(dir)->table = lakefs_no_entries;
}

/*
 * The inode is on its way out: nobody uses it any more but the shrinker, and
 * the lock is taken in any case to wait for that.
 */
void lakefs_cache_evict(struct inode *dir)
{
	lakefs_cache_set(dir, NULL);
}

/* ---- memory pressure ------------------------------------------------------- */

/* KiB; about what an inode and its dentry weigh */
long lakefs_cache_count(struct super_block *sb, struct shrink_control *sc)
{
	return atomic_long_read(&LAKEFS_SB(sb)->table_bytes) >> 10;
}

/* Take the table from its inode, unless it is in use. table_lock held */
static bool lakefs_cache_take(struct lakefs_table *t)
{
	struct lakefs_inode_info *li = LAKEFS_I(t->dir);
	int users = 0;

	if (!atomic_try_cmpxchg_acquire(&li->table_users, &users, -1))
		return false;
	WRITE_ONCE(li->table, NULL);
	/* whoever pins from here on sees that there is none */
	atomic_set_release(&li->table_users, 0);
	return true;
}

/* Waits for nothing. Those used since the last look get another round. */
long lakefs_cache_shrink(struct super_block *sb, struct shrink_control *sc)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(sb);
	long want = sc->nr_to_scan << 10, freed = 0;
	struct lakefs_table *t, *next;
	LIST_HEAD(done);
	LIST_HEAD(keep);

	spin_lock(&sbi->table_lock);
	list_for_each_entry_safe(t, next, &sbi->tables, lru) {
		if (want <= 0)
			break;
		want -= READ_ONCE(t->bytes);
		if (READ_ONCE(t->recent) || !lakefs_cache_take(t)) {
			WRITE_ONCE(t->recent, false);
			list_move_tail(&t->lru, &keep);
			continue;
		}
		freed += t->bytes;
		list_move_tail(&t->lru, &done);
	}
	list_splice_tail(&keep, &sbi->tables);
	spin_unlock(&sbi->table_lock);
	list_for_each_entry_safe(t, next, &done, lru)
		lakefs_table_free(t);
	return freed >> 10;
}

/* ---- loading --------------------------------------------------------------- */

static int lakefs_load_entries(struct inode *dir, struct lakefs_table *t,
			       const u8 *buf, u32 bytes, u64 *cookie)
{
	const struct lakefs_p_dirent *de = NULL;
	loff_t entries = i_size_read(dir);
	u32 at;

	for (at = 0; at < bytes; at += de->len) {
		struct qstr name;

		de = (const void *)(buf + at);
		name = (struct qstr)QSTR_INIT((const u8 *)(de + 1),
					      de->name_bytes);
		if (t->count >= entries)
			goto contradiction;
		if (!lakefs_table_reserve(t, name.len))
			return -ENOMEM;
		if (!lakefs_table_append_new(t, &name, de->ino, de->type,
					     de->cookie))
			goto contradiction;
	}
	if (de)
		*cookie = de->cookie;
	return 0;

contradiction:
	lakefs_err(LAKEFS_SB(dir->i_sb),
		   "directory %llu has more entries than it says, or one twice",
		   (u64)dir->i_ino);
	return -EUCLEAN;
}

static int lakefs_load_table(struct inode *dir, struct lakefs_table *t)
{
	loff_t entries = i_size_read(dir);
	u32 room = clamp_t(loff_t, entries * 64 + 512, 0,
			   LAKEFS_LOAD_BYTES_MAX);
	u64 cookie = 0;
	bool more = true;
	u8 *buf;
	int ret = 0;

	buf = kvmalloc(room, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	lakefs_table_expect(t, entries);
	while (more) {
		ret = lakefs_ask_readdir(dir, cookie, buf, room, &more);
		if (ret >= 0)
			ret = lakefs_load_entries(dir, t, buf, ret, &cookie);
		if (ret)
			break;
	}
	kvfree(buf);
	if (!ret && t->count != entries) {
		lakefs_err(LAKEFS_SB(dir->i_sb),
			   "directory %llu has fewer entries than it says",
			   (u64)dir->i_ino);
		ret = -EUCLEAN;
	}
	return ret;
}

static int lakefs_cache_load(struct inode *dir)
{
	struct lakefs_inode_info *li = LAKEFS_I(dir);
	struct lakefs_table *t;
	int err = 0;

	if (wait_on_bit_lock(&li->table_bits, LAKEFS_LOADING,
			     LAKEFS_WAIT_KILLABLE))
		return -EINTR;
	if (smp_load_acquire(&li->table))
		goto out;
	t = lakefs_table_alloc(dir);
	if (!t)
		goto out;
	err = lakefs_load_table(dir, t);
	if (err)
		lakefs_table_free(t);
	else
		lakefs_cache_set(dir, t);
	li->table_misses = 0;
	/* the table is a convenience */
	if (err == -ENOMEM)
		err = 0;
out:
	clear_and_wake_up_bit(LAKEFS_LOADING, &li->table_bits);
	return err;
}

int lakefs_cache_missed(struct inode *dir)
{
	struct lakefs_inode_info *li = LAKEFS_I(dir);
	u32 misses = READ_ONCE(li->table_misses);
	loff_t size = i_size_read(dir);

	/* the count is a hint: lookups race */
	WRITE_ONCE(li->table_misses, misses + 1);
	if (size > LAKEFS_TABLE_MAX ||
	    size > LAKEFS_SMALL_DIR + (u64)misses * LAKEFS_MISS_COST)
		return 0;
	return lakefs_cache_load(dir);
}

int lakefs_cache_reading(struct inode *dir)
{
	struct lakefs_inode_info *li = LAKEFS_I(dir);

	if (READ_ONCE(li->table) || i_size_read(dir) > LAKEFS_TABLE_MAX)
		return 0;
	return lakefs_cache_load(dir);
}

/* ---- changes --------------------------------------------------------------- */

/* a table of its own, and not one that is mostly dead */
static struct lakefs_table *lakefs_cache_renew(struct inode *dir,
					       struct lakefs_table *t)
{
	struct lakefs_table *new;

	if (t == lakefs_no_entries)
		new = lakefs_table_alloc(dir);
	else if (t->dead_bytes > t->live_bytes + LAKEFS_WASTE_BYTES)
		new = lakefs_table_copy(t);
	else
		return t;
	if (!new)
		return lakefs_table_real(t) ? t : NULL;
	lakefs_cache_set(dir, new);
	return new;
}

struct lakefs_table *lakefs_cache_begin(struct inode *dir,
					unsigned int add_len)
{
	struct lakefs_table *t = lakefs_cache_get(dir);

	if (!t || !add_len)
		return t;
	t = lakefs_cache_renew(dir, t);
	if (t && lakefs_table_reserve(t, add_len))
		return t;
	lakefs_cache_set(dir, NULL);
	lakefs_cache_put(dir);
	return NULL;
}

void lakefs_cache_add(struct lakefs_table *t, const struct qstr *name,
		      u64 ino, umode_t mode, u64 cookie)
{
	if (t)
		lakefs_table_append(t, name, ino, S_DT(mode), cookie);
}

/*
 * The VFS found the name by this very table, or by a LOOKUP that the daemon's
 * READDIR contradicts: then the table is worth nothing, see the end.
 */
static struct lakefs_entry *lakefs_cache_own(struct lakefs_table *t,
					     const struct qstr *name)
{
	struct lakefs_entry *e = lakefs_table_find(t, name);

	if (!e && lakefs_table_real(t))
		t->wrong = true;
	return e;
}

void lakefs_cache_remove(struct lakefs_table *t, const struct qstr *name)
{
	struct lakefs_entry *e = t ? lakefs_cache_own(t, name) : NULL;

	if (e)
		lakefs_table_remove(t, e);
}

void lakefs_cache_replace(struct lakefs_table *t, const struct qstr *name,
			  u64 ino, umode_t mode)
{
	struct lakefs_entry *e = t ? lakefs_cache_own(t, name) : NULL;

	if (e) {
		e->ino = ino;
		e->type = S_DT(mode);
	}
}

void lakefs_cache_end(struct inode *dir, struct lakefs_table *t)
{
	if (!t)
		return;
	if (t->wrong)
		lakefs_cache_set(dir, NULL);
	/* emptied (rm -r): most of these directories go at once */
	else if (!t->count && t->bytes > LAKEFS_WASTE_BYTES)
		lakefs_cache_set(dir, lakefs_no_entries);
	lakefs_cache_put(dir);
}
