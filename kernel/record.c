// SPDX-License-Identifier: GPL-2.0
/*
 * Records: the changes that are not durable yet, in the order of their seq.
 *
 * sbi->recs holds them all. A prefix of the list is in the intent ring of the
 * present attachment (up to sent_seq); send_next is the first that is not.
 * The list, not the ring, is what a successor daemon is served from.
 *
 * A change of attributes that follows another one of the same inode, with
 * nothing in between, becomes part of its record: what unpacks an archive sets
 * owner, mode and times with three calls. So the newest record, when it may be
 * joined, is kept out of the ring until something follows it, somebody waits
 * or the bell rings. In the order of all records the two then are one step,
 * which is a prefix of what the program did, like any other. What some daemon
 * was sent (seen_seq) is never changed: it may be in the log already, and the
 * successor that finds it there takes it for done.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "ring.h"

/*
 * Back-pressure of programs; writeback, completion and eviction are exempt. A
 * small lake has a small budget: what is recorded has to find room in its page
 * store even if that was full when the records were made (LAKEFS_DAEMON_FULL
 * comes only with what is applied). A record is taken to grow the tree by up
 * to three times its size: docs/durability.md, "When metadata is full".
 */
#define LAKEFS_REC_BYTES_MAX	(16u << 20)
#define LAKEFS_REC_BYTES_MIN	(128u << 10)
#define LAKEFS_REC_STORE_PART	16
#define LAKEFS_REC_COUNT_MAX	32768u
#define LAKEFS_PUMP_BATCH	65536u	/* bytes copied under one rec_lock */
#define LAKEFS_FREE_BATCH	256
#define LAKEFS_BELL_DELAY_MS	4	/* mere intents are sent in batches */

/* map records are one per written extent: most of all records */
#define LAKEFS_REC_SLAB_ENTRY \
	(sizeof(struct lakefs_i_map) + 4 * LAKEFS_MAP_BLOCKS_MAX)
static struct kmem_cache *lakefs_rec_cache;

/* Having one keeps the kernel from zeroing what is overwritten anyway. */
static void lakefs_map_rec_ctor(void *object)
{
	struct lakefs_rec *rec = object;

	rec->cost = offsetof(struct lakefs_rec, entry) + LAKEFS_REC_SLAB_ENTRY;
	rec->kind = LAKEFS_REC_MAP;
}

int lakefs_rec_init(void)
{
	lakefs_rec_cache = kmem_cache_create("lakefs_record",
			offsetof(struct lakefs_rec, entry) +
			LAKEFS_REC_SLAB_ENTRY, 0, SLAB_RECLAIM_ACCOUNT,
			lakefs_map_rec_ctor);
	return lakefs_rec_cache ? 0 : -ENOMEM;
}

void lakefs_rec_exit(void)
{
	kmem_cache_destroy(lakefs_rec_cache);
}

u32 lakefs_map_recs_alloc(u32 n, gfp_t gfp, struct list_head *list)
{
	void *objects[LAKEFS_BANK_BATCH];
	u32 i;

	if (!kmem_cache_alloc_bulk(lakefs_rec_cache, gfp, n, objects))
		return 0;
	for (i = 0; i < n; i++)
		list_add(&((struct lakefs_rec *)objects[i])->link, list);
	return n;
}

void lakefs_map_recs_free(struct list_head *list)
{
	void *objects[LAKEFS_BANK_BATCH];
	struct lakefs_rec *rec, *next;
	u32 n = 0;

	list_for_each_entry_safe(rec, next, list, link) {
		objects[n++] = rec;
		if (n == LAKEFS_BANK_BATCH) {
			kmem_cache_free_bulk(lakefs_rec_cache, n, objects);
			n = 0;
		}
	}
	if (n)
		kmem_cache_free_bulk(lakefs_rec_cache, n, objects);
}

