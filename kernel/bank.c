// SPDX-License-Identifier: GPL-2.0
/*
 * The bank: extent nodes and map records that writeback and I/O completion
 * may need, allocated beforehand by whoever makes a page dirty.
 *
 * A deposit of n promises n nodes and n records. Rule kept under the lock:
 * after every deposit both stocks are at least the sum of all deposits. What
 * is taken afterwards is taken on somebody's deposit: an extent of n blocks
 * consists of at most n nodes and becomes at most n records, whatever its
 * fragmentation. Nodes go back when extents join, deposits when blocks reach
 * a final state.
 */
#include <linux/slab.h>
#include "data.h"

#define LAKEFS_BANK_SPARE	512	/* kept beyond the deposits */

static struct {
	spinlock_t lock;
	u64 promised;
	u64 nodes;
	u64 recs;
	struct list_head node_list;	/* lakefs_extent.taken */
	struct list_head rec_list;	/* lakefs_rec.link */
} bank;

static struct kmem_cache *lakefs_node_cache;

/* what a node is while it is free; having one keeps the kernel from zeroing */
static void lakefs_node_ctor(void *object)
{
	struct lakefs_extent *e = object;

	*e = (struct lakefs_extent){ };
	INIT_LIST_HEAD(&e->taken);
}

int lakefs_bank_init(void)
{
	spin_lock_init(&bank.lock);
	INIT_LIST_HEAD(&bank.node_list);
	INIT_LIST_HEAD(&bank.rec_list);
	lakefs_node_cache = kmem_cache_create("lakefs_extent",
					      sizeof(struct lakefs_extent), 0,
					      SLAB_RECLAIM_ACCOUNT,
					      lakefs_node_ctor);
	return lakefs_node_cache ? 0 : -ENOMEM;
}

struct lakefs_extent *lakefs_node_alloc(gfp_t gfp)
{
	return kmem_cache_alloc(lakefs_node_cache, gfp);
}

/* Unlink what is more than keep of each kind; the caller frees it. */
static void lakefs_bank_cut(u64 keep, struct list_head *nodes,
			    struct list_head *recs)
{
	lockdep_assert_held(&bank.lock);
	for (; bank.nodes > keep; bank.nodes--)
		list_move(bank.node_list.next, nodes);
	for (; bank.recs > keep; bank.recs--)
		list_move(bank.rec_list.next, recs);
}

static void lakefs_bank_free(struct list_head *nodes, struct list_head *recs)
{
	void *objects[LAKEFS_BANK_BATCH];
	struct lakefs_extent *e, *next;
	u32 n = 0;

	list_for_each_entry_safe(e, next, nodes, taken) {
		INIT_LIST_HEAD(&e->taken);
		objects[n++] = e;
		if (n == LAKEFS_BANK_BATCH) {
			kmem_cache_free_bulk(lakefs_node_cache, n, objects);
			n = 0;
		}
	}
	if (n)
		kmem_cache_free_bulk(lakefs_node_cache, n, objects);
	lakefs_map_recs_free(recs);
}

void lakefs_bank_exit(void)
{
	LIST_HEAD(nodes);
	LIST_HEAD(recs);

	WARN_ON_ONCE(bank.promised);
	spin_lock(&bank.lock);
	lakefs_bank_cut(0, &nodes, &recs);
	spin_unlock(&bank.lock);
	lakefs_bank_free(&nodes, &recs);
	kmem_cache_destroy(lakefs_node_cache);
}

void lakefs_bank_withdraw(u64 n)
{
	LIST_HEAD(nodes);
	LIST_HEAD(recs);

	spin_lock(&bank.lock);
	if (WARN_ON_ONCE(bank.promised < n))
		n = bank.promised;
	bank.promised -= n;
	/* freed in pieces: half of the spare is hysteresis */
	if (bank.nodes > bank.promised + LAKEFS_BANK_SPARE ||
	    bank.recs > bank.promised + LAKEFS_BANK_SPARE)
		lakefs_bank_cut(bank.promised + LAKEFS_BANK_SPARE / 2,
				&nodes, &recs);
	spin_unlock(&bank.lock);
	lakefs_bank_free(&nodes, &recs);
}

