// SPDX-License-Identifier: GPL-2.0
/*
 * Inodes: their life in memory, the daemon's records checked and taken in,
 * new ones made.
 *
 * The kernel is the authority: what a record says counts only for an inode
 * that is not in memory. A record can also be too old for that: the inode may
 * have been brought in, changed and evicted between the daemon's answer and
 * now. Eviction raises evict_seq before the inode leaves the hash, so a
 * record asked with a smaller barrier is asked again (lakefs_iget).
 */
#include <linux/iversion.h>
#include <linux/random.h>
#include <linux/slab.h>
#include "data.h"
#include "table.h"

static struct kmem_cache *lakefs_inode_cache;

const struct inode_operations lakefs_file_iops = {
	.setattr	= lakefs_setattr,
	.getattr	= lakefs_getattr,
	.update_time	= lakefs_update_time,
	.listxattr	= lakefs_listxattr,
	.LAKEFS_GET_ACL_OP = lakefs_get_acl,
	.set_acl	= lakefs_set_acl,
	.fiemap		= lakefs_fiemap,
	.fileattr_get	= lakefs_fileattr_get,
	.fileattr_set	= lakefs_fileattr_set,
};

const struct inode_operations lakefs_special_iops = {
	.setattr	= lakefs_setattr,
	.getattr	= lakefs_getattr,
	.update_time	= lakefs_update_time,
	.listxattr	= lakefs_listxattr,
	.LAKEFS_GET_ACL_OP = lakefs_get_acl,
	.set_acl	= lakefs_set_acl,
	.fileattr_get	= lakefs_fileattr_get,
	.fileattr_set	= lakefs_fileattr_set,
};

const struct inode_operations lakefs_symlink_iops = {
	.get_link	= simple_get_link,
	.setattr	= lakefs_setattr,
	.getattr	= lakefs_getattr,
	.update_time	= lakefs_update_time,
	.listxattr	= lakefs_listxattr,
	.fileattr_get	= lakefs_fileattr_get,
	.fileattr_set	= lakefs_fileattr_set,
};

/* ---- cache --------------------------------------------------------------- */

static void lakefs_inode_once(void *object)
{
	struct lakefs_inode_info *li = object;

	spin_lock_init(&li->attr_lock);
	mutex_init(&li->ext_lock);
	inode_init_once(&li->vfs_inode);
}

int lakefs_inode_cache_init(void)
{
	BUILD_BUG_ON(sizeof(unsigned long) < sizeof(u64));	/* i_ino */

	lakefs_inode_cache = kmem_cache_create("lakefs_inode",
			sizeof(struct lakefs_inode_info), 0,
			SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
			lakefs_inode_once);
	return lakefs_inode_cache ? 0 : -ENOMEM;
}

void lakefs_inode_cache_exit(void)
{
	rcu_barrier();		/* for lakefs_free_inode() calls under way */
	kmem_cache_destroy(lakefs_inode_cache);
}

struct inode *lakefs_alloc_inode(struct super_block *sb)
{
	struct lakefs_inode_info *li;

	li = alloc_inode_sb(sb, lakefs_inode_cache, GFP_KERNEL);
	if (!li)
		return NULL;
	li->ino = 0;
	inode_set_iversion(&li->vfs_inode, 1);
	li->last_seq = 0;
	li->flags = 0;
	li->xattr_count = 0;
	li->btime = (struct timespec64){ };
	li->link = NULL;
	li->table = NULL;
	li->table_bits = 0;
	atomic_set(&li->table_users, 0);
	li->table_misses = 0;
	li->attr_rec = NULL;
	li->attr_dirty = 0;
	li->release_rec = NULL;
	INIT_LIST_HEAD(&li->orphan_link);
	lakefs_data_init_inode(li);
	return &li->vfs_inode;
}

void lakefs_free_inode(struct inode *inode)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);

	kfree(li->link);
	kmem_cache_free(lakefs_inode_cache, li);
}

/* ---- orphans ------------------------------------------------------------- */

/* The record, once there, stays with the inode until its end. i_rwsem. */
int lakefs_prepare_orphan(struct inode *inode)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	struct lakefs_i_release *e;
	struct lakefs_rec *rec;

	if (li->release_rec)
		return 0;
	rec = lakefs_rec_alloc(LAKEFS_I_RELEASE, sizeof(*e), GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	e = (struct lakefs_i_release *)rec->entry.bytes;
	e->ino = li->ino;
	li->release_rec = rec;
	return 0;
}

void lakefs_orphan_add(struct inode *inode)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(inode->i_sb);
	struct lakefs_inode_info *li = LAKEFS_I(inode);

	spin_lock(&sbi->orphan_lock);
	if (list_empty(&li->orphan_link))
		list_add_tail(&li->orphan_link, &sbi->orphans);
	spin_unlock(&sbi->orphan_lock);
}

