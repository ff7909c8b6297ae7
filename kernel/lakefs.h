/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lakefs.ko internals. Layers, top to bottom; each knows only those below:
 *
 *   main -> super -> inode, namei, dir, xattr, export, ioctl, file
 *        -> iomap -> extent -> lease -> request -> record -> ring
 *   chan, attach, mounts (/dev/lakefs) sit beside record/request/ring and drive
 *   them; netlink and sysfs only report.
 *
 * Lock order (outer first):
 *   VFS: i_rwsem (dir, then child), invalidate_lock, folio lock
 *   lakefs_sb_info.seal_lock	(mutex) SEAL, CHECKED, UNSEAL, SHARE, REMAP: outside
 *				the VFS's of the inodes; s_umount, shared,
 *				is held outside it
 *   lakefs_inode_info.ext_lock	(mutex) the extent map of one inode, sizes;
 *				two of them, by address: lakefs_clone_lock()
 *   LAKEFS_LOADING of a directory (a bit): one reads it whole (dircache.c)
 *   lakefs_sb_info.table_lock	(spin) tables of directories
 *   lakefs_sb_info.pool_lock	(spin) leased blocks and inode numbers
 *   lakefs_sb_info.unpack_lock	(spin) what packs are read with
 *   lakefs_sb_info.chan_lock	(mutex) attach, detach, ready; NOT taken by
 *				anything that holds a VFS or extent lock
 *   lakefs_sb_info.rec_lock	(spin, BHs and irqs on) record list, seq,
 *				intent ring head, send cursor
 *   lakefs_sb_info.req_lock	(spin) request list, request ring, reply ring
 */
#ifndef LAKEFS_H
#define LAKEFS_H

#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/kobject.h>
#include <linux/completion.h>
#include <linux/writeback.h>
#include <linux/crc32c.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include "../proto/lakefs_ring.h"
#include "compat.h"

/* ---- records (record.c) -------------------------------------------------- */

/*
 * The record of one change: the encoded intent, kept until its seq is
 * durable. Owned by whoever allocated it until lakefs_rec_emit(), by the
 * mount's list afterwards.
 */
struct lakefs_rec {
	struct list_head link;
	u64 seq;
	u32 cost;			/* bytes of memory it stands for */
	u32 kind;			/* LAKEFS_REC_* : how to free it */
	union {
		struct lakefs_intent_hdr hdr;
		/* not [0]: newer compilers take that for no room at all */
		DECLARE_FLEX_ARRAY(u8, bytes);
	} entry;			/* entry.hdr.len bytes */
};
#define LAKEFS_REC_HEAP		0	/* kvfree */
#define LAKEFS_REC_MAP		1	/* from the map record cache */

/* ---- mount --------------------------------------------------------------- */

struct lakefs_attachment;		/* ring.h: one open, attached file */

/* a run of leased blocks not used yet */
struct lakefs_run {
	struct rb_node node;
	u64 start;
	u64 count;
};

#define LAKEFS_REQ_OPS	16

struct lakefs_sb_info {
	struct super_block *sb;
	struct block_device *bdev;
	char name[32];			/* s_id; outlives sb */
	dev_t dev;
	struct rcu_head rcu;
	struct lakefs_sb disk;		/* as read at mount (chosen copy) */
	u32 mount_flags;
	refcount_t refs;		/* mount + attachment */

	/* state; shutdown is sticky. Read with READ_ONCE */
	unsigned long state;		/* bit LAKEFS_SB_* */
	int shutdown_error;
	char shutdown_reason[128];
	wait_queue_head_t state_wq;	/* attach, ready, shutdown, unmount */

	/* attachment: chan_lock; att itself also under rec_lock + req_lock */
	struct mutex chan_lock;
	struct lakefs_attachment __rcu *att;
	struct rw_semaphore commit_sem;	/* read: COMMIT, write: fencing it */
	struct delayed_work bell_work;	/* late doorbell for mere intents */
	bool registered;
	u64 generation;
	u64 epoch;			/* 0 until MOUNT is answered */
	u64 wanted_id;			/* while on the wanted list */
	struct list_head wanted_link;

