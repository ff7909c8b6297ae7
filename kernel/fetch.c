// SPDX-License-Identifier: GPL-2.0
/*
 * Inodes of a complete directory that are not in memory: INODES, many at a
 * time. The one that is needed comes first, those behind it in the order of
 * reading come along.
 *
 * How many: one for a single lookup; more and more while lookups walk along
 * the directory; and many when it was just read, for as many entries as the
 * reader saw (programs that read a directory look at its entries next, often
 * in another order).
 *
 * Maps of files come along when their data is likely to be wanted: the file is
 * looked up to be opened, or EXTENTS were asked for not long ago. Programs that
 * only look at attributes (find, ls) shall not pay for maps.
 *
 * A record that came along counts like that of any other inode: only if
 * nothing was evicted since that might be newer (lakefs_iget).
 */
#include <linux/slab.h>
#include "data.h"
#include "table.h"

#define LAKEFS_AHEAD_READ	64	/* the first ones after a reading */
#define LAKEFS_AHEAD_NEAR	16	/* entries: still "along" */
#define LAKEFS_AHEAD_MAPS	HZ	/* so long after an EXTENTS */
#define LAKEFS_FETCH_BYTES_MAX	(LAKEFS_REPLY_MAX - 4096)

struct lakefs_fetch {
	u32 reply_max;
	struct lakefs_r_inodes ask;
	u64 ino[];			/* of ask */
};

/* ---- what to ask for --------------------------------------------------------- */

/* does e come shortly after the last entry that was asked for? */
static bool lakefs_walks_along(struct lakefs_table *t,
			       const struct lakefs_entry *e)
{
	u64 last = READ_ONCE(t->ahead_cookie);
	struct lakefs_cursor c;
	int i;

	if (!last || e->cookie <= last)
		return false;
	lakefs_cursor_seek(&c, t, last + 1);
	for (i = 0; i < LAKEFS_AHEAD_NEAR; i++)
		if (lakefs_cursor_next(&c) == e)
			return true;
	return false;
}

static u32 lakefs_ahead(struct lakefs_table *t, const struct lakefs_entry *e)
{
	u32 expected = READ_ONCE(t->expected);
	u32 n = max(READ_ONCE(t->ahead), 1u);

	if (expected)
		n = n < LAKEFS_AHEAD_READ ? LAKEFS_AHEAD_READ : n * 4;
	else if (lakefs_walks_along(t, e))
		n = n * 4;
	else
		n = 1;
	n = min3(n, t->count, (u32)LAKEFS_INODES_MAX);
	/* hints: racing lookups do no harm */
	WRITE_ONCE(t->ahead, n);
	WRITE_ONCE(t->expected, expected - min(expected, n));
	return n;
}

static bool lakefs_in_memory(struct super_block *sb, u64 ino)
{
	bool found;

	rcu_read_lock();
	found = find_inode_by_ino_rcu(sb, ino);
	rcu_read_unlock();
	return found;
}

/* How many extents of each file; hints again. */
static u32 lakefs_ahead_extents(struct lakefs_sb_info *sbi, bool to_open)
{
	u64 asked = READ_ONCE(sbi->req_count[LAKEFS_R_EXTENTS]);

	if (asked != READ_ONCE(sbi->maps_asked)) {
		WRITE_ONCE(sbi->maps_asked, asked);
		WRITE_ONCE(sbi->maps_until, jiffies + LAKEFS_AHEAD_MAPS);
		to_open = true;
	}
	if (to_open || time_before(jiffies, READ_ONCE(sbi->maps_until)))
		return LAKEFS_INODES_EXTENTS_MAX;
	return 0;
}

static u32 lakefs_fetch_bytes(u8 type, u32 max_extents)
{
	u32 bytes = sizeof(struct lakefs_p_inode);

	if (type == DT_LNK)
		bytes += ALIGN(LAKEFS_SYMLINK_MAX, LAKEFS_ENTRY_ALIGN);
	else if (type == DT_REG)
		bytes += max_extents * sizeof(struct lakefs_p_extent);
	return bytes;
}

/* NULL: no memory */
static struct lakefs_fetch *lakefs_fetch_plan(struct super_block *sb,
					      struct lakefs_table *t,
					      struct lakefs_entry *e,
					      bool to_open)
{
	u32 n = lakefs_ahead(t, e), looks = 4 * n, bytes;
	struct lakefs_fetch *f;
	struct lakefs_cursor c;

	f = kmalloc(struct_size(f, ino, n), GFP_KERNEL);
	if (!f)
		return NULL;
	f->ask.count = 0;
	f->ask.max_extents = lakefs_ahead_extents(LAKEFS_SB(sb),
				to_open && e->type == DT_REG);
	f->reply_max = 0;
	lakefs_cursor_seek(&c, t, e->cookie + 1);
	for (;;) {
		bytes = lakefs_fetch_bytes(e->type, f->ask.max_extents);
		if (f->reply_max + bytes > LAKEFS_FETCH_BYTES_MAX)
			break;
		f->reply_max += bytes;
		f->ino[f->ask.count++] = e->ino;
		WRITE_ONCE(t->ahead_cookie, e->cookie);
		if (f->ask.count == n)
			break;
		do
			e = lakefs_cursor_next(&c);
		while (e && lakefs_in_memory(sb, e->ino) && --looks);
		if (!e || !looks)
			break;
	}
	return f;
}