void lakefs_orphan_del(struct inode *inode)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(inode->i_sb);
	struct lakefs_inode_info *li = LAKEFS_I(inode);

	if (list_empty_careful(&li->orphan_link))
		return;
	spin_lock(&sbi->orphan_lock);
	list_del_init(&li->orphan_link);
	spin_unlock(&sbi->orphan_lock);
}

/* Runs under memory reclaim: waits for nothing of the daemon's. */
void lakefs_evict_inode(struct inode *inode)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(inode->i_sb);
	struct lakefs_inode_info *li = LAKEFS_I(inode);
	s64 last, seen;

	truncate_inode_pages_final(&inode->i_data);
	lakefs_data_evict(inode);
	if (S_ISDIR(inode->i_mode))
		lakefs_cache_evict(inode);
	clear_inode(inode);

	if (inode->i_nlink) {
		lakefs_flush_attr(inode);
	} else if (li->release_rec && !list_empty(&li->orphan_link)) {
		lakefs_touch(inode, lakefs_rec_emit(sbi, li->release_rec));
		li->release_rec = NULL;
	}
	/* after the record: an orphan is always declared or released */
	lakefs_orphan_del(inode);
	lakefs_rec_free(li->attr_rec);
	lakefs_rec_free(li->release_rec);
	li->attr_rec = NULL;
	li->release_rec = NULL;

	/* before the inode leaves the hash: pairs with lakefs_iget() */
	last = READ_ONCE(li->last_seq);
	seen = atomic64_read(&sbi->evict_seq);
	while (seen < last &&
	       !atomic64_try_cmpxchg(&sbi->evict_seq, &seen, last))
		;
}

/* ---- records of the daemon ----------------------------------------------- */

static void lakefs_set_ops(struct inode *inode, dev_t rdev)
{
	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = &lakefs_file_iops;
		inode->i_fop = &lakefs_file_fops;
		inode->i_mapping->a_ops = &lakefs_aops;
		lakefs_use_large_folios(inode->i_mapping);
		break;
	case S_IFDIR:
		inode->i_op = &lakefs_dir_iops;
		inode->i_fop = &lakefs_dir_fops;
		break;
	case S_IFLNK:
		inode->i_op = &lakefs_symlink_iops;
		break;
	default:
		inode->i_op = &lakefs_special_iops;
		init_special_inode(inode, inode->i_mode, rdev);
	}
}

void lakefs_set_flags(struct inode *inode, u32 flags)
{
	unsigned int i_flags = 0;

	if (flags & LAKEFS_INODE_IMMUTABLE)
		i_flags |= S_IMMUTABLE;
	if (flags & LAKEFS_INODE_APPEND)
		i_flags |= S_APPEND;
	if (flags & LAKEFS_INODE_NOATIME)
		i_flags |= S_NOATIME;
	if (flags & LAKEFS_INODE_SYNC)
		i_flags |= S_SYNC;
	if (flags & LAKEFS_INODE_DIRSYNC)
		i_flags |= S_DIRSYNC;
	LAKEFS_I(inode)->flags = flags;
	inode_set_flags(inode, i_flags, S_IMMUTABLE | S_APPEND | S_NOATIME |
			S_SYNC | S_DIRSYNC);
}

static bool lakefs_ino_ok(u64 ino)
{
	return ino == LAKEFS_ROOT_INO ||
	       (ino >= LAKEFS_FIRST_INO && ino <= S64_MAX);
}

static bool lakefs_time_ok(const struct lakefs_time *t)
{
	return t->nsec < NSEC_PER_SEC;
}

static bool lakefs_link_ok(const struct lakefs_inode *rec, size_t rec_bytes)
{
	const char *target = (const char *)(rec + 1);

	return rec->link_bytes && rec->link_bytes <= LAKEFS_SYMLINK_MAX &&
	       rec->link_bytes <= rec_bytes - sizeof(*rec) &&
	       rec->size == rec->link_bytes &&
	       !memchr(target, 0, rec->link_bytes);
}

static bool lakefs_type_ok(struct super_block *sb,
			   const struct lakefs_inode *rec, size_t rec_bytes)
{
	if (!S_ISLNK(rec->mode) && rec->link_bytes)
		return false;
	if (!S_ISCHR(rec->mode) && !S_ISBLK(rec->mode) && rec->rdev)
		return false;
	if (!S_ISREG(rec->mode) && rec->blocks)
		return false;

	switch (rec->mode & S_IFMT) {
	case S_IFREG:
		return rec->size <= sb->s_maxbytes && rec->nlink;
	case S_IFDIR:
		return rec->size <= S64_MAX && rec->nlink >= 2;
	case S_IFLNK:
		return rec->nlink && lakefs_link_ok(rec, rec_bytes);
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return !rec->size && rec->nlink;
	default:
		return false;
	}
}