	/* records: rec_lock */
	spinlock_t rec_lock;
	struct list_head recs;		/* by seq, all not durable */
	struct lakefs_rec *send_next;	/* first not in the ring; NULL: none */
	u64 last_seq;
	u64 sent_seq;
	u64 seen_seq;			/* newest that any daemon was sent */
	u64 durable_seq;
	u64 wanted_seq;
	u64 rec_bytes;
	u64 rec_count;
	wait_queue_head_t durable_wq;	/* durable_seq moved, or shutdown */
	u64 applied_seq;		/* copied from the dpage, clamped */
	atomic64_t evict_seq;		/* max last_seq of evicted inodes */
	atomic64_t unflushed_seq;	/* when it is durable, their data
					 * written in place is (extent.c) */

	/* requests: req_lock */
	spinlock_t req_lock;
	struct list_head reqs;		/* not in the ring yet, oldest first */
	struct list_head reqs_sent;	/* in the ring, unanswered */
	u64 next_tag;
	u64 late_replies;		/* to requests that are gone */
	u64 req_count[LAKEFS_REQ_OPS];	/* sent, by op */
	u32 leases_arriving;		/* answered, not settled */

	/* leases: pool_lock (lease.c) */
	spinlock_t pool_lock;
	struct rb_root runs;		/* struct lakefs_run by start */
	u64 pool_blocks;		/* in runs */
	u64 reserved_blocks;		/* promised to delayed writes */
	u64 ino_next, ino_end;		/* leased inode numbers */
	u64 ino_start;			/* where that lease began */
	u64 ino_old, ino_old_end;	/* the lease before it */
	struct mutex lease_lock;	/* who waits for a lease */
	u32 lease_chunk;		/* blocks of the next; lease_work */
	u64 lease_goal;			/* lease_work */
	u64 lease_need;			/* pool_lock, as the next */
	u64 lease_asked;		/* of the newest who waited */
	u64 lease_told;			/* whose turn is over */
	int lease_result;		/* for that one */
	u64 nospc_seq;			/* last waited for; lease_lock */
	bool lease_empty;		/* the daemon had nothing last time */
	struct work_struct lease_work;	/* asks for blocks */
	struct list_head taken;		/* extents (extent.c) whose blocks are
					 * taken, I/O not recorded yet */
	struct mutex trim_lock;		/* one FITRIM at a time */
	const struct lakefs_range *trim_ranges;	/* leased for it; pool_lock */
	u32 trim_count;
	spinlock_t orphan_lock;
	struct list_head orphans;	/* live inodes with nlink 0 */

	/* complete directories (dircache.c) */
	spinlock_t table_lock;
	struct list_head tables;	/* table_lock; longest unused first */
	atomic_long_t table_bytes;
	u64 maps_asked;			/* hints of fetch.c: EXTENTS seen; */
	unsigned long maps_until;	/* till then maps come with inodes */

	/* sealing, sharing (sealcall.c), reads that are checked (lens.c, sums.c) */
	struct workqueue_struct *seal_wq;
	struct mutex seal_lock;		/* one call at a time */
	struct workqueue_struct *lens_wq;
	struct gendisk *lens;
	struct inode *sums;		/* its pages are the checksum table's */
	atomic64_t checked_reads;	/* blocks compared */
	atomic64_t damaged_reads;	/* of them, found to differ; bad packs */

	/* reading packs (pack.c) */
	spinlock_t unpack_lock;
	struct list_head unpackers;	/* unpack_lock; longest unused first */
	u32 unpacker_count;		/* unpack_lock; and those being made */
	wait_queue_head_t unpack_wq;
	atomic64_t packed_reads;	/* packs decompressed */

	struct workqueue_struct *wq;	/* I/O completion; WQ_MEM_RECLAIM */
	struct kobject kobj;
	struct completion kobj_done;
};

/* bits of state */
#define LAKEFS_SB_SHUTDOWN	0
#define LAKEFS_SB_RUNNING	1	/* attached and ready: rings move */
#define LAKEFS_SB_MOUNTED	2	/* MOUNT answered */
#define LAKEFS_SB_UNMOUNTING	3
#define LAKEFS_SB_RDONLY_DEV	4	/* nothing is written to the device */
#define LAKEFS_SB_NORECOVERY	5	/* as the mount was asked for */
#define LAKEFS_SB_WRITABLE	6	/* programs change it; see lakefs_reconfigure() */

static inline struct lakefs_sb_info *LAKEFS_SB(struct super_block *sb)
{
	return sb->s_fs_info;
}

