// SPDX-License-Identifier: GPL-2.0
/*
 * Leases: the blocks and inode numbers that the daemon handed out beforehand.
 *
 * Blocks lie in sbi->runs until a write takes them. A promise (reserve) is a
 * number only; pool_blocks >= reserved_blocks always holds, so a promised
 * take finds a run. Taken blocks are on sbi->taken, from the moment they
 * leave the pool (one critical section) until their MAP record is in the
 * record list: DECLARE looks in that order and misses none.
 */
#include <linux/slab.h>
#include "data.h"
#include "ring.h"

#define LAKEFS_LEASE_MIN	2048
#define LAKEFS_LEASE_MAX	32768
#define LAKEFS_LEASE_RANGES	1024		/* of one reply */
#define LAKEFS_LEASE_INOS	4096
#define LAKEFS_RETURN_RANGES	128		/* of one request */
#define LAKEFS_PICK_LOOKS	16
#define LAKEFS_FREED_TRIES	3

/* ---- runs; pool_lock ----------------------------------------------------- */

static struct lakefs_run *lakefs_run_of(struct rb_node *node)
{
	return rb_entry_safe(node, struct lakefs_run, node);
}

/* the first run that ends behind block */
static struct lakefs_run *lakefs_run_find(struct lakefs_sb_info *sbi,
					  u64 block)
{
	struct rb_node *node = sbi->runs.rb_node;
	struct lakefs_run *run, *best = NULL;

	while (node) {
		run = lakefs_run_of(node);
		if (run->start + run->count > block) {
			best = run;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return best;
}

static void lakefs_run_insert(struct lakefs_sb_info *sbi,
			      struct lakefs_run *run)
{
	struct rb_node **p = &sbi->runs.rb_node, *parent = NULL;

	while (*p) {
		parent = *p;
		p = run->start < lakefs_run_of(parent)->start ?
		    &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&run->node, parent, p);
	rb_insert_color(&run->node, &sbi->runs);
}

/*
 * Put [start, +count) into the pool. *spare is used up when a new run is
 * needed. -EEXIST when it overlaps what is there.
 */
static int lakefs_run_add(struct lakefs_sb_info *sbi, u64 start, u64 count,
			  struct lakefs_run **spare)
{
	struct lakefs_run *next = lakefs_run_find(sbi, start);
	struct lakefs_run *prev = NULL;
	struct rb_node *node = next ? rb_prev(&next->node) :
				      rb_last(&sbi->runs);

	lockdep_assert_held(&sbi->pool_lock);
	if (next && next->start < start + count)
		return -EEXIST;
	prev = lakefs_run_of(node);
	if (prev && prev->start + prev->count != start)
		prev = NULL;
	if (next && next->start != start + count)
		next = NULL;
	if (!prev && !next && !*spare)
		return -ENOMEM;
	sbi->pool_blocks += count;
	if (prev) {
		prev->count += count;
		if (next) {
			prev->count += next->count;
			rb_erase(&next->node, &sbi->runs);
			kfree(next);
		}
	} else if (next) {
		next->start = start;
		next->count += count;
	} else {
		(*spare)->start = start;
		(*spare)->count = count;
		lakefs_run_insert(sbi, *spare);
		*spare = NULL;
	}
	return 0;
}

/* A run to take n blocks from, from its start: near goal, long enough. */
static struct lakefs_run *lakefs_run_pick(struct lakefs_sb_info *sbi, u64 n,
					  u64 goal)
{
	struct lakefs_run *first = lakefs_run_find(sbi, goal), *run, *best;
	int looks;

	if (!first)
		first = lakefs_run_of(rb_first(&sbi->runs));
	if (!first || (first->start == goal && goal))
		return first;
	best = first;
	for (run = first, looks = 0; run && looks < LAKEFS_PICK_LOOKS;
	     run = lakefs_run_of(rb_next(&run->node)), looks++) {
		if (run->count >= n)
			return run;
		if (run->count > best->count)
			best = run;
	}
	return best;
}

/* ---- taking -------------------------------------------------------------- */

/*
 * Turn promised blocks into real ones: e is DELAYED and wants e->blocks. It
 * becomes TAKEN, contiguous, and shorter when the pool has no such run; the
 * caller keeps the rest DELAYED. Never waits, never fails.
 */
void lakefs_blocks_take(struct lakefs_sb_info *sbi, struct lakefs_extent *e,
			u64 goal)
{
	struct lakefs_run *run, *empty = NULL;

	spin_lock(&sbi->pool_lock);
	run = lakefs_run_pick(sbi, e->blocks, goal);
	if (!WARN_ON_ONCE(!run)) {
		e->blocks = min(e->blocks, run->count);
		e->phys = run->start;
		run->start += e->blocks;
		run->count -= e->blocks;
		if (!run->count) {
			rb_erase(&run->node, &sbi->runs);
			empty = run;
		}
		sbi->pool_blocks -= e->blocks;
		sbi->reserved_blocks -= e->blocks;
		e->state = LAKEFS_X_TAKEN;
		list_add_tail(&e->taken, &sbi->taken);
	}
	spin_unlock(&sbi->pool_lock);
	kfree(empty);
}

/* e is about to go: no record maps its blocks, they are free again */
void lakefs_blocks_untake(struct lakefs_sb_info *sbi, struct lakefs_extent *e)
{
	struct lakefs_run *spare;

	spare = kmalloc(sizeof(*spare), GFP_NOWAIT | __GFP_NOWARN);
	spin_lock(&sbi->pool_lock);
	list_del_init(&e->taken);
	/*
	 * Without memory for a run the blocks stay unused until the next
	 * mount; the daemon still counts them as leased.
	 */
	if (lakefs_run_add(sbi, e->phys, e->blocks, &spare) == -EEXIST)
		WARN_ON_ONCE(1);
	spin_unlock(&sbi->pool_lock);
	kfree(spare);
}

void lakefs_blocks_mapped(struct lakefs_sb_info *sbi, struct lakefs_extent *e,
			  u8 state)
{
	spin_lock(&sbi->pool_lock);
	list_del_init(&e->taken);
	e->state = state;
	spin_unlock(&sbi->pool_lock);
}

void lakefs_taken_split(struct lakefs_sb_info *sbi, struct lakefs_extent *left,
			struct lakefs_extent *right)
{
	spin_lock(&sbi->pool_lock);
	left->blocks -= right->blocks;
	list_add(&right->taken, &left->taken);
	spin_unlock(&sbi->pool_lock);
}

void lakefs_taken_join(struct lakefs_sb_info *sbi, struct lakefs_extent *left,
		       struct lakefs_extent *right)
{
	spin_lock(&sbi->pool_lock);
	left->blocks += right->blocks;
	list_del_init(&right->taken);
	spin_unlock(&sbi->pool_lock);
}

/* ---- leasing ------------------------------------------------------------- */

static int lakefs_lease_add(struct lakefs_sb_info *sbi,
			    const struct lakefs_range *range)
{
	struct lakefs_run *spare;
	int err;

	if (!lakefs_data_range_ok(sbi, range->start, range->count)) {
		lakefs_err(sbi, "leased blocks %llu+%llu are no data blocks",
			   range->start, range->count);
		return -EUCLEAN;
	}
	spare = kmalloc(sizeof(*spare), GFP_NOFS);
	if (!spare)
		return -ENOMEM;
	spin_lock(&sbi->pool_lock);
	err = lakefs_run_add(sbi, range->start, range->count, &spare);
	spin_unlock(&sbi->pool_lock);
	kfree(spare);
	if (err) {
		lakefs_err(sbi, "blocks %llu+%llu leased twice",
			   range->start, range->count);
		return -EUCLEAN;
	}
	return 0;
}

/* One request for more blocks; lease_work only. */
static int lakefs_lease_blocks(struct lakefs_sb_info *sbi, u64 need)
{
	struct lakefs_r_lease ask = { .goal = sbi->lease_goal };
	struct lakefs_answer answer = {
		.reply_max = LAKEFS_LEASE_RANGES * sizeof(struct lakefs_range),
	};
	struct lakefs_range *ranges;
	int ret, i, count;

	ask.want = max_t(u64, need, sbi->lease_chunk);
	ranges = kvmalloc(answer.reply_max, GFP_NOFS);
	if (!ranges)
		return -ENOMEM;
	answer.reply = ranges;
	ret = lakefs_request(sbi, &ask, sizeof(ask), LAKEFS_R_LEASE_BLOCKS, 0,
			     &answer);
	if (ret < 0)
		goto out;
	count = ret / sizeof(*ranges);
	ret = count ? 0 : -ENOSPC;
	for (i = 0; i < count && !ret; i++) {
		ret = lakefs_lease_add(sbi, &ranges[i]);
		sbi->lease_goal = ranges[i].start + ranges[i].count;
	}
	lakefs_lease_settled(sbi);
	if (!ret)
		sbi->lease_chunk = min(sbi->lease_chunk * 2, LAKEFS_LEASE_MAX);
out:
	WRITE_ONCE(sbi->lease_empty, ret == -ENOSPC);
	kvfree(ranges);
	return ret;
}

static bool lakefs_try_reserve(struct lakefs_sb_info *sbi, u64 n, u64 *need)
{
	bool low, done = false;
	u64 left;

	spin_lock(&sbi->pool_lock);
	left = sbi->pool_blocks - sbi->reserved_blocks;
	if (left >= n) {
		sbi->reserved_blocks += n;
		left -= n;
		done = true;
	}
	spin_unlock(&sbi->pool_lock);
	*need = n - min(n, left);
	low = done && left < LAKEFS_LEASE_MIN && !READ_ONCE(sbi->lease_empty);
	if (low)
		queue_work(system_unbound_wq, &sbi->lease_work);
	return done;
}

/*
 * The daemon has nothing: blocks freed lately are free once the freeing is
 * durable. Worth a wait when anything was recorded since the last such wait.
 */
static int lakefs_wait_freed(struct lakefs_sb_info *sbi, int nospc)
{
	u64 seq = lakefs_last_seq(sbi);

	if (seq == sbi->nospc_seq)
		return nospc;
	sbi->nospc_seq = seq;
	return lakefs_wait_durable(sbi, seq);
}

int lakefs_blocks_try_reserve(struct lakefs_sb_info *sbi, u64 n)
{
	u64 need;

	return lakefs_try_reserve(sbi, n, &need) ? 0 : -EAGAIN;
}

/*
 * Leave the asking to lease_work, and wait for it; lease_lock held. A killed
 * waiter goes: what is leased meanwhile finds its way into the pool without it.
 */
static int lakefs_lease_wait(struct lakefs_sb_info *sbi, u64 need)
{
	u64 ask;

	spin_lock(&sbi->pool_lock);
	sbi->lease_need = need;
	ask = ++sbi->lease_asked;
	spin_unlock(&sbi->pool_lock);
	queue_work(system_unbound_wq, &sbi->lease_work);
	if (wait_event_state(sbi->state_wq,
			     smp_load_acquire(&sbi->lease_told) >= ask,
			     LAKEFS_WAIT_KILLABLE))
		return -EINTR;
	return READ_ONCE(sbi->lease_result);
}

int lakefs_blocks_reserve(struct lakefs_sb_info *sbi, u64 n)
{
	int err = 0, tries = 0;
	u64 need;

	if (lakefs_try_reserve(sbi, n, &need))
		return 0;
	if (n > sbi->disk.data.blocks)
		return -ENOSPC;
	if (mutex_lock_killable(&sbi->lease_lock))
		return -EINTR;
	while (!err && !lakefs_try_reserve(sbi, n, &need)) {
		err = lakefs_lease_wait(sbi, need);
		if (err == -ENOSPC && tries++ < LAKEFS_FREED_TRIES)
			err = lakefs_wait_freed(sbi, err);
	}
	mutex_unlock(&sbi->lease_lock);
	return err;
}

void lakefs_blocks_unreserve(struct lakefs_sb_info *sbi, u64 n)
{
	spin_lock(&sbi->pool_lock);
	if (WARN_ON_ONCE(sbi->reserved_blocks < n))
		n = sbi->reserved_blocks;
	sbi->reserved_blocks -= n;
	spin_unlock(&sbi->pool_lock);
}

u64 lakefs_blocks_spare(struct lakefs_sb_info *sbi)
{
	u64 left;

	spin_lock(&sbi->pool_lock);
	left = sbi->pool_blocks - sbi->reserved_blocks;
	spin_unlock(&sbi->pool_lock);
	return left;
}

/*
 * Asks the daemon, for whoever waits and ahead of need. Waits for the daemon, and
 * is never killed: nobody else would know of blocks that it gives.
 */
static void lakefs_lease_work(struct work_struct *work)
{
	struct lakefs_sb_info *sbi =
		container_of(work, struct lakefs_sb_info, lease_work);
	u64 asked, need;
	bool waiting;
	int err = 0;

	spin_lock(&sbi->pool_lock);
	asked = sbi->lease_asked;
	waiting = asked != sbi->lease_told;
	need = waiting ? sbi->lease_need : 0;
	spin_unlock(&sbi->pool_lock);

	if (lakefs_is_shutdown(sbi))
		err = -EIO;
	else if (waiting || lakefs_blocks_spare(sbi) < LAKEFS_LEASE_MIN)
		err = lakefs_lease_blocks(sbi, need);
	if (!waiting)
		return;
	WRITE_ONCE(sbi->lease_result, err);
	smp_store_release(&sbi->lease_told, asked);
	wake_up_all(&sbi->state_wq);
}

/* ---- inode numbers ------------------------------------------------------- */

static int lakefs_inos_add(struct lakefs_sb_info *sbi,
			   const struct lakefs_range *range)
{
	if (!range->count || range->count > S32_MAX ||
	    range->start < LAKEFS_FIRST_INO ||
	    range->start > S64_MAX - range->count ||
	    range->start < READ_ONCE(sbi->ino_end)) {
		lakefs_err(sbi, "bad lease of inode numbers %llu+%llu",
			   range->start, range->count);
		return -EUCLEAN;
	}
	spin_lock(&sbi->pool_lock);
	sbi->ino_old = sbi->ino_start;	/* creates may still be under way */
	sbi->ino_old_end = sbi->ino_end;
	sbi->ino_start = range->start;
	sbi->ino_next = range->start;
	sbi->ino_end = range->start + range->count;
	spin_unlock(&sbi->pool_lock);
	return 0;
}

static int lakefs_lease_inos(struct lakefs_sb_info *sbi)
{
	struct lakefs_r_lease ask = { .want = LAKEFS_LEASE_INOS };
	struct lakefs_range range;
	struct lakefs_answer answer = {
		.reply = &range,
		.reply_max = sizeof(range),
	};
	int ret;

	ret = lakefs_request(sbi, &ask, sizeof(ask), LAKEFS_R_LEASE_INOS, 0,
			     &answer);
	if (ret < 0)
		return ret;
	if (ret == sizeof(range))
		ret = lakefs_inos_add(sbi, &range);
	else
		ret = ret ? -EPROTO : -ENOSPC;
	lakefs_lease_settled(sbi);
	return ret;
}

static bool lakefs_try_ino(struct lakefs_sb_info *sbi, u64 *ino)
{
	bool got;

	spin_lock(&sbi->pool_lock);
	got = sbi->ino_next < sbi->ino_end;
	if (got)
		*ino = sbi->ino_next++;
	spin_unlock(&sbi->pool_lock);
	return got;
}

int lakefs_ino_take(struct lakefs_sb_info *sbi, u64 *ino)
{
	int err = 0;

	if (lakefs_try_ino(sbi, ino))
		return 0;
	if (mutex_lock_killable(&sbi->lease_lock))
		return -EINTR;
	while (!err && !lakefs_try_ino(sbi, ino))
		err = lakefs_lease_inos(sbi);
	mutex_unlock(&sbi->lease_lock);
	return err;
}

/* ---- life ---------------------------------------------------------------- */

void lakefs_lease_init(struct lakefs_sb_info *sbi)
{
	spin_lock_init(&sbi->pool_lock);
	mutex_init(&sbi->lease_lock);
	mutex_init(&sbi->trim_lock);
	INIT_WORK(&sbi->lease_work, lakefs_lease_work);
	INIT_LIST_HEAD(&sbi->taken);
	sbi->runs = RB_ROOT;
	sbi->lease_chunk = LAKEFS_LEASE_MIN;
}

/* Cut up to max ranges out of the pool. */
static u32 lakefs_pool_empty(struct lakefs_sb_info *sbi,
			     struct lakefs_range *out, u32 max)
{
	struct lakefs_run *run;
	u32 n;

	for (n = 0; n < max; n++) {
		spin_lock(&sbi->pool_lock);
		run = lakefs_run_of(rb_first(&sbi->runs));
		if (run) {
			rb_erase(&run->node, &sbi->runs);
			sbi->pool_blocks -= run->count;
		}
		spin_unlock(&sbi->pool_lock);
		if (!run)
			break;
		out[n].start = run->start;
		out[n].count = run->count;
		kfree(run);
	}
	return n;
}

/* Before UNMOUNT: all data is written, nothing is promised. */
void lakefs_lease_return(struct lakefs_sb_info *sbi)
{
	struct {
		struct lakefs_r_return head;
		struct lakefs_range ranges[LAKEFS_RETURN_RANGES];
	} *ask;
	int ret = 0;

	cancel_work_sync(&sbi->lease_work);
	ask = kzalloc(sizeof(*ask), GFP_KERNEL);
	if (!ask)
		return;		/* a lease ends with its mount anyway */
	while (ret >= 0) {
		ask->head.count = lakefs_pool_empty(sbi, ask->ranges,
						    LAKEFS_RETURN_RANGES);
		if (!ask->head.count)
			break;
		ret = lakefs_request(sbi, ask, sizeof(ask->head) +
				     ask->head.count * sizeof(ask->ranges[0]),
				     LAKEFS_R_RETURN_BLOCKS, 0, NULL);
	}
	kfree(ask);
}

void lakefs_lease_drop(struct lakefs_sb_info *sbi)
{
	struct lakefs_range range;

	cancel_work_sync(&sbi->lease_work);
	while (lakefs_pool_empty(sbi, &range, 1))
		;
}