/* Everything a hostile daemon could put into a record */
static bool lakefs_record_ok(struct super_block *sb, u64 ino,
			     const struct lakefs_inode *rec, size_t rec_bytes)
{
	return rec_bytes >= sizeof(*rec) && rec->ino == ino &&
	       lakefs_ino_ok(ino) && !(rec->mode & ~(S_IFMT | S_IALLUGO)) &&
	       (ino != LAKEFS_ROOT_INO || S_ISDIR(rec->mode)) &&
	       rec->nlink <= LAKEFS_LINK_MAX &&
	       rec->uid != (u32)-1 && rec->gid != (u32)-1 &&
	       /* of the file: what is shared is counted wherever it is mapped */
	       rec->blocks <= lakefs_blocks_for(sb->s_maxbytes) &&
	       !(rec->flags & ~LAKEFS_INODE_FLAGS_USER) && !rec->zone &&
	       rec->xattr_count <= LAKEFS_XATTR_LIST_MAX &&
	       lakefs_time_ok(&rec->atime) && lakefs_time_ok(&rec->mtime) &&
	       lakefs_time_ok(&rec->ctime) && lakefs_time_ok(&rec->btime) &&
	       lakefs_type_ok(sb, rec, rec_bytes);
}

/* Known to have no xattr: nothing need ever be asked for ACLs or privileges */
static void lakefs_no_xattrs(struct inode *inode)
{
	cache_no_acl(inode);
	inode_has_no_xattr(inode);
}

static int lakefs_fill_inode(struct inode *inode,
			     const struct lakefs_inode *rec, size_t rec_bytes,
			     u64 barrier)
{
	struct lakefs_inode_info *li = LAKEFS_I(inode);

	if (!lakefs_record_ok(inode->i_sb, inode->i_ino, rec, rec_bytes)) {
		lakefs_err(LAKEFS_SB(inode->i_sb),
			   "bad record of inode %llu (mode %o, %zu bytes)",
			   (u64)inode->i_ino, rec->mode, rec_bytes);
		return -EUCLEAN;
	}
	if (S_ISLNK(rec->mode)) {
		li->link = kmemdup_nul((const char *)(rec + 1),
				       rec->link_bytes, GFP_KERNEL);
		if (!li->link)
			return -ENOMEM;
		inode->i_link = li->link;
	}
	li->ino = rec->ino;
	/* what the answer includes is included in every later barrier too */
	li->last_seq = barrier == U64_MAX ? 0 : barrier;
	li->btime = lakefs_get_time(&rec->btime);
	li->xattr_count = rec->xattr_count;
	/* not data_seq: what changes the blocks only (SHARE) is later */
	li->map_seq = li->last_seq;
	li->mapped_blocks = rec->blocks;
	li->disk_size = rec->size;
	inode->i_mode = rec->mode;
	i_uid_write(inode, rec->uid);
	i_gid_write(inode, rec->gid);
	set_nlink(inode, rec->nlink);
	i_size_write(inode, rec->size);
	inode->i_generation = rec->generation;
	inode_set_atime_to_ts(inode, lakefs_get_time(&rec->atime));
	inode_set_mtime_to_ts(inode, lakefs_get_time(&rec->mtime));
	inode_set_ctime_to_ts(inode, lakefs_get_time(&rec->ctime));
	lakefs_set_flags(inode, rec->flags);
	lakefs_set_ops(inode, new_decode_dev(rec->rdev));
	if (!rec->xattr_count)
		lakefs_no_xattrs(inode);
	if (S_ISDIR(rec->mode) && !rec->size)
		lakefs_cache_empty(inode);
	if (S_ISREG(rec->mode))
		lakefs_data_loaded(inode);
	return 0;
}

/* Ask for the inode itself; it is new and locked, or about to be. */
static int lakefs_read_inode(struct inode *inode)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(inode->i_sb);
	u64 barrier = lakefs_unknown_barrier(sbi);
	struct lakefs_r_ino ask = { .ino = inode->i_ino };
	struct lakefs_answer answer = { .reply_max = LAKEFS_INODE_ANSWER_MAX };
	int ret;

	answer.reply = kmalloc(answer.reply_max, GFP_KERNEL);
	if (!answer.reply)
		return -ENOMEM;
	ret = lakefs_request(sbi, &ask, sizeof(ask), LAKEFS_R_INODE, barrier,
			     &answer);
	if (ret >= 0)
		ret = ret < sizeof(struct lakefs_inode) ? -EUCLEAN :
			lakefs_fill_inode(inode, answer.reply, ret, barrier);
	kfree(answer.reply);
	return ret == -ENOENT ? -ESTALE : ret;
}