/* The entry is zeroed; its header's len and op are set. May sleep by gfp. */
struct lakefs_rec *lakefs_rec_alloc(u16 op, size_t entry_bytes, gfp_t gfp)
{
	size_t len = ALIGN(entry_bytes, LAKEFS_ENTRY_ALIGN);
	size_t bytes = offsetof(struct lakefs_rec, entry) + len;
	struct lakefs_rec *rec;

	if (WARN_ON_ONCE(len > LAKEFS_INTENT_MAX))
		return NULL;
	rec = kvzalloc(bytes, gfp);
	if (!rec)
		return NULL;
	INIT_LIST_HEAD(&rec->link);
	rec->cost = bytes;
	rec->entry.hdr.len = len;
	rec->entry.hdr.op = op;
	return rec;
}

void lakefs_rec_free(struct lakefs_rec *rec)
{
	if (!rec)
		return;
	if (rec->kind == LAKEFS_REC_MAP)
		kmem_cache_free(lakefs_rec_cache, rec);
	else
		kvfree(rec);
}

/* put one record into the ring; on a full ring make sure of a KICK */
static int lakefs_pump_room(struct lakefs_sb_info *sbi,
			    struct lakefs_attachment *att,
			    struct lakefs_rec *rec)
{
	u32 len = rec->entry.hdr.len;
	int err = lakefs_ring_put(&att->intents, rec->entry.bytes, len, len);

	if (err != -EAGAIN)
		return err;
	/*
	 * From here the daemon sees last_seq > sent_seq and will KICK after
	 * it made room; look again in case it just did without seeing it.
	 */
	WRITE_ONCE(att->k->last_seq, sbi->last_seq);
	smp_mb();
	return lakefs_ring_put(&att->intents, rec->entry.bytes, len, len);
}

/*
 * All but keep, the newest record, which waits for what it may be joined with.
 * Returns true when it stopped for the batch limit and more could be sent.
 */
static bool __lakefs_rec_pump(struct lakefs_sb_info *sbi, u32 max_bytes,
			      const struct lakefs_rec *keep)
{
	struct lakefs_attachment *att = lakefs_running_att(sbi);
	u64 start, sent = sbi->sent_seq;
	int err = 0;

	lockdep_assert_held(&sbi->rec_lock);
	if (!att)
		return false;
	start = att->intents.head;
	while (sbi->send_next && sbi->send_next != keep &&
	       att->intents.head - start < max_bytes) {
		struct lakefs_rec *rec = sbi->send_next;

		err = lakefs_pump_room(sbi, att, rec);
		if (err)
			break;
		sent = rec->seq;
		sbi->send_next = list_is_last(&rec->link, &sbi->recs) ? NULL :
				 list_next_entry(rec, link);
	}
	if (err == -EPROTO) {
		lakefs_att_break(att, "bad tail of the intent ring");
		return false;
	}
	/* a full ring needs a KICK, which sends all; what is kept does not */
	WRITE_ONCE(att->k->last_seq, sbi->last_seq - (keep && !err ? 1 : 0));
	if (att->intents.head != start) {
		lakefs_ring_publish(&att->intents);
		smp_store_release(&sbi->sent_seq, sent);
		WRITE_ONCE(att->k->sent_seq, sent);
		sbi->seen_seq = max(sbi->seen_seq, sent);
	}
	return sbi->send_next && sbi->send_next != keep && !err;
}

/*
 * sent_seq may have moved past the barrier of a request that waits for it.
 * The barrier pairs with the one in lakefs_req_pump: either the request sees
 * the new sent_seq or we see the request.
 */
static void lakefs_pump_waiting(struct lakefs_sb_info *sbi)
{
	smp_mb();
	if (!list_empty(&sbi->reqs))
		lakefs_req_pump(sbi, false);
}

static void lakefs_pump_all(struct lakefs_sb_info *sbi, bool will_wait)
{
	bool more;

	do {
		spin_lock(&sbi->rec_lock);
		more = __lakefs_rec_pump(sbi, LAKEFS_PUMP_BATCH, NULL);
		spin_unlock(&sbi->rec_lock);
	} while (more);
	lakefs_doorbell(sbi, will_wait);
	lakefs_pump_waiting(sbi);
}

