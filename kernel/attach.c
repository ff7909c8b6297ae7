// SPDX-License-Identifier: GPL-2.0
/*
 * How a daemon becomes the daemon of a mount, and stops being it.
 *
 * The attachment's memory lives until the file is closed, and a mapping keeps
 * the file open, so no mapping outlives it.
 */
#include <linux/blkdev.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include "chan.h"

#define LAKEFS_DECLARE_MAX	(1u << 20)

void lakefs_att_free(struct lakefs_attachment *att)
{
	vfree(att->ro);
	vfree(att->rw);
	kfree(att);
}

static struct lakefs_attachment *lakefs_att_alloc(struct lakefs_chan_file *cf,
						  struct lakefs_sb_info *sbi)
{
	struct lakefs_attachment *att = kzalloc(sizeof(*att), GFP_KERNEL);

	if (!att)
		return NULL;
	att->sbi = sbi;
	att->poll_wq = &cf->wq;
	att->ro = vmalloc_user(LAKEFS_RO_BYTES);
	att->rw = vmalloc_user(LAKEFS_RW_BYTES);
	if (!att->ro || !att->rw) {
		lakefs_att_free(att);
		return NULL;
	}
	lakefs_rings_init(att);
	WRITE_ONCE(att->k->magic, LAKEFS_RING_MAGIC);
	WRITE_ONCE(att->k->abi_version, LAKEFS_ABI_VERSION);
	WRITE_ONCE(att->k->state, LAKEFS_CHAN_ATTACHED);
	return att;
}

/* Publish or remove the attachment. chan_lock held */
static void lakefs_att_set(struct lakefs_sb_info *sbi,
			   struct lakefs_attachment *att)
{
	lockdep_assert_held(&sbi->chan_lock);
	spin_lock(&sbi->rec_lock);
	spin_lock(&sbi->req_lock);
	clear_bit(LAKEFS_SB_RUNNING, &sbi->state);
	rcu_assign_pointer(sbi->att, att);
	lakefs_req_rewind(sbi);
	if (att) {
		WRITE_ONCE(att->k->last_seq, sbi->last_seq);
		WRITE_ONCE(att->k->durable_seq, sbi->durable_seq);
		WRITE_ONCE(att->k->wanted_seq, sbi->wanted_seq);
	}
	spin_unlock(&sbi->req_lock);
	spin_unlock(&sbi->rec_lock);
}

static int lakefs_attach_sbi(struct lakefs_chan_file *cf,
			     struct lakefs_sb_info *sbi,
			     struct lakefs_attach *arg)
{
	struct lakefs_attachment *att;
	int err = 0;

	if (arg->abi_version != LAKEFS_ABI_VERSION) {
		if (!test_bit(LAKEFS_SB_MOUNTED, &sbi->state))
			lakefs_shutdown(sbi, -EPROTO,
				"the daemon speaks ring ABI %u, this module %u",
				arg->abi_version, LAKEFS_ABI_VERSION);
		arg->abi_version = LAKEFS_ABI_VERSION;
		return -EPROTO;
	}
	att = lakefs_att_alloc(cf, sbi);
	if (!att)
		return -ENOMEM;
	mutex_lock(&sbi->chan_lock);
	if (!sbi->registered)
		err = -ENODEV;
	else if (lakefs_is_shutdown(sbi))
		err = -EIO;
	else if (rcu_access_pointer(sbi->att))
		err = -EBUSY;
	if (err) {
		mutex_unlock(&sbi->chan_lock);
		lakefs_att_free(att);
		return err;
	}
	att->generation = ++sbi->generation;
	lakefs_att_set(sbi, att);
	smp_store_release(&cf->att, att);
	lakefs_mount_has_daemon(sbi);
	arg->features &= LAKEFS_FEATURES_KNOWN;
	arg->generation = att->generation;
	arg->epoch = READ_ONCE(sbi->epoch);
	arg->durable_seq = READ_ONCE(sbi->durable_seq);
	arg->last_seq = READ_ONCE(sbi->last_seq);
	/* what is durable already can be shown without writing */
	if (!test_bit(LAKEFS_SB_WRITABLE, &sbi->state) &&
	    bdev_read_only(sbi->bdev) && arg->durable_seq == arg->last_seq)
		set_bit(LAKEFS_SB_RDONLY_DEV, &sbi->state);
	if (test_bit(LAKEFS_SB_RDONLY_DEV, &sbi->state))
		arg->flags = LAKEFS_ATTACH_RDONLY;
	mutex_unlock(&sbi->chan_lock);
	return 0;
}

int lakefs_ioc_attach(struct lakefs_chan_file *cf,
		      struct lakefs_attach __user *argp)
{
	struct lakefs_sb_info *sbi;
	struct lakefs_attach arg;
	int err;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (arg.flags || arg.reserved)
		return -EINVAL;
	mutex_lock(&cf->lock);
	if (cf->att) {
		mutex_unlock(&cf->lock);
		return -EBUSY;
	}
	sbi = lakefs_mount_find(MKDEV(arg.dev_major, arg.dev_minor));
	err = sbi ? lakefs_attach_sbi(cf, sbi, &arg) : -ENODEV;
	if (!err)
		lakefs_event(sbi, LAKEFS_EV_ATTACHED, 0, NULL);
	else if (sbi)
		lakefs_sbi_put(sbi);
	mutex_unlock(&cf->lock);
	if ((!err || err == -EPROTO) && copy_to_user(argp, &arg, sizeof(arg)))
		return -EFAULT;
	return err;
}