static inline bool lakefs_is_shutdown(struct lakefs_sb_info *sbi)
{
	return test_bit(LAKEFS_SB_SHUTDOWN, &sbi->state);
}

/* ---- inode --------------------------------------------------------------- */

struct lakefs_inode_info {
	struct inode vfs_inode;
	u64 ino;			/* i_ino is the same number */
	u64 last_seq;			/* newest intent that touches it; for
					 * directories also of its entries.
					 * READ_ONCE/WRITE_ONCE, only grows:
					 * lakefs_touch() */
	u32 flags;			/* LAKEFS_INODE_* */
	u32 xattr_count;		/* as last told; 0: none for sure.
					 * i_rwsem */
	struct timespec64 btime;
	char *link;			/* symlink target (kmalloc) */

	/* directories: their entries, when all are known (dircache.c) */
	struct lakefs_table *table;	/* sbi->table_lock */
	unsigned long table_bits;
	atomic_t table_users;
	u32 table_misses;		/* names asked for; a hint */

	/* data: ext_lock (extent.c) */
	struct mutex ext_lock;
	struct rb_root extents;		/* struct lakefs_extent by file_block */
	bool extents_known;		/* whole map loaded */
	loff_t disk_size;		/* size as recorded by intents */
	loff_t done_size;		/* end of data that is on the device;
					 * > disk_size while data before it
					 * is still on its way */
	u64 map_seq;			/* newest intent that changed what the
					 * blocks are, or a later one:
					 * lakefs_map_touch() */
	u64 map_gen;			/* moves when a cached translation for
					 * a write is void */
	u64 cut_gen;			/* moves when blocks went away */
	u64 mapped_blocks;		/* written + unwritten, as on disk */
	u64 delayed_blocks;		/* reserved or taken, not mapped */
	loff_t size_wanted;		/* whoever syncs waits for a size up to
					 * this to be recorded (size.c) */
	struct lakefs_rec *size_rec;	/* for a size made by in-place writes */
	u64 tail_block;			/* clipped by truncate: not written in */
	u64 tail_seq;			/* place until this seq is durable */
	u64 end_block;			/* the block of disk_size, while it is
					 * written in place (size.c) */
	bool flush_on_close;		/* truncated to zero: i_rwsem */

	/* in-place writes need a flush of the device (file.c: lakefs_fsync) */
	atomic64_t in_place_gen;	/* in-place writes completed */
	atomic64_t flushed_gen;		/* of them, followed by a flush */
	u64 in_place_seq;		/* last seq given before the newest */
	atomic64_t plain_gen;		/* those that complete by themselves,
					 * begun; and followed by a flush */
	atomic64_t plain_flushed;
	struct lakefs_rec *over;	/* newest OVERWRITE being made
					 * (overwrite.c) */
	struct list_head over_full;	/* those before it */
	u32 over_fulls;			/* how many */
	u32 over_count;			/* ranges in all of them */

	/* completed writeback (writeback.c) */
	spinlock_t ioend_lock;		/* irqs off */
	struct list_head ioend_list;
	struct work_struct ioend_work;

	/*
	 * Prepared records (inode.c). attr_lock (spin, outside rec_lock) makes
	 * "read times, emit the record that carries them" one step, so the
	 * last record always carries the newest times: see
	 * lakefs_carry_times() and lakefs_stamp().
	 */
	spinlock_t attr_lock;
	struct lakefs_rec *attr_rec;	/* attr_lock; there while dirty */
	u32 attr_dirty;			/* attr_lock; LAKEFS_ATTR_?TIME that no
					 * record carries yet */
	struct lakefs_rec *release_rec;	/* there once nlink reached 0 */
	struct list_head orphan_link;	/* sbi->orphan_lock */
};

static inline struct lakefs_inode_info *LAKEFS_I(struct inode *inode)
{
	return container_of(inode, struct lakefs_inode_info, vfs_inode);
}

/* seq now touches this inode (any context) */
static inline void lakefs_touch(struct inode *inode, u64 seq)
{
	u64 *p = &LAKEFS_I(inode)->last_seq;
	u64 old = READ_ONCE(*p);

	while (old < seq && !try_cmpxchg64(p, &old, seq))
		;
}

