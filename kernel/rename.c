// SPDX-License-Identifier: GPL-2.0
/*
 * rename(2), with its flags. Both directories are locked, and so are source
 * and target unless they are directories that keep their parent.
 */
#include "namei.h"
#include "table.h"

struct lakefs_rename {
	LAKEFS_IDMAP *idmap;
	struct inode *src_dir, *dst_dir;
	struct inode *inode;
	struct inode *target;		/* may be NULL */
	const struct qstr *src_name, *dst_name;
	unsigned int flags;		/* RENAME_* */
	struct timespec64 now;
	struct lakefs_rec *rec;
	u64 whiteout_ino;
};

static int lakefs_rename_check(const struct lakefs_rename *r)
{
	bool moves_dir = S_ISDIR(r->inode->i_mode);
	bool exchange = r->flags & RENAME_EXCHANGE;
	bool target_dir = r->target && S_ISDIR(r->target->i_mode);

	if (target_dir && !exchange && i_size_read(r->target))
		return -ENOTEMPTY;
	if (r->src_dir == r->dst_dir)
		return 0;
	if (moves_dir && !target_dir && r->dst_dir->i_nlink >= LAKEFS_LINK_MAX)
		return -EMLINK;
	if (exchange && target_dir && !moves_dir &&
	    r->src_dir->i_nlink >= LAKEFS_LINK_MAX)
		return -EMLINK;
	return 0;
}

/*
 * The whiteout (a device 0:0) that stays at the old name. It is not kept in
 * memory: the next lookup of the name asks for it.
 */
static int lakefs_fill_whiteout(struct lakefs_rename *r,
				struct lakefs_i_rename *e)
{
	struct inode *inode;

	inode = lakefs_new_inode(r->idmap, r->src_dir,
				 S_IFCHR | WHITEOUT_MODE, WHITEOUT_DEV);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	e->whiteout_ino = inode->i_ino;
	r->whiteout_ino = inode->i_ino;
	e->whiteout_mode = inode->i_mode;
	e->whiteout_uid = i_uid_read(inode);
	e->whiteout_gid = i_gid_read(inode);
	e->whiteout_generation = inode->i_generation;
	clear_nlink(inode);
	discard_new_inode(inode);
	return 0;
}