void lakefs_rec_pump(struct lakefs_sb_info *sbi)
{
	lakefs_pump_all(sbi, false);
}

static struct lakefs_i_setattr *lakefs_rec_attr(struct lakefs_rec *rec)
{
	if (rec->entry.hdr.op != LAKEFS_I_SETATTR)
		return NULL;
	return (struct lakefs_i_setattr *)rec->entry.bytes;
}

/*
 * Make rec part of the newest record. Not a size: smaller and then larger is
 * not the same as larger.
 */
static bool lakefs_rec_join(struct lakefs_sb_info *sbi, struct lakefs_rec *rec)
{
	struct lakefs_i_setattr *from = lakefs_rec_attr(rec), *to;
	struct lakefs_rec *last;

	if (!from || from->valid & LAKEFS_ATTR_SIZE || list_empty(&sbi->recs))
		return false;
	last = list_last_entry(&sbi->recs, struct lakefs_rec, link);
	to = lakefs_rec_attr(last);
	if (!to || to->ino != from->ino || last->seq <= sbi->seen_seq)
		return false;
	to->valid |= from->valid;
	if (from->valid & LAKEFS_ATTR_MODE)
		to->mode = from->mode;
	if (from->valid & LAKEFS_ATTR_UID)
		to->uid = from->uid;
	if (from->valid & LAKEFS_ATTR_GID)
		to->gid = from->gid;
	if (from->valid & LAKEFS_ATTR_ATIME)
		to->atime = from->atime;
	if (from->valid & LAKEFS_ATTR_MTIME)
		to->mtime = from->mtime;
	if (from->valid & LAKEFS_ATTR_CTIME)
		to->ctime = from->ctime;
	if (from->valid & LAKEFS_ATTR_FLAGS)
		to->inode_flags = from->inode_flags;
	rec->seq = last->seq;
	return true;
}

static void lakefs_rec_append(struct lakefs_sb_info *sbi,
			      struct lakefs_rec *rec)
{
	rec->seq = sbi->last_seq + 1;
	rec->entry.hdr.seq = rec->seq;
	WRITE_ONCE(sbi->last_seq, rec->seq);
	list_add_tail(&rec->link, &sbi->recs);
	WRITE_ONCE(sbi->rec_bytes, sbi->rec_bytes + rec->cost);
	WRITE_ONCE(sbi->rec_count, sbi->rec_count + 1);
	if (!sbi->send_next)
		sbi->send_next = rec;
}

u64 lakefs_rec_emit(struct lakefs_sb_info *sbi, struct lakefs_rec *rec)
{
	bool ring_now = false, ring_later = false;
	struct lakefs_attachment *att;
	struct lakefs_rec *keep;
	u64 seq;

	spin_lock(&sbi->rec_lock);
	if (lakefs_rec_join(sbi, rec)) {
		spin_unlock(&sbi->rec_lock);
		seq = rec->seq;
		lakefs_rec_free(rec);
		return seq;	/* the bell rings for the other one */
	}
	lakefs_rec_append(sbi, rec);
	seq = rec->seq;
	keep = lakefs_rec_attr(rec) ? rec : NULL;
	__lakefs_rec_pump(sbi, LAKEFS_PUMP_BATCH, keep);
	att = lakefs_running_att(sbi);
	if (att) {
		ring_now = lakefs_ring_crowded(&att->intents);
		ring_later = !ring_now || keep;
	}
	spin_unlock(&sbi->rec_lock);

	/*
	 * Nobody waits for an intent by itself: waking the daemon a little
	 * later lets it take many at once. Requests and wanted_seq ring now.
	 */
	if (ring_now)
		lakefs_doorbell(sbi, false);
	if (ring_later && !delayed_work_pending(&sbi->bell_work))
		queue_delayed_work(sbi->wq, &sbi->bell_work,
				   msecs_to_jiffies(LAKEFS_BELL_DELAY_MS));
	lakefs_pump_waiting(sbi);
	return seq;
}