/* ---- record.c ------------------------------------------------------------ */
/*
 * Order of a namespace change:
 *   lakefs_op_begin(sbi)		may wait: back-pressure; EROFS, EIO
 *   rec = lakefs_rec_alloc(...)	may fail: nothing has changed yet
 *   ... other reservations (inode number, release record) ...
 *   change the VFS state, fill the entry
 *   seq = lakefs_rec_emit(sbi, rec)	cannot fail
 *   lakefs_touch(every inode concerned, seq)
 */
int lakefs_op_begin(struct lakefs_sb_info *sbi);
/* the same for what makes the metadata grow: -ENOSPC when it is full */
int lakefs_op_begin_growing(struct lakefs_sb_info *sbi);
struct lakefs_rec *lakefs_rec_alloc(u16 op, size_t entry_bytes, gfp_t gfp);
void lakefs_rec_free(struct lakefs_rec *rec);
/* MAP records for the bank, entries undefined: n (at most the batch) or none */
#define LAKEFS_BANK_BATCH	32
u32 lakefs_map_recs_alloc(u32 n, gfp_t gfp, struct list_head *list);
void lakefs_map_recs_free(struct list_head *list);
u64 lakefs_rec_emit(struct lakefs_sb_info *sbi, struct lakefs_rec *rec);
/* move the cursor while the ring has room; wakes the daemon */
void lakefs_rec_pump(struct lakefs_sb_info *sbi);
void lakefs_rec_durable(struct lakefs_sb_info *sbi, u64 seq);
void lakefs_rec_rewind(struct lakefs_sb_info *sbi);
void lakefs_rec_drop_all(struct lakefs_sb_info *sbi);	/* at the very end */
/* publish wanted_seq and wait; killable (-EINTR) unless told otherwise */
int lakefs_wait_durable(struct lakefs_sb_info *sbi, u64 seq);
int lakefs_wait_durable_unkillable(struct lakefs_sb_info *sbi, u64 seq);
u64 lakefs_last_seq(struct lakefs_sb_info *sbi);
/* publish wanted_seq without waiting */
void lakefs_want_durable(struct lakefs_sb_info *sbi, u64 seq);
int lakefs_rec_init(void);
void lakefs_rec_exit(void);

static inline void lakefs_put_time(struct lakefs_time *t,
				   struct timespec64 ts)
{
	t->sec = ts.tv_sec;
	t->nsec = ts.tv_nsec;
	t->pad = 0;
}

static inline struct timespec64 lakefs_get_time(const struct lakefs_time *t)
{
	return (struct timespec64){ .tv_sec = t->sec, .tv_nsec = t->nsec };
}

/* ---- request.c ----------------------------------------------------------- */
/*
 * Send one request and wait for the answer (killable, freezable). body begins
 * with struct lakefs_request_hdr, of which only op is filled by the caller.
 * Up to reply_max bytes of the payload are copied to reply. Returns the
 * payload length >= 0, the daemon's -errno (checked to be a known one), -EINTR
 * when killed, -EIO after shutdown, -EPROTO when the payload does not fit.
 */
struct lakefs_answer {
	void *reply;
	u32 reply_max;
	u32 reply_bytes;
	u32 flags;			/* LAKEFS_REPLY_* */
};
int lakefs_request(struct lakefs_sb_info *sbi, void *body, size_t body_bytes,
		   u16 op, u64 barrier, struct lakefs_answer *answer);
int lakefs_request_unkillable(struct lakefs_sb_info *sbi, void *body,
			      size_t body_bytes, u16 op, u64 barrier,
			      struct lakefs_answer *answer);
/*
 * To be called once for every lease request that was answered (result >= 0),
 * when what it gave is where DECLARE finds it: until then DECLARE waits, so
 * that a successor learns of leases whose answer has just come.
 */
void lakefs_lease_settled(struct lakefs_sb_info *sbi);
/* barrier for an inode that may have been evicted */
u64 lakefs_unknown_barrier(struct lakefs_sb_info *sbi);

/* ---- mounts.c, chan.c ----------------------------------------------------- */
int lakefs_chan_init(void);
void lakefs_chan_exit(void);
/* put the mount on the wanted list / wait until it runs (killable) */
void lakefs_chan_register(struct lakefs_sb_info *sbi);
void lakefs_chan_unregister(struct lakefs_sb_info *sbi);
int lakefs_chan_wait_running(struct lakefs_sb_info *sbi);
void lakefs_shutdown(struct lakefs_sb_info *sbi, int error, const char *fmt,
		     ...) __printf(3, 4);
