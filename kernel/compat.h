/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The differences between the kernels this module is built for (6.1, 6.12 and 7.2
 * are tested; conditions for later ones are there where they are cheap).
 * iomap's own differences live in iomap.c, where all of iomap is.
 */
#ifndef LAKEFS_COMPAT_H
#define LAKEFS_COMPAT_H

#include <linux/version.h>
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/fileattr.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#include <linux/filelock.h>	/* generic_setlease */
#endif
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/slab.h>
#include <linux/xattr.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#include <linux/pagevec.h>	/* comes with writeback.h later, and has another name */
#endif

#ifdef __BIG_ENDIAN
#error "the ring and disk structures are used in place: little-endian only"
#endif

#define LAKEFS_KERNEL(major, minor) \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(major, minor, 0))

/* idmapped mounts: the type of the mapping that operations are given */
#if LAKEFS_KERNEL(6, 3)
#define LAKEFS_IDMAP struct mnt_idmap
#else
#define LAKEFS_IDMAP struct user_namespace
#define nop_mnt_idmap init_user_ns
#define mnt_idmap(mnt) mnt_user_ns(mnt)
#define file_mnt_idmap(file) file_mnt_user_ns(file)
#endif

#if LAKEFS_KERNEL(6, 17)
#define LAKEFS_FILEATTR struct file_kattr
#else
#define LAKEFS_FILEATTR struct fileattr
#endif

/* element of sb->s_xattr; tables are: const lakefs_xattr_table_t name[] */
typedef const struct xattr_handler *lakefs_xattr_table_t;
#if LAKEFS_KERNEL(6, 7)
#define lakefs_set_xattr_table(sb, table) ((sb)->s_xattr = (table))
#else
#define lakefs_set_xattr_table(sb, table) \
	((sb)->s_xattr = (const struct xattr_handler **)(table))
#endif

/* inode_operations.set_acl; the body finds its inode with lakefs_acl_inode */
#if LAKEFS_KERNEL(6, 2)
#define LAKEFS_ACL_ARG struct dentry
#define lakefs_acl_inode(arg) d_inode(arg)
#define LAKEFS_GET_ACL_OP get_inode_acl
#else
#define LAKEFS_ACL_ARG struct inode
#define lakefs_acl_inode(arg) (arg)
#define LAKEFS_GET_ACL_OP get_acl
#endif
#define LAKEFS_SET_ACL_PROTO(name)					\
	int name(LAKEFS_IDMAP *idmap, LAKEFS_ACL_ARG *acl_arg,		\
		 struct posix_acl *acl, int type)

/* The cached ACL, or that of the inode; posix_acl_release. */
static inline struct posix_acl *lakefs_inode_acl(struct inode *inode, int type)
{
#if LAKEFS_KERNEL(6, 2)
	return get_inode_acl(inode, type);
#else
	return get_acl(inode, type);
#endif
}

/* An ACL in the encoding of xattrs; kfree. NULL for no ACL. */
static inline void *lakefs_acl_to_xattr(struct posix_acl *acl, size_t *bytes)
{
#if LAKEFS_KERNEL(6, 19)
	void *value;

	*bytes = 0;
	if (!acl)
		return NULL;
	value = posix_acl_to_xattr(&init_user_ns, acl, bytes, GFP_KERNEL);
	return value ? value : ERR_PTR(-ENOMEM);
#else
	void *value;
	int ret;

	*bytes = 0;
	if (!acl)
		return NULL;
	*bytes = posix_acl_xattr_size(acl->a_count);
	value = kmalloc(*bytes, GFP_KERNEL);
	if (!value)
		return ERR_PTR(-ENOMEM);
	ret = posix_acl_to_xattr(&init_user_ns, acl, value, *bytes);
	if (ret < 0) {
		kfree(value);
		return ERR_PTR(ret);
	}
	return value;
#endif
}

/* mkdir's result; LAKEFS_MKDIR_RESULT(0 or -errno) */
#if LAKEFS_KERNEL(6, 15)
#define LAKEFS_MKDIR_TYPE struct dentry *
#define LAKEFS_MKDIR_RESULT(error) ERR_PTR(error)
#else
#define LAKEFS_MKDIR_TYPE int
#define LAKEFS_MKDIR_RESULT(error) (error)
#endif

#if LAKEFS_KERNEL(6, 14)
#define LAKEFS_D_REVALIDATE_PROTO(name)					\
	int name(struct inode *dir, const struct qstr *qname,		\
		 struct dentry *dentry, unsigned int flags)
#else
#define LAKEFS_D_REVALIDATE_PROTO(name)					\
	int name(struct dentry *dentry, unsigned int flags)
#endif

static inline void lakefs_fillattr(LAKEFS_IDMAP *idmap, u32 mask,
				   struct inode *inode, struct kstat *stat)
{
#if LAKEFS_KERNEL(6, 6)
	generic_fillattr(idmap, mask, inode, stat);
#else
	generic_fillattr(idmap, inode, stat);
#endif
}

/* an inode as iget_locked() gave it: is it new, to be filled by us? */
static inline bool lakefs_inode_is_new(struct inode *inode)
{
#if LAKEFS_KERNEL(6, 19)
	return inode_state_read_once(inode) & I_NEW;
#else
	return inode->i_state & I_NEW;
#endif
}