int lakefs_ioc_declare(struct lakefs_attachment *att,
		       struct lakefs_declare __user *argp)
{
	struct lakefs_sb_info *sbi = att->sbi;
	struct lakefs_declared *out = NULL;
	struct lakefs_declare arg;
	u64 n;
	int err = 0;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	arg.max = min_t(u64, arg.max, LAKEFS_DECLARE_MAX);
	if (arg.max) {
		out = kvcalloc(arg.max, sizeof(*out), GFP_KERNEL);
		if (!out)
			return -ENOMEM;
	}
	/* answers of the predecessor, on their way into the pool */
	if (wait_event_state(sbi->state_wq,
			     !READ_ONCE(sbi->leases_arriving),
			     LAKEFS_WAIT_KILLABLE)) {
		kvfree(out);
		return -EINTR;
	}
	mutex_lock(&sbi->chan_lock);
	if (att->detached || att->ready)
		err = -ESTALE;
	else
		arg.count = lakefs_declare_fill(sbi, arg.durable_seq, out,
						arg.max);
	mutex_unlock(&sbi->chan_lock);
	n = min_t(u64, arg.count, arg.max);
	if (!err && (copy_to_user(u64_to_user_ptr(arg.addr), out,
				  n * sizeof(*out)) ||
		     copy_to_user(argp, &arg, sizeof(arg))))
		err = -EFAULT;
	kvfree(out);
	return err;
}

/* does the state the daemon recovered hold what the mount was promised? */
static int lakefs_ready_check(struct lakefs_sb_info *sbi,
			      const struct lakefs_ready *arg)
{
	u64 epoch = READ_ONCE(sbi->epoch);
	u64 durable = READ_ONCE(sbi->durable_seq);

	if (!epoch)
		return 0;
	if (arg->epoch != epoch)
		lakefs_shutdown(sbi, -EIO,
			"the daemon recovered epoch %llu, not %llu",
			arg->epoch, epoch);
	else if (arg->durable_seq < durable)
		lakefs_shutdown(sbi, -EIO,
			"state was lost: recovered seq %llu, promised %llu",
			arg->durable_seq, durable);
	else if (arg->durable_seq > lakefs_last_seq(sbi))
		lakefs_shutdown(sbi, -EIO,
			"the daemon recovered seq %llu, never given (last %llu)",
			arg->durable_seq, lakefs_last_seq(sbi));
	else
		return 0;
	return -ESTALE;
}

int lakefs_ioc_ready(struct lakefs_attachment *att,
		     const struct lakefs_ready __user *argp)
{
	struct lakefs_sb_info *sbi = att->sbi;
	struct lakefs_ready arg;
	int err;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	mutex_lock(&sbi->chan_lock);
	err = att->detached || att->ready ? -ESTALE :
	      lakefs_is_shutdown(sbi) ? -EIO : lakefs_ready_check(sbi, &arg);
	if (err)
		goto out;
	if (READ_ONCE(sbi->epoch))
		lakefs_rec_durable(sbi, arg.durable_seq);
	att->ready = true;
	spin_lock(&sbi->rec_lock);
	spin_lock(&sbi->req_lock);
	lakefs_rec_rewind(sbi);
	WRITE_ONCE(att->k->sent_seq, sbi->sent_seq);
	WRITE_ONCE(att->k->last_seq, sbi->last_seq);
	WRITE_ONCE(att->k->durable_seq, sbi->durable_seq);
	WRITE_ONCE(att->k->wanted_seq, sbi->wanted_seq);
	if (!lakefs_is_shutdown(sbi)) {
		WRITE_ONCE(att->k->state, LAKEFS_CHAN_RUNNING);
		set_bit(LAKEFS_SB_RUNNING, &sbi->state);
	}
	spin_unlock(&sbi->req_lock);
	spin_unlock(&sbi->rec_lock);
	wake_up_all(&sbi->state_wq);
	lakefs_rec_pump(sbi);
	lakefs_req_pump(sbi, false);
out:
	mutex_unlock(&sbi->chan_lock);
	return err;
}

void lakefs_att_fence(struct lakefs_attachment *att)
{
	struct lakefs_sb_info *sbi = att->sbi;

	down_write(&sbi->commit_sem);
	WRITE_ONCE(att->detached, true);
	up_write(&sbi->commit_sem);
	lakefs_att_set(sbi, NULL);
	/* calls that wait (sealcall.c) */
	wake_up_all(&sbi->state_wq);
}

/* The mount loses its daemon; its file may live on, fenced. */
void lakefs_att_detach(struct lakefs_attachment *att)
{
	struct lakefs_sb_info *sbi = att->sbi;
	bool was;

	mutex_lock(&sbi->chan_lock);
	was = !att->detached;
	if (was) {
		lakefs_att_fence(att);
		lakefs_mount_lost_daemon(sbi);
	}
	mutex_unlock(&sbi->chan_lock);
	if (was) {
		lakefs_event(sbi, LAKEFS_EV_DETACHED, 0, NULL);
		if (!lakefs_is_shutdown(sbi))
			lakefs_warn(sbi, "the daemon is gone; waiting for another");
	}
}