void lakefs_sbi_put(struct lakefs_sb_info *sbi);
/* commit.c: empty the device's cache (data that was written in place) */
int lakefs_flush_device(struct lakefs_sb_info *sbi);

/* ---- lease.c ------------------------------------------------------------- */
/* inode number for a create; may wait. -ENOSPC, -EIO, -EINTR */
int lakefs_ino_take(struct lakefs_sb_info *sbi, u64 *ino);
/* promise n blocks to delayed writes; may wait. -ENOSPC ... */
int lakefs_blocks_reserve(struct lakefs_sb_info *sbi, u64 n);
int lakefs_blocks_try_reserve(struct lakefs_sb_info *sbi, u64 n); /* -EAGAIN */
void lakefs_blocks_unreserve(struct lakefs_sb_info *sbi, u64 n);
/* leased and not promised: free for statfs */
u64 lakefs_blocks_spare(struct lakefs_sb_info *sbi);
void lakefs_lease_init(struct lakefs_sb_info *sbi);
/* before the UNMOUNT request, after all inodes are gone */
void lakefs_lease_return(struct lakefs_sb_info *sbi);
void lakefs_lease_drop(struct lakefs_sb_info *sbi);
/*
 * For DECLARE: everything leased that has no map with seq <= durable_seq:
 * the pool, the taken extents, the MAP records later than durable_seq; leased
 * inode numbers; orphans. Returns how many there are, fills up to max of them
 * (out may be NULL). The list is stable: no daemon runs meanwhile, but I/O
 * completes; superset is fine, omission is not.
 */
u64 lakefs_declare_fill(struct lakefs_sb_info *sbi, u64 durable_seq,
			struct lakefs_declared *out, u64 max);

/* ---- extent.c, iomap.c, file.c ------------------------------------------- */
int lakefs_extent_init(void);
void lakefs_extent_exit(void);
void lakefs_data_init_inode(struct lakefs_inode_info *li);	/* empty, unknown */
void lakefs_data_evict(struct inode *inode);	/* no waiting; drops the map */
void lakefs_data_loaded(struct inode *inode);	/* of an inode that was there */
/* the whole map of an inode nobody else sees yet. -EUCLEAN, -ENOMEM: none */
int lakefs_extents_install(struct inode *inode,
			   const struct lakefs_p_extent *p, u32 count);
/*
 * truncate: caller holds i_rwsem, did the permission work and has set the
 * other attributes. On success exactly one SETATTR record was emitted, with the
 * size, extra_valid, mtime, ctime and what times waited; on failure none.
 */
int lakefs_set_size(struct inode *inode, loff_t size, u32 extra_valid);
int lakefs_fsync(struct file *file, loff_t start, loff_t end, int datasync);
/* data of the inode on its way before a rename replaces something with it */
int lakefs_flush_before_rename(struct inode *inode);
extern const struct file_operations lakefs_file_fops;
extern const struct address_space_operations lakefs_aops;
int lakefs_fiemap(struct inode *inode, struct fiemap_extent_info *fi,
		  u64 start, u64 len);

/* ---- inode.c, attr.c ------------------------------------------------------------- */
int lakefs_inode_cache_init(void);
void lakefs_inode_cache_exit(void);
extern const struct super_operations lakefs_sops;	/* super.c */
/*
 * struct lakefs_inode (proto) is the daemon's record of an inode, symlink
 * target behind it; validated here (-EUCLEAN on nonsense).
 */
/*
 * barrier: the one the record was asked with (U64_MAX: nothing can have been
 * evicted since). An inode already in memory wins over the record.
 */
struct inode *lakefs_iget(struct super_block *sb,
			  const struct lakefs_inode *rec, size_t rec_bytes,
			  u64 barrier);
struct inode *lakefs_iget_ino(struct super_block *sb, u64 ino);	/* asks */
/* the same with all that INODES may tell */
struct lakefs_iget {
	const struct lakefs_inode *rec;
	size_t rec_bytes;
	u64 barrier;
	const struct lakefs_p_extent *extents;	/* the whole map; or NULL */
	u32 extent_count;
	bool only_cache;		/* nobody waits for it: not asked again */
};
struct inode *lakefs_iget_fetched(struct super_block *sb,
				  const struct lakefs_iget *get);
