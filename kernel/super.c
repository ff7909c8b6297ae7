// SPDX-License-Identifier: GPL-2.0
/*
 * Mounting, unmounting and what concerns a mount as a whole; what it is asked
 * for is in context.c.
 *
 * The device stays known to the daemon from the moment the superblock was
 * found good until the very end of the unmount; until the daemon answered
 * MOUNT there is no root inode, hence nothing that could be recorded.
 */
#include <linux/blkdev.h>
#include <linux/fs_context.h>
#include <linux/seq_file.h>
#include <linux/statfs.h>
#include <linux/slab.h>
#include <linux/uuid.h>
#include "ring.h"

static void lakefs_init_sbi(struct lakefs_sb_info *sbi, struct super_block *sb)
{
	sbi->sb = sb;
	sbi->bdev = sb->s_bdev;
	sbi->dev = sb->s_bdev->bd_dev;
	strscpy(sbi->name, sb->s_id, sizeof(sbi->name));
	refcount_set(&sbi->refs, 1);
	init_waitqueue_head(&sbi->state_wq);
	mutex_init(&sbi->chan_lock);
	init_rwsem(&sbi->commit_sem);
	mutex_init(&sbi->seal_lock);
	INIT_DELAYED_WORK(&sbi->bell_work, lakefs_bell_work);
	INIT_LIST_HEAD(&sbi->wanted_link);
	spin_lock_init(&sbi->rec_lock);
	INIT_LIST_HEAD(&sbi->recs);
	init_waitqueue_head(&sbi->durable_wq);
	spin_lock_init(&sbi->req_lock);
	INIT_LIST_HEAD(&sbi->reqs);
	INIT_LIST_HEAD(&sbi->reqs_sent);
	spin_lock_init(&sbi->orphan_lock);
	INIT_LIST_HEAD(&sbi->orphans);
	init_completion(&sbi->kobj_done);
	spin_lock_init(&sbi->table_lock);
	INIT_LIST_HEAD(&sbi->tables);
	sbi->maps_until = jiffies;
	lakefs_lease_init(sbi);
	lakefs_packs_init(sbi);
}

static int lakefs_mount_error(struct fs_context *fc,
			      struct lakefs_sb_info *sbi, int err)
{
	if (lakefs_is_shutdown(sbi)) {
		smp_rmb();	/* reason and error were there before */
		errorfc(fc, "%s", sbi->shutdown_reason);
		return sbi->shutdown_error;
	}
	if (err != -EINTR)
		errorfc(fc, "the daemon refused the mount (error %d)", err);
	return err;
}

/* ask the daemon to begin a new epoch; it answers with the root */
static struct inode *lakefs_ask_mount(struct fs_context *fc,
				      struct lakefs_sb_info *sbi)
{
	struct lakefs_r_mount body = { };
	struct lakefs_p_mount reply;
	struct lakefs_answer answer = {
		.reply = &reply,
		.reply_max = sizeof(reply),
	};
	struct timespec64 now;
	struct inode *root;
	int err;

	ktime_get_real_ts64(&now);
	lakefs_put_time(&body.now, now);
	err = lakefs_request(sbi, &body, sizeof(body), LAKEFS_R_MOUNT, 0,
			     &answer);
	if (err < 0)
		return ERR_PTR(lakefs_mount_error(fc, sbi, err));
	if (err != sizeof(reply) || !reply.epoch) {
		errorfc(fc, "the daemon's answer to the mount makes no sense");
		return ERR_PTR(-EPROTO);
	}
	lakefs_mount_answered(sbi, reply.epoch, reply.last_seq);
	root = lakefs_iget(sbi->sb, &reply.root, sizeof(reply.root),
			   U64_MAX);
	if (!IS_ERR(root) && (root->i_ino != LAKEFS_ROOT_INO ||
			      !S_ISDIR(root->i_mode))) {
		errorfc(fc, "the daemon's root is no root directory");
		iput(root);
		return ERR_PTR(-EUCLEAN);
	}
	if (IS_ERR(root))
		return root;
	if (reply.was_clean)
		lakefs_info(sbi, "mounted, epoch %llu, clean", reply.epoch);
	else
		lakefs_info(sbi, "mounted, epoch %llu, replayed %llu intents",
			    reply.epoch, reply.replayed);
	return root;
}

static void lakefs_init_sb(struct super_block *sb, struct lakefs_sb_info *sbi)
{
	sb->s_magic = LAKEFS_SUPER_MAGIC;
	/* whole blocks: rounding up an offset never overflows */
	sb->s_maxbytes = MAX_LFS_FILESIZE - (LAKEFS_BLOCK_SIZE - 1);
	sb->s_max_links = LAKEFS_LINK_MAX;
	sb->s_time_gran = 1;
	sb->s_flags |= SB_POSIXACL;
	/* a page's crc32c is taken while it is written; iomap tells whose it is */
	sb->s_iflags |= SB_I_STABLE_WRITES | SB_I_CGROUPWB;
	sb->s_op = &lakefs_sops;
	sb->s_export_op = &lakefs_export_ops;
	lakefs_set_xattr_table(sb, lakefs_xattr_handlers);
	lakefs_set_uuid(sb, sbi->disk.uuid);
}