static u32 lakefs_nodes_alloc(u32 n, gfp_t gfp, struct list_head *list)
{
	void *objects[LAKEFS_BANK_BATCH];
	u32 i;

	if (!kmem_cache_alloc_bulk(lakefs_node_cache, gfp, n, objects))
		return 0;
	for (i = 0; i < n; i++)
		list_add(&((struct lakefs_extent *)objects[i])->taken, list);
	return n;
}

/* Allocate up to the batch of each kind that is missing. */
static int lakefs_bank_refill(u32 nodes, u32 recs, gfp_t gfp)
{
	u32 got_nodes = 0, got_recs = 0;
	LIST_HEAD(new_nodes);
	LIST_HEAD(new_recs);

	if (nodes)
		got_nodes = lakefs_nodes_alloc(nodes, gfp, &new_nodes);
	if (recs)
		got_recs = lakefs_map_recs_alloc(recs, gfp, &new_recs);
	spin_lock(&bank.lock);
	list_splice(&new_nodes, &bank.node_list);
	list_splice(&new_recs, &bank.rec_list);
	bank.nodes += got_nodes;
	bank.recs += got_recs;
	spin_unlock(&bank.lock);
	return got_nodes < nodes || got_recs < recs ? -ENOMEM : 0;
}

int lakefs_bank_deposit(u64 n, gfp_t gfp)
{
	u64 nodes, recs;
	int err = 0;

	spin_lock(&bank.lock);
	bank.promised += n;
	for (;;) {
		nodes = bank.nodes < bank.promised ?
			bank.promised - bank.nodes : 0;
		recs = bank.recs < bank.promised ?
			bank.promised - bank.recs : 0;
		if (err || (!nodes && !recs))
			break;
		spin_unlock(&bank.lock);
		err = lakefs_bank_refill(min_t(u64, nodes, LAKEFS_BANK_BATCH),
					 min_t(u64, recs, LAKEFS_BANK_BATCH),
					 gfp);
		spin_lock(&bank.lock);
	}
	spin_unlock(&bank.lock);
	if (err)
		lakefs_bank_withdraw(n);
	return err;
}

struct lakefs_extent *lakefs_node_take(void)
{
	struct lakefs_extent *e = NULL;

	spin_lock(&bank.lock);
	if (!WARN_ON_ONCE(list_empty(&bank.node_list))) {
		e = list_first_entry(&bank.node_list, struct lakefs_extent,
				     taken);
		list_del_init(&e->taken);
		bank.nodes--;
	}
	spin_unlock(&bank.lock);
	/* only after that warning: our accounts are wrong, data is not */
	if (!e)
		e = lakefs_node_alloc(GFP_NOFS | __GFP_NOFAIL);
	return e;
}

void lakefs_node_put(struct lakefs_extent *e)
{
	lakefs_node_ctor(e);
	spin_lock(&bank.lock);
	if (bank.nodes < bank.promised + LAKEFS_BANK_SPARE) {
		list_add(&e->taken, &bank.node_list);
		bank.nodes++;
		e = NULL;
	}
	spin_unlock(&bank.lock);
	if (e)
		kmem_cache_free(lakefs_node_cache, e);
}

struct lakefs_rec *lakefs_map_rec_take(void)
{
	struct lakefs_rec *rec = NULL;
	LIST_HEAD(one);

	spin_lock(&bank.lock);
	if (!WARN_ON_ONCE(list_empty(&bank.rec_list))) {
		rec = list_first_entry(&bank.rec_list, struct lakefs_rec, link);
		list_del_init(&rec->link);
		bank.recs--;
	}
	spin_unlock(&bank.lock);
	if (!rec) {
		lakefs_map_recs_alloc(1, GFP_NOFS | __GFP_NOFAIL, &one);
		rec = list_first_entry(&one, struct lakefs_rec, link);
		list_del_init(&rec->link);
	}
	memset(rec->entry.bytes, 0, sizeof(struct lakefs_i_map));
	rec->entry.hdr.op = LAKEFS_I_MAP;
	return rec;
}

void lakefs_map_rec_put(struct lakefs_rec *rec)
{
	spin_lock(&bank.lock);
	list_add(&rec->link, &bank.rec_list);
	bank.recs++;
	spin_unlock(&bank.lock);
}