/* ---- what comes ---------------------------------------------------------------- */

/* an entry of the answer; its record is checked elsewhere */
static const struct lakefs_p_inode *lakefs_fetch_next(const u8 *at, u32 room)
{
	const struct lakefs_p_inode *p = (const void *)at;
	size_t need = sizeof(*p);

	if (room < need || p->len > room ||
	    !IS_ALIGNED(p->len, LAKEFS_ENTRY_ALIGN) ||
	    p->extents > LAKEFS_INODES_EXTENTS_MAX ||
	    p->inode.link_bytes > LAKEFS_SYMLINK_MAX)
		return NULL;
	need += ALIGN(p->inode.link_bytes, LAKEFS_ENTRY_ALIGN) +
		p->extents * sizeof(struct lakefs_p_extent);
	return p->len >= need ? p : NULL;
}

static void lakefs_fetch_map(const struct lakefs_p_inode *p,
			     struct lakefs_iget *get)
{
	get->rec = &p->inode;
	get->rec_bytes = sizeof(p->inode) + p->inode.link_bytes;
	if (p->flags & LAKEFS_P_INODE_WHOLE && S_ISREG(p->inode.mode)) {
		get->extents = (const void *)((const u8 *)(p + 1) +
			ALIGN(p->inode.link_bytes, LAKEFS_ENTRY_ALIGN));
		get->extent_count = p->extents;
	}
}

/* The first one, with a reference; the others only go into the cache. */
static struct inode *lakefs_fetch_take(struct super_block *sb,
				       const struct lakefs_fetch *f,
				       const u8 *reply, u32 bytes, u64 barrier)
{
	const struct lakefs_p_inode *p;
	struct inode *first = NULL, *inode;
	u32 at, i = 0;

	for (at = 0; at < bytes; at += p->len) {
		struct lakefs_iget get = { .barrier = barrier };

		p = lakefs_fetch_next(reply + at, bytes - at);
		if (!p)
			goto bad;
		/* in the order asked; only the first one has to be there */
		while (i < f->ask.count && f->ino[i] != p->inode.ino)
			i++;
		if (i == f->ask.count || (!at && i))
			goto bad;
		i++;
		get.only_cache = at;
		lakefs_fetch_map(p, &get);
		inode = lakefs_iget_fetched(sb, &get);
		if (!at && IS_ERR(inode))
			return inode;
		if (!at)
			first = inode;
		else if (!IS_ERR_OR_NULL(inode))
			iput(inode);
	}
	if (first)
		return first;
bad:
	lakefs_err(LAKEFS_SB(sb), "bad answer about inode %llu", f->ino[0]);
	if (first)
		iput(first);
	return ERR_PTR(-EUCLEAN);
}

static struct inode *lakefs_fetch_ask(struct inode *dir,
				      struct lakefs_fetch *f)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(dir->i_sb);
	struct lakefs_answer answer = { .reply_max = f->reply_max };
	struct inode *inode;
	u64 barrier;
	int ret;

	answer.reply = kvmalloc(f->reply_max, GFP_KERNEL);
	if (!answer.reply)
		return ERR_PTR(-ENOMEM);
	/* the directory's own: a whiteout was never in memory */
	barrier = max(READ_ONCE(LAKEFS_I(dir)->last_seq),
		      lakefs_unknown_barrier(sbi));
	ret = lakefs_request(sbi, &f->ask,
			     sizeof(f->ask) + f->ask.count * sizeof(f->ino[0]),
			     LAKEFS_R_INODES, barrier, &answer);
	if (ret < 0)
		inode = ERR_PTR(ret == -ENOENT ? -EUCLEAN : ret);
	else
		inode = lakefs_fetch_take(dir->i_sb, f, answer.reply, ret,
					  barrier);
	kvfree(answer.reply);
	return inode;
}

struct inode *lakefs_fetch(struct inode *dir, struct lakefs_table *t,
			   struct lakefs_entry *e, bool to_open)
{
	u8 type = e->type;
	struct lakefs_fetch *f = NULL;
	struct inode *inode;
	u64 ino = e->ino;

	inode = ilookup(dir->i_sb, ino);
	if (!inode)
		f = lakefs_fetch_plan(dir->i_sb, t, e, to_open);
	/* the daemon may take its time */
	lakefs_cache_put(dir);
	if (f)
		inode = lakefs_fetch_ask(dir, f);
	else if (!inode)
		return ERR_PTR(-ENOMEM);
	kfree(f);
	if (!IS_ERR(inode) &&
	    (S_DT(inode->i_mode) != type || !inode->i_nlink)) {
		lakefs_err(LAKEFS_SB(dir->i_sb),
			   "inode %llu is not what directory %llu says", ino,
			   (u64)dir->i_ino);
		iput(inode);
		return ERR_PTR(-EUCLEAN);
	}
	return inode;
}