/*
 * Everything up to seq is durable: tell, and free its records. In batches, to
 * keep rec_lock short; between them the list merely begins too early.
 */
void lakefs_rec_durable(struct lakefs_sb_info *sbi, u64 seq)
{
	struct lakefs_attachment *att;
	struct lakefs_rec *rec, *next;
	LIST_HEAD(done);
	int n;

	do {
		n = 0;
		spin_lock(&sbi->rec_lock);
		if (seq > sbi->durable_seq) {
			WRITE_ONCE(sbi->durable_seq, seq);
			att = lakefs_running_att(sbi);
			if (att)
				WRITE_ONCE(att->k->durable_seq, seq);
		}
		list_for_each_entry_safe(rec, next, &sbi->recs, link) {
			if (rec->seq > seq || n++ == LAKEFS_FREE_BATCH)
				break;
			sbi->rec_bytes -= rec->cost;
			sbi->rec_count--;
			list_move_tail(&rec->link, &done);
		}
		spin_unlock(&sbi->rec_lock);
		wake_up_all(&sbi->durable_wq);
		list_for_each_entry_safe(rec, next, &done, link)
			lakefs_rec_free(rec);
		INIT_LIST_HEAD(&done);
	} while (n > LAKEFS_FREE_BATCH);
}

/* a new attachment: all that is not durable goes out again. rec_lock held */
void lakefs_rec_rewind(struct lakefs_sb_info *sbi)
{
	struct lakefs_rec *rec;

	lockdep_assert_held(&sbi->rec_lock);
	sbi->send_next = NULL;
	list_for_each_entry(rec, &sbi->recs, link) {
		if (rec->seq > sbi->durable_seq) {
			sbi->send_next = rec;
			break;
		}
	}
	smp_store_release(&sbi->sent_seq, sbi->durable_seq);
	WRITE_ONCE(sbi->applied_seq, sbi->durable_seq);
}

void lakefs_rec_drop_all(struct lakefs_sb_info *sbi)
{
	struct lakefs_rec *rec, *next;
	LIST_HEAD(all);

	spin_lock(&sbi->rec_lock);
	list_splice_init(&sbi->recs, &all);
	sbi->send_next = NULL;
	sbi->rec_bytes = 0;
	sbi->rec_count = 0;
	spin_unlock(&sbi->rec_lock);
	list_for_each_entry_safe(rec, next, &all, link)
		lakefs_rec_free(rec);
}

/* MOUNT was answered: numbers go on from there. Only the first time. */
void lakefs_mount_answered(struct lakefs_sb_info *sbi, u64 epoch, u64 seq)
{
	struct lakefs_attachment *att;

	spin_lock(&sbi->rec_lock);
	if (!sbi->epoch) {
		WRITE_ONCE(sbi->epoch, epoch);
		WRITE_ONCE(sbi->last_seq, seq);
		WRITE_ONCE(sbi->sent_seq, seq);
		WRITE_ONCE(sbi->durable_seq, seq);
		WRITE_ONCE(sbi->applied_seq, seq);
		WRITE_ONCE(sbi->wanted_seq, seq);
		att = lakefs_running_att(sbi);
		if (att) {
			WRITE_ONCE(att->k->last_seq, seq);
			WRITE_ONCE(att->k->sent_seq, seq);
			WRITE_ONCE(att->k->durable_seq, seq);
			WRITE_ONCE(att->k->wanted_seq, seq);
		}
	}
	spin_unlock(&sbi->rec_lock);
}

u64 lakefs_last_seq(struct lakefs_sb_info *sbi)
{
	return READ_ONCE(sbi->last_seq);
}

