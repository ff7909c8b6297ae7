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
#define LAKEFS_BANK_BATCH	32

static struct {
	spinlock_t lock;
	u64 promised;
	u64 nodes;
	u64 recs;
	struct list_head node_list;	/* lakefs_extent.taken */
	struct list_head rec_list;	/* lakefs_rec.link */
} bank;

static struct kmem_cache *lakefs_node_cache;

#define LAKEFS_MAP_REC_ENTRY \
	(sizeof(struct lakefs_i_map) + 4 * LAKEFS_MAP_BLOCKS_MAX)

int lakefs_bank_init(void)
{
	spin_lock_init(&bank.lock);
	INIT_LIST_HEAD(&bank.node_list);
	INIT_LIST_HEAD(&bank.rec_list);
	lakefs_node_cache = kmem_cache_create("lakefs_extent",
					      sizeof(struct lakefs_extent), 0,
					      SLAB_RECLAIM_ACCOUNT, NULL);
	return lakefs_node_cache ? 0 : -ENOMEM;
}

struct lakefs_extent *lakefs_node_alloc(gfp_t gfp)
{
	struct lakefs_extent *e = kmem_cache_zalloc(lakefs_node_cache, gfp);

	if (e)
		INIT_LIST_HEAD(&e->taken);
	return e;
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
	struct lakefs_extent *e, *next;
	struct lakefs_rec *rec, *more;

	list_for_each_entry_safe(e, next, nodes, taken)
		kmem_cache_free(lakefs_node_cache, e);
	list_for_each_entry_safe(rec, more, recs, link)
		lakefs_rec_free(rec);
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

/* Allocate up to the batch of each kind that is missing. */
static int lakefs_bank_refill(u64 nodes, u64 recs, gfp_t gfp)
{
	struct lakefs_extent *e;
	struct lakefs_rec *rec;
	LIST_HEAD(new_nodes);
	LIST_HEAD(new_recs);
	u64 got_nodes = 0, got_recs = 0;

	while (got_nodes < nodes) {
		e = lakefs_node_alloc(gfp);
		if (!e)
			break;
		list_add(&e->taken, &new_nodes);
		got_nodes++;
	}
	while (got_recs < recs) {
		rec = lakefs_rec_alloc(LAKEFS_I_MAP, LAKEFS_MAP_REC_ENTRY, gfp);
		if (!rec)
			break;
		list_add(&rec->link, &new_recs);
		got_recs++;
	}
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
	memset(e, 0, sizeof(*e));
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

	spin_lock(&bank.lock);
	if (!WARN_ON_ONCE(list_empty(&bank.rec_list))) {
		rec = list_first_entry(&bank.rec_list, struct lakefs_rec, link);
		list_del_init(&rec->link);
		bank.recs--;
	}
	spin_unlock(&bank.lock);
	if (!rec)
		rec = lakefs_rec_alloc(LAKEFS_I_MAP, LAKEFS_MAP_REC_ENTRY,
				       GFP_NOFS | __GFP_NOFAIL);
	return rec;
}

void lakefs_map_rec_put(struct lakefs_rec *rec)
{
	spin_lock(&bank.lock);
	list_add(&rec->link, &bank.rec_list);
	bank.recs++;
	spin_unlock(&bank.lock);
}