/* bytes of a buffer that takes any inode answer */
#define LAKEFS_INODE_ANSWER_MAX	(sizeof(struct lakefs_inode) + \
				 LAKEFS_SYMLINK_MAX + 1)
struct inode *lakefs_new_inode(LAKEFS_IDMAP *idmap, struct inode *dir,
			       umode_t mode, dev_t rdev);	/* no record */
/* LAKEFS_INODE_* to the inode and its i_flags */
void lakefs_set_flags(struct inode *inode, u32 flags);
/* super_operations of inodes */
struct inode *lakefs_alloc_inode(struct super_block *sb);
void lakefs_free_inode(struct inode *inode);	/* after RCU */
int lakefs_write_inode(struct inode *inode, struct writeback_control *wbc);
void lakefs_evict_inode(struct inode *inode);
/* inode's nlink is about to become 0: have its release record. -ENOMEM */
int lakefs_prepare_orphan(struct inode *inode);
/* nlink became 0 / is not 0 any more */
void lakefs_orphan_add(struct inode *inode);
void lakefs_orphan_del(struct inode *inode);
/*
 * Set times (S_ATIME | S_MTIME | S_CTIME) that the caller's next record
 * carries. Call it before lakefs_rec_emit().
 */
void lakefs_stamp(struct inode *inode, struct timespec64 now, int which);
/*
 * For records that carry mtime and ctime but do not set them (MAP, UNMAP):
 *   spin_lock(&li->attr_lock);
 *   lakefs_carry_times(inode, &e->mtime, &e->ctime);
 *   seq = lakefs_rec_emit(sbi, rec);
 *   spin_unlock(&li->attr_lock);
 */
void lakefs_carry_times(struct inode *inode, struct lakefs_time *mtime,
			struct lakefs_time *ctime);
int lakefs_setattr(LAKEFS_IDMAP *idmap, struct dentry *dentry,
		   struct iattr *attr);
int lakefs_getattr(LAKEFS_IDMAP *idmap, const struct path *path,
		   struct kstat *stat, u32 mask, unsigned int flags);
/* make sure attr_rec is there before times change. May fail: -ENOMEM */
int lakefs_prepare_dirty(struct inode *inode, gfp_t gfp);
LAKEFS_UPDATE_TIME_PROTO(lakefs_update_time);
/* fill a SETATTR entry from the inode's present state */
void lakefs_fill_setattr(struct inode *inode, struct lakefs_i_setattr *e,
			 u32 valid);
/* fill a plain SETATTR record from the present state and emit it */
void lakefs_emit_attr(struct inode *inode, struct lakefs_rec *rec, u32 valid);
int lakefs_sync_attr(struct inode *inode);
/* emit what is dirty now (write_inode, evict); no waiting, no allocation */
void lakefs_flush_attr(struct inode *inode);

/* ---- dircache.c (see also table.h) --------------------------------------- */
void lakefs_cache_evict(struct inode *dir);
/* super_operations: the shrinker of tables */
long lakefs_cache_count(struct super_block *sb, struct shrink_control *sc);
long lakefs_cache_shrink(struct super_block *sb, struct shrink_control *sc);

/* ---- namei.c, dir.c, xattr.c, export.c, ioctl.c -------------------------- */
extern const struct inode_operations lakefs_dir_iops;
extern const struct inode_operations lakefs_file_iops;
extern const struct inode_operations lakefs_symlink_iops;
extern const struct inode_operations lakefs_special_iops;
extern const struct file_operations lakefs_dir_fops;
extern const lakefs_xattr_table_t lakefs_xattr_handlers[];
/*
 * Initial xattrs of a create: ACLs from the directory's default ACL (mode is
 * changed by them) and the security modules' labels, as lakefs_xattr_rec's.
 */
struct lakefs_init_xattrs {
	u8 *buf;			/* kvfree */
	u32 bytes;
	u32 count;
	u32 room;
	struct posix_acl *acl;		/* to be cached after success */
	struct posix_acl *default_acl;
};
int lakefs_init_xattrs(struct inode *inode, struct inode *dir,
		       const struct qstr *name, umode_t *mode,
		       struct lakefs_init_xattrs *ix);