static void __lakefs_want_durable(struct lakefs_sb_info *sbi, u64 seq,
				  bool will_wait)
{
	struct lakefs_attachment *att;

	spin_lock(&sbi->rec_lock);
	seq = min(seq, sbi->last_seq);
	if (seq > sbi->wanted_seq && seq > sbi->durable_seq) {
		WRITE_ONCE(sbi->wanted_seq, seq);
		att = lakefs_running_att(sbi);
		if (att)
			smp_store_release(&att->k->wanted_seq, seq);
	}
	spin_unlock(&sbi->rec_lock);
	lakefs_pump_all(sbi, will_wait);
}

void lakefs_want_durable(struct lakefs_sb_info *sbi, u64 seq)
{
	__lakefs_want_durable(sbi, seq, false);
}

static int __lakefs_wait_durable(struct lakefs_sb_info *sbi, u64 seq,
				 unsigned int state)
{
	int err;

	if (READ_ONCE(sbi->durable_seq) >= seq)
		return 0;
	__lakefs_want_durable(sbi, seq, true);
	err = wait_event_state(sbi->durable_wq,
			       READ_ONCE(sbi->durable_seq) >= seq ||
			       lakefs_is_shutdown(sbi), state);
	if (READ_ONCE(sbi->durable_seq) >= seq)
		return 0;
	return err ? -EINTR : -EIO;
}

int lakefs_wait_durable(struct lakefs_sb_info *sbi, u64 seq)
{
	return __lakefs_wait_durable(sbi, seq, LAKEFS_WAIT_KILLABLE);
}

int lakefs_wait_durable_unkillable(struct lakefs_sb_info *sbi, u64 seq)
{
	return __lakefs_wait_durable(sbi, seq, LAKEFS_WAIT_ALWAYS);
}

static bool lakefs_over_budget(struct lakefs_sb_info *sbi, u32 part)
{
	u64 store = sbi->disk.pages.blocks << LAKEFS_BLOCK_BITS;
	u64 max = clamp_t(u64, store / LAKEFS_REC_STORE_PART,
			  LAKEFS_REC_BYTES_MIN, LAKEFS_REC_BYTES_MAX);

	return READ_ONCE(sbi->rec_bytes) > max / part ||
	       READ_ONCE(sbi->rec_count) > LAKEFS_REC_COUNT_MAX / part;
}

static bool lakefs_metadata_full(struct lakefs_sb_info *sbi)
{
	struct lakefs_attachment *att;
	bool full;

	rcu_read_lock();
	att = rcu_dereference(sbi->att);
	full = att && READ_ONCE(att->d->flags) & LAKEFS_DAEMON_FULL;
	rcu_read_unlock();
	return full;
}

int lakefs_op_begin_growing(struct lakefs_sb_info *sbi)
{
	int err = lakefs_op_begin(sbi);

	if (!err && lakefs_metadata_full(sbi))
		err = -ENOSPC;
	return err;
}

/* before a program's operation that records; nothing is changed or locked */
int lakefs_op_begin(struct lakefs_sb_info *sbi)
{
	if (lakefs_is_shutdown(sbi))
		return -EIO;
	if (sb_rdonly(sbi->sb))
		return -EROFS;
	if (likely(!lakefs_over_budget(sbi, 2)))
		return 0;
	/* half full: have it committed; full: wait until that helped */
	if (READ_ONCE(sbi->wanted_seq) <= READ_ONCE(sbi->durable_seq))
		lakefs_want_durable(sbi, lakefs_last_seq(sbi));
	if (!lakefs_over_budget(sbi, 1))
		return 0;
	lakefs_want_durable(sbi, lakefs_last_seq(sbi));
	if (wait_event_state(sbi->durable_wq,
			     !lakefs_over_budget(sbi, 1) ||
			     lakefs_is_shutdown(sbi), LAKEFS_WAIT_KILLABLE))
		return -EINTR;
	return lakefs_is_shutdown(sbi) ? -EIO : 0;
}
