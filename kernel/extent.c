// SPDX-License-Identifier: GPL-2.0
/*
 * The extent map of an inode: a tree of extents in the order of file blocks,
 * and the accounts that go with the state of a block (see data.h).
 */
#include <linux/slab.h>
#include "data.h"

int lakefs_extent_init(void)
{
	return lakefs_bank_init();
}

void lakefs_extent_exit(void)
{
	lakefs_bank_exit();
}

void lakefs_data_init_inode(struct lakefs_inode_info *li)
{
	li->extents = RB_ROOT;
	li->extents_known = false;
	li->disk_size = 0;
	li->done_size = 0;
	li->size_wanted = 0;
	li->map_seq = 0;
	li->map_gen = 0;
	li->cut_gen = 0;
	li->mapped_blocks = 0;
	li->delayed_blocks = 0;
	atomic64_set(&li->in_place_gen, 0);
	atomic64_set(&li->flushed_gen, 0);
	li->in_place_seq = 0;
	atomic64_set(&li->plain_gen, 0);
	atomic64_set(&li->plain_flushed, 0);
	li->over = NULL;
	INIT_LIST_HEAD(&li->over_full);
	li->over_fulls = 0;
	li->over_count = 0;
	li->tail_block = LAKEFS_NO_BLOCK;
	li->end_block = LAKEFS_NO_BLOCK;
	li->tail_seq = 0;
	li->size_rec = NULL;
	li->flush_on_close = false;
	spin_lock_init(&li->ioend_lock);
	INIT_LIST_HEAD(&li->ioend_list);
	INIT_WORK(&li->ioend_work, lakefs_ioend_work);
}

/* ---- the tree ------------------------------------------------------------ */

static struct lakefs_extent *lakefs_ext_of(struct rb_node *node)
{
	return rb_entry_safe(node, struct lakefs_extent, node);
}

struct lakefs_extent *lakefs_ext_find(struct lakefs_inode_info *li, u64 block)
{
	struct rb_node *node = li->extents.rb_node;
	struct lakefs_extent *e, *best = NULL;