static int lakefs_fill_fetched(struct inode *inode,
			       const struct lakefs_iget *get)
{
	int err;

	err = lakefs_fill_inode(inode, get->rec, get->rec_bytes, get->barrier);
	if (err || !get->extents)
		return err;
	return lakefs_extents_install(inode, get->extents, get->extent_count);
}

struct inode *lakefs_iget_fetched(struct super_block *sb,
				  const struct lakefs_iget *get)
{
	const struct lakefs_inode *rec = get->rec;
	struct lakefs_sb_info *sbi = LAKEFS_SB(sb);
	size_t rec_bytes = get->rec_bytes;
	struct inode *inode;
	int err;

	if (rec_bytes < sizeof(*rec) || !lakefs_ino_ok(rec->ino)) {
		lakefs_err(sbi, "bad inode answer (%zu bytes)", rec_bytes);
		return ERR_PTR(-EUCLEAN);
	}
	inode = iget_locked(sb, rec->ino);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (!lakefs_inode_is_new(inode)) {
		if (get->only_cache)
			return inode;
		if (inode->i_nlink && !((inode->i_mode ^ rec->mode) & S_IFMT))
			return inode;
		lakefs_err(sbi, "answer contradicts inode %llu", (u64)inode->i_ino);
		iput(inode);
		return ERR_PTR(-EUCLEAN);
	}
	/* pairs with lakefs_evict_inode(): evicted after the record was made? */
	if (get->barrier >= lakefs_unknown_barrier(sbi))
		err = lakefs_fill_fetched(inode, get);
	else
		err = get->only_cache ? -ESTALE : lakefs_read_inode(inode);
	if (err) {
		iget_failed(inode);
		return ERR_PTR(err);
	}
	unlock_new_inode(inode);
	return inode;
}

struct inode *lakefs_iget(struct super_block *sb,
			  const struct lakefs_inode *rec, size_t rec_bytes,
			  u64 barrier)
{
	struct lakefs_iget get = {
		.rec = rec, .rec_bytes = rec_bytes, .barrier = barrier,
	};

	return lakefs_iget_fetched(sb, &get);
}

struct inode *lakefs_iget_ino(struct super_block *sb, u64 ino)
{
	struct inode *inode;
	int err;

	if (!lakefs_ino_ok(ino))
		return ERR_PTR(-ESTALE);
	inode = iget_locked(sb, ino);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (!lakefs_inode_is_new(inode))
		return inode;
	err = lakefs_read_inode(inode);
	if (err) {
		iget_failed(inode);
		return ERR_PTR(err);
	}
	unlock_new_inode(inode);
	return inode;
}

/* ---- new inodes ---------------------------------------------------------- */

static u32 lakefs_inherited_flags(struct inode *dir, umode_t mode)
{
	u32 flags = LAKEFS_I(dir)->flags & (LAKEFS_INODE_NODUMP |
					    LAKEFS_INODE_NOATIME |
					    LAKEFS_INODE_SYNC |
					    LAKEFS_INODE_DIRSYNC);

	if (S_ISDIR(mode))
		return flags;
	flags &= ~LAKEFS_INODE_DIRSYNC;
	if (S_ISREG(mode))
		return flags;
	return flags & (LAKEFS_INODE_NODUMP | LAKEFS_INODE_NOATIME);
}

/*
 * A new inode, hashed and locked (I_NEW). May wait for an inode number. The
 * caller ends with d_instantiate_new() or clear_nlink() +
 * discard_new_inode().
 */
struct inode *lakefs_new_inode(LAKEFS_IDMAP *idmap, struct inode *dir,
			       umode_t mode, dev_t rdev)
{
	struct super_block *sb = dir->i_sb;
	struct lakefs_inode_info *li;
	struct inode *inode;
	u64 ino;
	int err;

	err = lakefs_ino_take(LAKEFS_SB(sb), &ino);
	if (err)
		return ERR_PTR(err);
	inode = new_inode(sb);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	li = LAKEFS_I(inode);
	li->ino = ino;
	li->extents_known = true;
	inode->i_ino = ino;
	inode->i_generation = get_random_u32();
	inode_init_owner(idmap, inode, dir, mode);
	li->btime = simple_inode_init_ts(inode);
	if (S_ISDIR(mode)) {
		set_nlink(inode, 2);
		lakefs_cache_empty(inode);
	}
	lakefs_set_flags(inode, lakefs_inherited_flags(dir, mode));
	lakefs_set_ops(inode, rdev);
	if (insert_inode_locked(inode) < 0) {
		lakefs_err(LAKEFS_SB(sb), "inode number %llu in use", ino);
		clear_nlink(inode);
		iput(inode);
		return ERR_PTR(-EIO);
	}
	return inode;
}