/* What can fail, after op_begin: on success r->rec is complete. */
static int lakefs_rename_prepare(struct lakefs_rename *r)
{
	bool exchange = r->flags & RENAME_EXCHANGE;
	size_t src_room = lakefs_pad(r->src_name->len);
	struct lakefs_i_rename *e;
	struct lakefs_rec *rec;
	int err;

	if (r->target && !exchange) {
		err = lakefs_prepare_drop(r->target);
		if (err)
			return err;
	}
	rec = lakefs_rec_alloc(LAKEFS_I_RENAME, sizeof(*e) + src_room +
			       r->dst_name->len, GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	e = (struct lakefs_i_rename *)rec->entry.bytes;
	if (r->flags & RENAME_WHITEOUT) {
		err = lakefs_fill_whiteout(r, e);
		if (err) {
			lakefs_rec_free(rec);
			return err;
		}
	}
	e->src_dir = r->src_dir->i_ino;
	e->dst_dir = r->dst_dir->i_ino;
	e->ino = r->inode->i_ino;
	e->target_ino = r->target ? r->target->i_ino : 0;
	e->flags = (exchange ? LAKEFS_RENAME_EXCHANGE : 0) |
		   (r->flags & RENAME_WHITEOUT ? LAKEFS_RENAME_WHITEOUT : 0);
	e->src_bytes = r->src_name->len;
	e->dst_bytes = r->dst_name->len;
	r->now = current_time(r->src_dir);	/* after what waits */
	lakefs_put_time(&e->time, r->now);
	memcpy(e + 1, r->src_name->name, r->src_name->len);
	memcpy((u8 *)(e + 1) + src_room, r->dst_name->name, r->dst_name->len);
	r->rec = rec;
	return 0;
}

/* entry counts and link counts; cannot fail */
static void lakefs_rename_count(const struct lakefs_rename *r)
{
	bool moves_dir = S_ISDIR(r->inode->i_mode);
	bool target_dir = r->target && S_ISDIR(r->target->i_mode);
	bool exchange = r->flags & RENAME_EXCHANGE;

	if (!exchange) {
		if (!(r->flags & RENAME_WHITEOUT))
			lakefs_dir_count(r->src_dir, -1);
		if (!r->target)
			lakefs_dir_count(r->dst_dir, 1);
		if (r->target)
			lakefs_drop_name(r->target);
		if (target_dir)
			lakefs_drop_subdir(r->dst_dir);
	} else if (target_dir && r->src_dir != r->dst_dir) {
		lakefs_drop_subdir(r->dst_dir);
		inc_nlink(r->src_dir);
	}
	if (moves_dir && r->src_dir != r->dst_dir) {
		lakefs_drop_subdir(r->src_dir);
		inc_nlink(r->dst_dir);
	}
}

/* What the change means for the tables, either of which may be NULL. */
static void lakefs_rename_tables(const struct lakefs_rename *r,
				 struct lakefs_table *src,
				 struct lakefs_table *dst, u64 seq)
{
	struct inode *inode = r->inode, *target = r->target;

	if (r->flags & RENAME_EXCHANGE) {
		lakefs_cache_replace(src, r->src_name, target->i_ino,
				     target->i_mode);
		lakefs_cache_replace(dst, r->dst_name, inode->i_ino,
				     inode->i_mode);
		return;
	}
	if (r->flags & RENAME_WHITEOUT)
		lakefs_cache_replace(src, r->src_name, r->whiteout_ino,
				     S_IFCHR);
	else
		lakefs_cache_remove(src, r->src_name);
	/* a name that is replaced is never gone: a reader sees it, and once */
	if (target)
		lakefs_cache_replace(dst, r->dst_name, inode->i_ino,
				     inode->i_mode);
	else
		lakefs_cache_add(dst, r->dst_name, inode->i_ino, inode->i_mode,
				 seq);
}

static u64 lakefs_rename_commit(const struct lakefs_rename *r)
{
	bool same = r->src_dir == r->dst_dir;
	struct lakefs_table *src, *dst;
	u64 seq;

	dst = lakefs_cache_begin(r->dst_dir, r->target ? 0 : r->dst_name->len);
	src = same ? dst : lakefs_cache_begin(r->src_dir, 0);
	lakefs_stamp(r->inode, r->now, S_CTIME);
	if (r->target)
		lakefs_stamp(r->target, r->now, S_CTIME);
	lakefs_stamp(r->src_dir, r->now, S_MTIME | S_CTIME);
	if (r->dst_dir != r->src_dir)
		lakefs_stamp(r->dst_dir, r->now, S_MTIME | S_CTIME);
	lakefs_rename_count(r);
	seq = lakefs_rec_emit(LAKEFS_SB(r->inode->i_sb), r->rec);
	lakefs_touch(r->inode, seq);
	if (r->target)
		lakefs_touch(r->target, seq);
	lakefs_touch(r->src_dir, seq);
	lakefs_touch(r->dst_dir, seq);
	lakefs_rename_tables(r, src, dst, seq);
	lakefs_cache_end(r->dst_dir, dst);
	if (!same)
		lakefs_cache_end(r->src_dir, src);
	return seq;
}

int lakefs_rename(LAKEFS_IDMAP *idmap, struct inode *old_dir,
		  struct dentry *old_dentry, struct inode *new_dir,
		  struct dentry *new_dentry, unsigned int flags)
{
	struct lakefs_rename r = {
		.idmap = idmap, .src_dir = old_dir, .dst_dir = new_dir,
		.inode = d_inode(old_dentry), .target = d_inode(new_dentry),
		.src_name = &old_dentry->d_name,
		.dst_name = &new_dentry->d_name,
		.flags = flags,
	};
	u64 seq;
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	err = lakefs_rename_check(&r);
	if (err)
		return err;
	/* no empty file at a name that had a full one: see durability.md */
	if (r.target && S_ISREG(r.inode->i_mode) &&
	    S_ISREG(r.target->i_mode) && !(flags & RENAME_EXCHANGE)) {
		err = lakefs_flush_before_rename(r.inode);
		if (err)
			return err;
	}
	/* a name more or a longer one, unless it takes the place of another */
	if (r.target && !(flags & RENAME_WHITEOUT))
		err = lakefs_op_begin(LAKEFS_SB(old_dir->i_sb));
	else
		err = lakefs_op_begin_growing(LAKEFS_SB(old_dir->i_sb));
	if (err)
		return err;
	err = lakefs_rename_prepare(&r);
	if (err)
		return err;
	seq = lakefs_rename_commit(&r);
	lakefs_dirsync(old_dir, seq);
	if (new_dir != old_dir)
		lakefs_dirsync(new_dir, seq);
	return 0;
}