void lakefs_init_xattrs_done(struct inode *inode,
			     struct lakefs_init_xattrs *ix, bool success);
ssize_t lakefs_listxattr(struct dentry *dentry, char *buf, size_t size);
struct posix_acl *lakefs_get_acl(struct inode *inode, int type, bool rcu);
LAKEFS_SET_ACL_PROTO(lakefs_set_acl);
/* an access ACL with another mode: cached and recorded after setattr_copy() */
struct lakefs_acl_chmod {
	struct posix_acl *acl;
	struct lakefs_rec *rec;		/* NULL: the inode has no ACL */
};
int lakefs_prepare_chmod(struct inode *inode, umode_t mode,
			 struct lakefs_acl_chmod *chmod);
void lakefs_acl_chmod(struct inode *inode, struct lakefs_acl_chmod *chmod);
extern const struct export_operations lakefs_export_ops;
long lakefs_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
#ifdef CONFIG_COMPAT
long lakefs_compat_ioctl(struct file *file, unsigned int cmd,
			 unsigned long arg);
#endif
/* fill_super: s_max_links = LAKEFS_LINK_MAX, SB_POSIXACL, s_time_gran = 1 */
int lakefs_fileattr_get(struct dentry *dentry, LAKEFS_FILEATTR *fa);
int lakefs_fileattr_set(LAKEFS_IDMAP *idmap, struct dentry *dentry,
			LAKEFS_FILEATTR *fa);

/* ---- trim.c -------------------------------------------------------------- */
int lakefs_fitrim(struct super_block *sb, struct fstrim_range __user *arg);

/* ---- lens.c: the way of checked reads ------------------------------------- */
int lakefs_lens_bios_init(void);
void lakefs_lens_bios_exit(void);
int lakefs_lens_init(struct lakefs_sb_info *sbi);
void lakefs_lens_exit(struct lakefs_sb_info *sbi);
void lakefs_packs_init(struct lakefs_sb_info *sbi);	/* pack.c */

/* ---- netlink.c, sysfs.c, context.c, super.c ------------------------------- */
int lakefs_netlink_init(void);
void lakefs_netlink_exit(void);
void lakefs_event(struct lakefs_sb_info *sbi, int event, int error,
		  const char *reason);		/* any process context */
/* the same of one block of the device */
void lakefs_event_block(struct lakefs_sb_info *sbi, int event, int error,
			const char *reason, u64 block);
int lakefs_sysfs_init(void);
void lakefs_sysfs_exit(void);
int lakefs_sysfs_add(struct lakefs_sb_info *sbi);
void lakefs_sysfs_del(struct lakefs_sb_info *sbi);
/* context.c: what a mount is asked for (fs_private of its fs_context) */
struct lakefs_options {
	bool norecovery;
};
int lakefs_fs_init(void);
void lakefs_fs_exit(void);
int lakefs_fill_super(struct super_block *sb, struct fs_context *fc);
void lakefs_kill_sb(struct super_block *sb);
/* disk.c: read, check and choose a superblock; tells why not through fc */
int lakefs_read_super(struct fs_context *fc, struct lakefs_sb_info *sbi);

/* standard CRC-32C (initial value and final xor all ones), as on the disk */
static inline u32 lakefs_crc32c(const void *data, size_t bytes)
{
	return ~crc32c(~0u, data, bytes);
}

/* ---- crc32c.c ------------------------------------------------------------ */
int lakefs_crc_init(void);
void lakefs_crc_exit(void);
/* the same of LAKEFS_BLOCK_SIZE bytes, aligned to 8; any context */
u32 lakefs_crc32c_block(const void *data);
/* by the instruction, a word each: short enough for an interrupt */
bool lakefs_crc32c_is_fast(void);

#define lakefs_err(sbi, fmt, ...) \
	pr_err_ratelimited("lakefs (%s): " fmt "\n", (sbi)->name, \
			   ##__VA_ARGS__)
#define lakefs_warn(sbi, fmt, ...) \
	pr_warn_ratelimited("lakefs (%s): " fmt "\n", (sbi)->name, \
			    ##__VA_ARGS__)
#define lakefs_info(sbi, fmt, ...) \
	pr_info("lakefs (%s): " fmt "\n", (sbi)->name, ##__VA_ARGS__)

#endif /* LAKEFS_H */