int lakefs_fill_super(struct super_block *sb, struct fs_context *fc)
{
	const struct lakefs_options *options = fc->fs_private;
	struct lakefs_sb_info *sbi;
	struct inode *root;
	int err;

	/* from here on lakefs_kill_sb cleans up */
	sbi = kzalloc(sizeof(*sbi), GFP_KERNEL);
	if (!sbi)
		return -ENOMEM;
	lakefs_init_sbi(sbi, sb);
	sb->s_fs_info = sbi;
	if (!sb_set_blocksize(sb, LAKEFS_BLOCK_SIZE)) {
		errorfc(fc, "the device's sectors are larger than %u bytes",
			LAKEFS_BLOCK_SIZE);
		return -EINVAL;
	}
	if (options->norecovery && !sb_rdonly(sb)) {
		errorfc(fc, "norecovery is for read-only mounts: add ro");
		return -EINVAL;
	}
	err = lakefs_read_super(fc, sbi);
	if (err)
		return err;
#if LAKEFS_KERNEL(6, 8)
	/* the daemon writes to it, or reads only if that was said */
	if (sb->s_bdev->bd_writers < 0 && !options->norecovery &&
	    !bdev_read_only(sb->s_bdev)) {
		errorfc(fc, "the kernel lets no program write to mounted devices: boot without bdev_allow_write_mounted=0");
		return -EBUSY;
	}
#endif
	lakefs_init_sb(sb, sbi);
	if (!sb_rdonly(sb))
		set_bit(LAKEFS_SB_WRITABLE, &sbi->state);
	if (options->norecovery)
		set_bit(LAKEFS_SB_NORECOVERY, &sbi->state);
	/* what this module can only read is as if the device could only be read */
	if (options->norecovery || bdev_read_only(sb->s_bdev) ||
	    (sbi->disk.ro_compat & ~LAKEFS_RO_COMPAT_KNOWN))
		set_bit(LAKEFS_SB_RDONLY_DEV, &sbi->state);
	sbi->wq = alloc_workqueue("lakefs-%s", WQ_MEM_RECLAIM | WQ_UNBOUND, 0,
				  sbi->name);
	sbi->seal_wq = alloc_workqueue("lakefs-seal-%s", WQ_UNBOUND, 0,
				       sbi->name);
	if (!sbi->wq || !sbi->seal_wq)
		return -ENOMEM;
	err = lakefs_lens_init(sbi);
	if (err) {
		errorfc(fc, "no device for checked reads (error %d)", err);
		return err;
	}
	err = lakefs_sysfs_add(sbi);
	if (err)
		return err;
	if (READ_ONCE(lakefs_unsafe_no_flush))
		pr_alert("lakefs (%s): unsafe_no_flush is set: power loss WILL lose data\n",
			 sbi->name);
	lakefs_chan_register(sbi);
	if (lakefs_chan_wait_running(sbi))
		return lakefs_mount_error(fc, sbi, -EINTR);
	root = lakefs_ask_mount(fc, sbi);
	if (IS_ERR(root))
		return PTR_ERR(root);
	sb->s_root = d_make_root(root);
	if (!sb->s_root)
		return -ENOMEM;
	set_bit(LAKEFS_SB_MOUNTED, &sbi->state);
	lakefs_event(sbi, LAKEFS_EV_MOUNTED, 0, NULL);
	return 0;
}

/* ---- the end ---------------------------------------------------------------- */

/* no daemon, no device, no traces in sysfs; also of a mount that failed */
static void lakefs_leave(struct lakefs_sb_info *sbi)
{
	lakefs_chan_unregister(sbi);
	lakefs_sysfs_del(sbi);
	cancel_work_sync(&sbi->lease_work);
	cancel_delayed_work_sync(&sbi->bell_work);
	if (sbi->seal_wq)
		destroy_workqueue(sbi->seal_wq);
	if (sbi->wq)
		destroy_workqueue(sbi->wq);
	lakefs_lens_exit(sbi);
	lakefs_lease_drop(sbi);
	lakefs_rec_drop_all(sbi);
}

/*
 * The orderly end: everything durable, then UNMOUNT, whose answer says that
 * the clean mark is. Not killable: only shutdown lets go of a lost daemon.
 */
static int lakefs_say_goodbye(struct lakefs_sb_info *sbi)
{
	struct lakefs_request_hdr body = { };
	int err;

	err = lakefs_wait_durable_unkillable(sbi, lakefs_last_seq(sbi));
	if (err)
		return err;
	lakefs_lease_return(sbi);
	err = lakefs_request_unkillable(sbi, &body, sizeof(body),
					LAKEFS_R_UNMOUNT, lakefs_last_seq(sbi),
					NULL);
	return err < 0 ? err : 0;
}