/* inode_operations.update_time: which times, and since when. */
#if LAKEFS_KERNEL(7, 0)
#define S_ATIME	1
#define S_MTIME	2
#define S_CTIME	4
#define LAKEFS_UPDATE_TIME_PROTO(name)					\
	int name(struct inode *inode, enum fs_update_time type,		\
		 unsigned int flags)
#define lakefs_update_time_args(inode, now, which)			\
	((now) = current_time(inode),					\
	 (which) = type == FS_UPD_ATIME ? S_ATIME : S_MTIME | S_CTIME)
#elif LAKEFS_KERNEL(6, 6)
#define LAKEFS_UPDATE_TIME_PROTO(name) int name(struct inode *inode, int flags)
#define lakefs_update_time_args(inode, now, which)			\
	((now) = current_time(inode), (which) = flags)
#else
#define LAKEFS_UPDATE_TIME_PROTO(name)					\
	int name(struct inode *inode, struct timespec64 *at, int flags)
#define lakefs_update_time_args(inode, now, which)			\
	((now) = *at, (which) = flags)
#endif

/* time accessors; those of ctime are in 6.1 stable already */
#if !LAKEFS_KERNEL(6, 7)
static inline struct timespec64 inode_get_atime(const struct inode *inode)
{
	return inode->i_atime;
}

static inline struct timespec64 inode_get_mtime(const struct inode *inode)
{
	return inode->i_mtime;
}

static inline struct timespec64 inode_set_atime_to_ts(struct inode *inode,
						      struct timespec64 ts)
{
	inode->i_atime = ts;
	return ts;
}

static inline struct timespec64 inode_set_mtime_to_ts(struct inode *inode,
						      struct timespec64 ts)
{
	inode->i_mtime = ts;
	return ts;
}

static inline struct timespec64 simple_inode_init_ts(struct inode *inode)
{
	struct timespec64 ts = inode_set_ctime_current(inode);

	inode_set_atime_to_ts(inode, ts);
	return inode_set_mtime_to_ts(inode, ts);
}
#endif

#if !LAKEFS_KERNEL(6, 5)
#define filemap_splice_read generic_file_splice_read
#endif

#if !LAKEFS_KERNEL(6, 3)
static inline void vm_flags_set(struct vm_area_struct *vma,
				unsigned long flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma,
				  unsigned long flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/* the uuid that FS_IOC_GETFSUUID tells */
static inline void lakefs_set_uuid(struct super_block *sb, const u8 *uuid)
{
#if LAKEFS_KERNEL(6, 9)
	super_set_uuid(sb, uuid, sizeof(sb->s_uuid));
#else
	memcpy(&sb->s_uuid, uuid, sizeof(sb->s_uuid));
#endif
}

/* freeze within the kernel, beside what a person may have frozen */
static inline int lakefs_freeze_super(struct super_block *sb)
{
#if LAKEFS_KERNEL(6, 17)
	return freeze_super(sb, FREEZE_HOLDER_KERNEL, NULL);
#elif LAKEFS_KERNEL(6, 6)
	return freeze_super(sb, FREEZE_HOLDER_KERNEL);
#else
	return freeze_super(sb);
#endif
}

static inline int lakefs_thaw_super(struct super_block *sb)
{
#if LAKEFS_KERNEL(6, 17)
	return thaw_super(sb, FREEZE_HOLDER_KERNEL, NULL);
#elif LAKEFS_KERNEL(6, 6)
	return thaw_super(sb, FREEZE_HOLDER_KERNEL);
#else
	return thaw_super(sb);
#endif
}

/*
 * The largest folio of file data: a write fault makes a whole one dirty, and
 * its holes real, so it is not what the kernel could do but what is enough
 * for the cost of a folio not to matter.
 */
#define LAKEFS_FOLIO_ORDER	4
#define LAKEFS_FOLIO_BLOCKS	(1u << LAKEFS_FOLIO_ORDER)

static inline void lakefs_use_large_folios(struct address_space *mapping)
{
#if LAKEFS_KERNEL(6, 12)
	mapping_set_folio_order_range(mapping, 0, LAKEFS_FOLIO_ORDER);
#endif
}

/* from here on; those that are there stay. Bit by bit: others are set meanwhile */
static inline void lakefs_use_single_folios(struct address_space *mapping)
{
#if LAKEFS_KERNEL(6, 12)
	int bit;

	for (bit = 0; bit < AS_FOLIO_ORDER_BITS; bit++)
		clear_bit(AS_FOLIO_ORDER_MAX + bit, &mapping->flags);
#endif
}

/* a disk of bios, with sectors as bdev's; not added yet. Or ERR_PTR */
static inline struct gendisk *lakefs_alloc_disk(struct block_device *bdev)
{
#if LAKEFS_KERNEL(6, 9)
	struct queue_limits limits = {
		.logical_block_size = bdev_logical_block_size(bdev),
		.dma_alignment = bdev_dma_alignment(bdev),
	};

	return blk_alloc_disk(&limits, NUMA_NO_NODE);
#else
	struct gendisk *disk = blk_alloc_disk(NUMA_NO_NODE);

	if (!disk)
		return ERR_PTR(-ENOMEM);
	blk_queue_logical_block_size(disk->queue,
				     bdev_logical_block_size(bdev));
	blk_queue_dma_alignment(disk->queue, bdev_dma_alignment(bdev));
	return disk;
#endif
}

#endif /* LAKEFS_COMPAT_H */