	while (node) {
		e = lakefs_ext_of(node);
		if (lakefs_ext_end(e) > block) {
			best = e;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return best;
}

struct lakefs_extent *lakefs_ext_last_before(struct lakefs_inode_info *li,
					     u64 block)
{
	struct rb_node *node = li->extents.rb_node;
	struct lakefs_extent *e, *best = NULL;

	while (node) {
		e = lakefs_ext_of(node);
		if (e->block < block) {
			best = e;
			node = node->rb_right;
		} else {
			node = node->rb_left;
		}
	}
	return best;
}

struct lakefs_extent *lakefs_ext_next(struct lakefs_extent *e)
{
	return lakefs_ext_of(rb_next(&e->node));
}

struct lakefs_extent *lakefs_ext_prev(struct lakefs_extent *e)
{
	return lakefs_ext_of(rb_prev(&e->node));
}

void lakefs_ext_insert(struct lakefs_inode_info *li, struct lakefs_extent *e)
{
	struct rb_node **p = &li->extents.rb_node, *parent = NULL;

	lockdep_assert_held(&li->ext_lock);
	while (*p) {
		struct lakefs_extent *at = lakefs_ext_of(*p);

		parent = *p;
		WARN_ON_ONCE(e->block < lakefs_ext_end(at) &&
			     at->block < lakefs_ext_end(e));
		p = e->block < at->block ? &parent->rb_left :
					   &parent->rb_right;
	}
	rb_link_node(&e->node, parent, p);
	rb_insert_color(&e->node, &li->extents);
}

static struct lakefs_sb_info *lakefs_li_sbi(struct lakefs_inode_info *li)
{
	return LAKEFS_SB(li->vfs_inode.i_sb);
}

/* Cut e in two at block; returns the right part. */
static struct lakefs_extent *lakefs_ext_split(struct lakefs_inode_info *li,
					      struct lakefs_extent *e,
					      u64 block)
{
	struct lakefs_extent *right = lakefs_node_take();
	u64 left_blocks = block - e->block;

	right->block = block;
	right->blocks = e->blocks - left_blocks;
	right->phys = e->state == LAKEFS_X_DELAYED ? 0 :
		      e->phys + left_blocks;
	right->state = e->state;
	right->src = e->src ? e->src + left_blocks : 0;
	right->direct = e->direct;
	right->both = e->both;
	lakefs_ext_copy_marks(right, e);
	if (e->state == LAKEFS_X_TAKEN)
		lakefs_taken_split(lakefs_li_sbi(li), e, right);
	else
		e->blocks = left_blocks;
	lakefs_ext_insert(li, right);
	return right;
}

struct lakefs_extent *lakefs_ext_isolate(struct lakefs_inode_info *li,
					 u64 start, u64 end)
{
	struct lakefs_extent *first = lakefs_ext_find(li, start), *last;

	if (first && first->block < start)
		first = lakefs_ext_split(li, first, start);
	last = lakefs_ext_find(li, end);
	if (last && last->block < end)
		lakefs_ext_split(li, last, end);
	return first && first->block < end ? first : NULL;
}

/* Places of two packs follow each other, too. */
static bool lakefs_ext_same_pack(const struct lakefs_extent *left,
				 const struct lakefs_extent *right)
{
	return left->packed == right->packed && left->span == right->span &&
	       (!right->packed ||
		lakefs_ext_where(right) & (LAKEFS_PACK_BLOCKS - 1));
}

static bool lakefs_ext_joins(const struct lakefs_extent *left,
			     const struct lakefs_extent *right)
{
	return lakefs_ext_end(left) == right->block &&
	       left->state == right->state && left->crc == right->crc &&
	       left->direct == right->direct && left->both == right->both &&
	       left->shared == right->shared &&
	       left->sealed == right->sealed &&
	       left->checked == right->checked &&
	       left->skew == right->skew &&
	       lakefs_ext_same_pack(left, right) &&
	       (left->src ? left->src + left->blocks == right->src :
			    !right->src) &&
	       (left->state == LAKEFS_X_DELAYED ||
		left->phys + left->blocks == right->phys);
}

/* right is gone afterwards */
static void lakefs_ext_join(struct lakefs_inode_info *li,
			    struct lakefs_extent *left,
			    struct lakefs_extent *right)
{
	rb_erase(&right->node, &li->extents);
	if (left->state == LAKEFS_X_TAKEN)
		lakefs_taken_join(lakefs_li_sbi(li), left, right);
	else
		left->blocks += right->blocks;
	lakefs_node_put(right);
}

struct lakefs_extent *lakefs_ext_merge(struct lakefs_inode_info *li,
				       struct lakefs_extent *e)
{
	struct lakefs_extent *other = lakefs_ext_prev(e);

	lockdep_assert_held(&li->ext_lock);
	if (other && lakefs_ext_joins(other, e)) {
		lakefs_ext_join(li, other, e);
		e = other;
	}
	other = lakefs_ext_next(e);
	if (other && lakefs_ext_joins(e, other))
		lakefs_ext_join(li, e, other);
	return e;
}

/* ---- states and their accounts ------------------------------------------- */

/* Give back what the state of e holds, short of its node. */
static void lakefs_ext_release(struct lakefs_inode_info *li,
			       struct lakefs_extent *e)
{
	struct lakefs_sb_info *sbi = lakefs_li_sbi(li);

	if (e->state == LAKEFS_X_DELAYED)
		lakefs_blocks_unreserve(sbi, e->blocks);
	else if (e->state == LAKEFS_X_TAKEN)
		lakefs_blocks_untake(sbi, e);
	if (lakefs_ext_mapped(e))
		li->mapped_blocks -= e->blocks;
	else
		li->delayed_blocks -= e->blocks;
	if (lakefs_ext_pending(e))
		lakefs_bank_withdraw(e->blocks);
}

void lakefs_ext_drop(struct lakefs_inode_info *li, struct lakefs_extent *e)
{
	lakefs_ext_release(li, e);
	rb_erase(&e->node, &li->extents);
	lakefs_node_put(e);
}

/*
 * From TAKEN: the record was emitted. Towards DIRTY: the deposit was made.
 * The other ways (DELAYED -> TAKEN and back) are lakefs_blocks_take's.
 */
void lakefs_ext_set_state(struct lakefs_inode_info *li,
			  struct lakefs_extent *e, u8 state)
{
	bool was_pending = lakefs_ext_pending(e);

	lockdep_assert_held(&li->ext_lock);
	if (e->state == LAKEFS_X_TAKEN) {
		if (!e->src) {
			li->mapped_blocks += e->blocks;
			/* lakefs_stat_blocks: rather twice than not at all */
			smp_wmb();
			li->delayed_blocks -= e->blocks;
		}
		lakefs_blocks_mapped(lakefs_li_sbi(li), e, state);
	} else {
		e->state = state;
	}
	e->src = 0;
	e->direct = false;
	e->both = false;
	lakefs_ext_clear_marks(e);
	if (was_pending && !lakefs_ext_pending(e))
		lakefs_bank_withdraw(e->blocks);
}

/* the marks stay: they are of the blocks that src names */
void lakefs_ext_unfix(struct lakefs_inode_info *li, struct lakefs_extent *e)
{
	lockdep_assert_held(&li->ext_lock);
	e->src = e->phys;
	e->phys = 0;
	e->state = LAKEFS_X_DELAYED;
}

void lakefs_ext_undo(struct lakefs_inode_info *li, struct lakefs_extent *e)
{
	struct lakefs_sb_info *sbi = lakefs_li_sbi(li);

	lockdep_assert_held(&li->ext_lock);
	if (e->state == LAKEFS_X_DIRTY) {
		lakefs_ext_set_state(li, e, LAKEFS_X_UNWRITTEN);
		lakefs_ext_merge(li, e);
		return;
	}
	if (!e->src) {
		lakefs_ext_drop(li, e);
		return;
	}
	if (e->state == LAKEFS_X_DELAYED)
		lakefs_blocks_unreserve(sbi, e->blocks);
	else
		lakefs_blocks_untake(sbi, e);
	lakefs_bank_withdraw(e->blocks);
	e->phys = e->src;
	e->src = 0;
	e->state = LAKEFS_X_WRITTEN;
	lakefs_ext_merge(li, e);
}

bool lakefs_ext_drop_range(struct lakefs_inode_info *li, u64 start, u64 end)
{
	struct lakefs_extent *e, *next;
	bool mapped = false;

	lockdep_assert_held(&li->ext_lock);
	e = lakefs_ext_isolate(li, start, end);
	for (; e && e->block < end; e = next) {
		next = lakefs_ext_next(e);
		mapped |= lakefs_ext_mapped(e);
		lakefs_ext_drop(li, e);
	}
	if (li->end_block >= start && li->end_block < end)
		li->end_block = LAKEFS_NO_BLOCK;
	lakefs_map_cut(li);
	return mapped;
}

/*
 * Data written in place that no flush has followed yet: the inode forgets it,
 * the mount does not. The next record that is emitted anywhere is committed
 * with a flush; until that is durable whoever loads an inode takes it for this
 * one (lakefs_data_loaded).
 */
static void lakefs_evict_unflushed(struct lakefs_inode_info *li)
{
	struct lakefs_sb_info *sbi = lakefs_li_sbi(li);
	bool unflushed = atomic64_read(&li->in_place_gen) >
			 atomic64_read(&li->flushed_gen) &&
			 READ_ONCE(sbi->durable_seq) <= li->in_place_seq;
	s64 seq = lakefs_last_seq(sbi) + 1;
	s64 old = atomic64_read(&sbi->unflushed_seq);

	if (!unflushed &&
	    atomic64_read(&li->plain_gen) <= atomic64_read(&li->plain_flushed))
		return;
	while (old < seq &&
	       !atomic64_try_cmpxchg(&sbi->unflushed_seq, &old, seq))
		;
}

void lakefs_data_loaded(struct inode *inode)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	struct lakefs_sb_info *sbi = LAKEFS_SB(inode->i_sb);
	u64 seq = atomic64_read(&sbi->unflushed_seq);

	if (READ_ONCE(sbi->durable_seq) < seq)
		atomic64_set(&li->plain_gen, 1);
	/* it may have been cut off there, and that not be durable (size.c) */
	if (lakefs_in_block(li->disk_size) &&
	    READ_ONCE(sbi->durable_seq) < li->last_seq) {
		li->tail_block = lakefs_block_of(li->disk_size);
		li->tail_seq = li->last_seq;
	}
}

/* The last look at the inode's data: all pages are gone. Never waits. */
void lakefs_data_evict(struct inode *inode)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	struct lakefs_extent *e, *next;

	if (inode->i_nlink)
		lakefs_evict_unflushed(li);
	rbtree_postorder_for_each_entry_safe(e, next, &li->extents, node) {
		lakefs_ext_release(li, e);
		lakefs_node_put(e);
	}
	li->extents = RB_ROOT;
	li->extents_known = false;
	lakefs_rec_free(li->size_rec);
	li->size_rec = NULL;
	lakefs_over_forget(li);
}
