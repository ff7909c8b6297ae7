// SPDX-License-Identifier: GPL-2.0
/*
 * Loading an extent map from the daemon, whole, at the first use of the
 * inode's data. Every value is checked: the daemon is not trusted to be sane.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "data.h"

#define LAKEFS_LOAD_FIRST	64	/* most files have less */
#define LAKEFS_LOAD_MORE \
	(LAKEFS_REPLY_MAX / sizeof(struct lakefs_p_extent) - 2)

bool lakefs_data_range_ok(struct lakefs_sb_info *sbi, u64 start, u64 count)
{
	const struct lakefs_region *data = &sbi->disk.data;

	return count && start >= data->start_block &&
	       start - data->start_block < data->blocks &&
	       count <= data->blocks - (start - data->start_block);
}

bool lakefs_place_ok(struct lakefs_sb_info *sbi, u64 phys, u64 blocks,
		     u32 flags)
{
	struct lakefs_place place = lakefs_place_of(phys, blocks, flags);

	if ((flags & LAKEFS_EXTENT_PACKED) &&
	    (phys & (LAKEFS_PACK_BLOCKS - 1)) + blocks > LAKEFS_PACK_BLOCKS)
		return false;
	return blocks && lakefs_data_range_ok(sbi, place.start, place.count);
}

static bool lakefs_p_flags_ok(u32 flags)
{
	const u32 marks = LAKEFS_EXTENT_SHARED | LAKEFS_EXTENT_SEALED;

	if (flags & LAKEFS_EXTENT_UNWRITTEN)
		return flags == LAKEFS_EXTENT_UNWRITTEN;
	if (flags & LAKEFS_EXTENT_PACKED)
		return (flags & LAKEFS_EXTENT_SEALED) &&
		       (flags & LAKEFS_EXTENT_CHECKED) &&
		       !(flags & ~(marks | LAKEFS_EXTENT_CHECKED |
				   LAKEFS_EXTENT_PACKED |
				   LAKEFS_EXTENT_SPAN_MASK));
	/* checked: the checksums are in the table, and nowhere else */
	if (flags & LAKEFS_EXTENT_CHECKED)
		return (flags & LAKEFS_EXTENT_SEALED) &&
		       !(flags & ~(marks | LAKEFS_EXTENT_CHECKED |
				   LAKEFS_EXTENT_SKEW_MASK));
	return !(flags & ~(marks | LAKEFS_EXTENT_CRC));
}

static void lakefs_p_marks(const struct lakefs_p_extent *p,
			   struct lakefs_extent *e)
{
	e->crc = p->flags & LAKEFS_EXTENT_CRC;
	e->shared = p->flags & LAKEFS_EXTENT_SHARED;
	e->sealed = p->flags & LAKEFS_EXTENT_SEALED;
	e->checked = p->flags & LAKEFS_EXTENT_CHECKED;
	e->packed = p->flags & LAKEFS_EXTENT_PACKED;
	if (e->packed)
		e->span = (p->flags & LAKEFS_EXTENT_SPAN_MASK) >>
			  LAKEFS_EXTENT_SPAN_SHIFT;
	else
		e->skew = (p->flags & LAKEFS_EXTENT_SKEW_MASK) >>
			  LAKEFS_EXTENT_SKEW_SHIFT;
}

static bool lakefs_p_extent_ok(struct inode *inode,
			       const struct lakefs_p_extent *p, u64 from)
{
	u64 limit = lakefs_blocks_for(inode->i_sb->s_maxbytes);

	return p->file_block >= from && p->file_block < limit &&
	       p->blocks && p->blocks <= limit - p->file_block &&
	       lakefs_p_flags_ok(p->flags) &&
	       lakefs_place_ok(LAKEFS_SB(inode->i_sb), p->phys_block,
			       p->blocks, p->flags);
}

/*
 * Returns the block behind the last extent, or -errno. *blocks counts what is
 * mapped: stat, which takes no lock, never sees a part of it.
 */