static void lakefs_put_super(struct super_block *sb)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(sb);
	int err;

	set_bit(LAKEFS_SB_UNMOUNTING, &sbi->state);
	flush_workqueue(sbi->wq);
	cancel_work_sync(&sbi->lease_work);
	err = lakefs_say_goodbye(sbi);
	if (err)
		lakefs_warn(sbi, "unmounted without a clean mark (error %d)",
			    err);
	else
		lakefs_info(sbi, "unmounted");
	lakefs_leave(sbi);
	lakefs_event(sbi, LAKEFS_EV_UNMOUNTED, err, NULL);
}

void lakefs_kill_sb(struct super_block *sb)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(sb);

	if (sbi && !sb->s_root)
		lakefs_leave(sbi);
	kill_block_super(sb);
	if (sbi)
		lakefs_sbi_put(sbi);
}

/* ---- operations of a live mount ------------------------------------------------ */

static int lakefs_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	struct super_block *sb = dentry->d_sb;
	struct lakefs_sb_info *sbi = LAKEFS_SB(sb);
	struct lakefs_request_hdr body = { };
	struct lakefs_p_statfs reply;
	struct lakefs_answer answer = {
		.reply = &reply,
		.reply_max = sizeof(reply),
	};
	u64 pool;
	int err;

	err = lakefs_request(sbi, &body, sizeof(body), LAKEFS_R_STATFS,
			     lakefs_last_seq(sbi), &answer);
	if (err < 0)
		return err;
	if (err != sizeof(reply))
		return -EPROTO;
	/* leased but not promised to anybody: free as a program sees it */
	spin_lock(&sbi->pool_lock);
	pool = sbi->pool_blocks > sbi->reserved_blocks ?
	       sbi->pool_blocks - sbi->reserved_blocks : 0;
	spin_unlock(&sbi->pool_lock);
	buf->f_type = LAKEFS_SUPER_MAGIC;
	buf->f_bsize = LAKEFS_BLOCK_SIZE;
	buf->f_frsize = LAKEFS_BLOCK_SIZE;
	buf->f_blocks = reply.total_blocks;
	buf->f_bfree = min(reply.free_blocks + pool, reply.total_blocks);
	buf->f_bavail = buf->f_bfree;
	buf->f_files = reply.inodes + reply.free_inodes;
	buf->f_ffree = reply.free_inodes;
	buf->f_namelen = LAKEFS_NAME_MAX;
	buf->f_fsid = uuid_to_fsid(sbi->disk.uuid);
	return 0;
}

static int lakefs_sync_fs(struct super_block *sb, int wait)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(sb);
	u64 seq = lakefs_last_seq(sbi);
	int err;

	if (!wait) {
		lakefs_want_durable(sbi, seq);
		return 0;
	}
	if (lakefs_is_shutdown(sbi))
		return -EIO;
	err = lakefs_wait_durable(sbi, seq);
	if (err || sb_rdonly(sb))
		return err;
	/* what was overwritten in place has no record whose commit flushes */
	return lakefs_flush_device(sbi);
}

/* writers are held; requests go on being answered */
static int lakefs_freeze_fs(struct super_block *sb)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(sb);

	return lakefs_wait_durable(sbi, lakefs_last_seq(sbi));
}

static int lakefs_unfreeze_fs(struct super_block *sb)
{
	return 0;
}

/*
 * umount -f: what waits for a lost daemon fails, so that unmount can go on. The
 * VFS asks before it looks whether anybody uses the mount, and for any mount of
 * the lake: with a daemon, one that recovers included, nothing waits for ever,
 * and nothing is given up.
 */
static void lakefs_umount_begin(struct super_block *sb)
{
	struct lakefs_sb_info *sbi = LAKEFS_SB(sb);
	struct lakefs_attachment *att;
	bool lost;

	rcu_read_lock();
	att = rcu_dereference(sbi->att);
	lost = !att || READ_ONCE(att->broken);
	rcu_read_unlock();
	if (lost)
		lakefs_shutdown(sbi, -EIO, "unmount was forced");
}

#if LAKEFS_KERNEL(6, 5)
/* The device was taken away: what the cache still holds is nobody's any more. */
static void lakefs_device_gone(struct super_block *sb)
{
	lakefs_shutdown(LAKEFS_SB(sb), -EIO, "the device is gone");
}
#endif

static int lakefs_show_options(struct seq_file *m, struct dentry *root)
{
	if (test_bit(LAKEFS_SB_NORECOVERY, &LAKEFS_SB(root->d_sb)->state))
		seq_puts(m, ",norecovery");
	return 0;
}

const struct super_operations lakefs_sops = {
	.alloc_inode = lakefs_alloc_inode,
	.free_inode = lakefs_free_inode,
	.write_inode = lakefs_write_inode,
	.evict_inode = lakefs_evict_inode,
	.put_super = lakefs_put_super,
	.sync_fs = lakefs_sync_fs,
	.freeze_fs = lakefs_freeze_fs,
	.unfreeze_fs = lakefs_unfreeze_fs,
	.statfs = lakefs_statfs,
	.show_options = lakefs_show_options,
	.umount_begin = lakefs_umount_begin,
#if LAKEFS_KERNEL(6, 5)
	.shutdown = lakefs_device_gone,
#endif
	.nr_cached_objects = lakefs_cache_count,
	.free_cached_objects = lakefs_cache_shrink,
};