static s64 lakefs_load_reply(struct inode *inode,
			     const struct lakefs_p_extent *p, u32 count,
			     u64 from, u64 *blocks)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	struct lakefs_extent *e;

	for (; count; count--, p++) {
		if (!lakefs_p_extent_ok(inode, p, from)) {
			lakefs_err(LAKEFS_SB(inode->i_sb),
				   "bad extent of inode %llu (block %llu)",
				   (u64)inode->i_ino, p->file_block);
			return -EUCLEAN;
		}
		e = lakefs_node_alloc(GFP_NOFS);
		if (!e)
			return -ENOMEM;
		e->block = p->file_block;
		e->blocks = p->blocks;
		e->phys = p->phys_block;
		e->state = p->flags & LAKEFS_EXTENT_UNWRITTEN ?
			   LAKEFS_X_UNWRITTEN : LAKEFS_X_WRITTEN;
		lakefs_p_marks(p, e);
		*blocks += e->blocks;
		from = lakefs_ext_end(e);
		lakefs_ext_insert(li, e);
		lakefs_ext_merge(li, e);
	}
	return from;
}

static void lakefs_unload(struct lakefs_inode_info *li)
{
	struct lakefs_extent *e, *next;

	rbtree_postorder_for_each_entry_safe(e, next, &li->extents, node)
		lakefs_node_put(e);
	li->extents = RB_ROOT;
}

/* One request; *from moves on. Returns 1 when there is more. */
static int lakefs_load_step(struct inode *inode, u64 *from, u32 max,
			    u64 *blocks)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	struct lakefs_r_extents ask = {
		.ino = li->ino,
		.file_block = *from,
		.max_extents = max,
	};
	struct lakefs_answer answer = {
		.reply_max = max * sizeof(struct lakefs_p_extent),
	};
	s64 next;
	int ret;

	answer.reply = kvmalloc(answer.reply_max, GFP_NOFS);
	if (!answer.reply)
		return -ENOMEM;
	ret = lakefs_request(LAKEFS_SB(inode->i_sb), &ask, sizeof(ask),
			     LAKEFS_R_EXTENTS, READ_ONCE(li->last_seq),
			     &answer);
	if (ret >= 0) {
		next = lakefs_load_reply(inode, answer.reply,
				ret / sizeof(struct lakefs_p_extent), *from,
				blocks);
		if (next < 0)
			ret = next;
		else if (!(answer.flags & LAKEFS_REPLY_MORE))
			ret = 0;
		else
			ret = next > *from ? 1 : -EUCLEAN;
		if (next > 0)
			*from = next;
	}
	kvfree(answer.reply);
	return ret;
}

int lakefs_extents_install(struct inode *inode,
			   const struct lakefs_p_extent *p, u32 count)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	u64 blocks = 0;
	s64 end;
	int err = 0;

	mutex_lock(&li->ext_lock);
	end = lakefs_load_reply(inode, p, count, 0, &blocks);
	if (end < 0)
		err = end;
	else if (li->mapped_blocks != blocks)
		err = -EUCLEAN;
	if (err) {
		lakefs_unload(li);
	} else {
		li->done_size = li->disk_size;
		smp_store_release(&li->extents_known, true);
	}
	mutex_unlock(&li->ext_lock);
	return err;
}

int __lakefs_extents_load(struct inode *inode)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	u64 from = 0, blocks = 0;
	int ret;

	if (mutex_lock_killable(&li->ext_lock))
		return -EINTR;
	ret = 0;
	if (li->extents_known)
		goto out;
	/* the inode's record already told that there are none */
	if (li->mapped_blocks) {
		ret = lakefs_load_step(inode, &from, LAKEFS_LOAD_FIRST,
				       &blocks);
		while (ret > 0)
			ret = lakefs_load_step(inode, &from, LAKEFS_LOAD_MORE,
					       &blocks);
	}
	if (ret) {
		lakefs_unload(li);
	} else {
		WRITE_ONCE(li->mapped_blocks, blocks);
		li->done_size = li->disk_size;
		/* pairs with lakefs_extents_load(): the tree is complete */
		smp_store_release(&li->extents_known, true);
	}
out:
	mutex_unlock(&li->ext_lock);
	return ret;
}
