// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/lakefs: how a daemon finds a mount and becomes its daemon.
 *
 * One open file serves at most one attachment in its life. The attachment's
 * memory lives until the file is closed, and a mapping keeps the file open,
 * so no mapping outlives it. Locks here: sbi->chan_lock (attach, ready,
 * detach of one mount) outside lakefs_mounts_lock (the list of mounts and of
 * open files).
 */
#include <linux/capability.h>
#include <linux/blkdev.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include "ring.h"

#define LAKEFS_DECLARE_MAX	(1u << 20)

struct lakefs_chan_file {
	struct mutex lock;		/* one ATTACH at a time */
	wait_queue_head_t wq;
	struct list_head link;		/* lakefs_chan_files */
	u64 seen_id;			/* of the wanted list */
	struct lakefs_attachment *att;	/* set once, with release */
};

static DEFINE_MUTEX(lakefs_mounts_lock);
static LIST_HEAD(lakefs_mounts);	/* sbi->wanted_link, oldest id first */
static LIST_HEAD(lakefs_chan_files);
static atomic64_t lakefs_newest_id;

/* ---- the wanted list ------------------------------------------------------ */

/* sbi has no daemon: last in the list, and a new id. mounts_lock held */
static void lakefs_want_daemon(struct lakefs_sb_info *sbi)
{
	struct lakefs_chan_file *cf;

	lockdep_assert_held(&lakefs_mounts_lock);
	list_move_tail(&sbi->wanted_link, &lakefs_mounts);
	sbi->wanted_id = atomic64_inc_return(&lakefs_newest_id);
	list_for_each_entry(cf, &lakefs_chan_files, link)
		wake_up_interruptible_poll(&cf->wq, EPOLLIN);
}

void lakefs_chan_register(struct lakefs_sb_info *sbi)
{
	mutex_lock(&lakefs_mounts_lock);
	sbi->registered = true;
	lakefs_want_daemon(sbi);
	mutex_unlock(&lakefs_mounts_lock);
}

static int lakefs_ioc_next_wanted(struct lakefs_chan_file *cf,
				  struct lakefs_wanted __user *argp)
{
	struct lakefs_sb_info *sbi;
	struct lakefs_wanted arg;
	int err = -ENOENT;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	mutex_lock(&lakefs_mounts_lock);
	list_for_each_entry(sbi, &lakefs_mounts, wanted_link) {
		if (!sbi->wanted_id || sbi->wanted_id <= arg.id)
			continue;
		arg.id = sbi->wanted_id;
		arg.dev_major = MAJOR(sbi->bdev->bd_dev);
		arg.dev_minor = MINOR(sbi->bdev->bd_dev);
		memcpy(arg.uuid, sbi->disk.uuid, sizeof(arg.uuid));
		err = 0;
		break;
	}
	WRITE_ONCE(cf->seen_id, err ? atomic64_read(&lakefs_newest_id) :
				      arg.id);
	mutex_unlock(&lakefs_mounts_lock);
	if (!err && copy_to_user(argp, &arg, sizeof(arg)))
		return -EFAULT;
	return err;
}

static struct lakefs_sb_info *lakefs_mount_find(dev_t dev)
{
	struct lakefs_sb_info *sbi, *found = NULL;

	mutex_lock(&lakefs_mounts_lock);
	list_for_each_entry(sbi, &lakefs_mounts, wanted_link) {
		if (sbi->bdev->bd_dev == dev) {
			refcount_inc(&sbi->refs);
			found = sbi;
			break;
		}
	}
	mutex_unlock(&lakefs_mounts_lock);
	return found;
}

void lakefs_sbi_put(struct lakefs_sb_info *sbi)
{
	if (refcount_dec_and_test(&sbi->refs))
		kfree_rcu(sbi, rcu);
}

int lakefs_chan_wait_running(struct lakefs_sb_info *sbi)
{
	if (wait_event_state(sbi->state_wq,
			     test_bit(LAKEFS_SB_RUNNING, &sbi->state) ||
			     lakefs_is_shutdown(sbi), LAKEFS_WAIT_KILLABLE))
		return -EINTR;
	return lakefs_is_shutdown(sbi) ? -EIO : 0;
}

const char *lakefs_chan_state(struct lakefs_sb_info *sbi)
{
	if (lakefs_is_shutdown(sbi))
		return "shutdown";
	if (!test_bit(LAKEFS_SB_RUNNING, &sbi->state))
		return rcu_access_pointer(sbi->att) ? "recovering" :
						      "waiting for a daemon";
	if (!test_bit(LAKEFS_SB_MOUNTED, &sbi->state))
		return "mounting";
	return "running";
}

/* ---- attach, ready, detach -------------------------------------------------- */

static void lakefs_att_free(struct lakefs_attachment *att)
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
	mutex_lock(&lakefs_mounts_lock);
	sbi->wanted_id = 0;
	mutex_unlock(&lakefs_mounts_lock);
	arg->features &= LAKEFS_FEATURES_KNOWN;
	arg->generation = att->generation;
	arg->epoch = READ_ONCE(sbi->epoch);
	arg->durable_seq = READ_ONCE(sbi->durable_seq);
	arg->last_seq = READ_ONCE(sbi->last_seq);
	mutex_unlock(&sbi->chan_lock);
	return 0;
}

static int lakefs_ioc_attach(struct lakefs_chan_file *cf,
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

static int lakefs_ioc_declare(struct lakefs_attachment *att,
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

static int lakefs_ioc_ready(struct lakefs_attachment *att,
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

/* The mount loses its daemon; its file may live on, fenced. */
static void lakefs_att_detach(struct lakefs_attachment *att)
{
	struct lakefs_sb_info *sbi = att->sbi;
	bool was;

	mutex_lock(&sbi->chan_lock);
	was = !att->detached;
	if (was) {
		down_write(&sbi->commit_sem);
		WRITE_ONCE(att->detached, true);
		up_write(&sbi->commit_sem);
		lakefs_att_set(sbi, NULL);
		mutex_lock(&lakefs_mounts_lock);
		if (sbi->registered && !lakefs_is_shutdown(sbi))
			lakefs_want_daemon(sbi);
		mutex_unlock(&lakefs_mounts_lock);
	}
	mutex_unlock(&sbi->chan_lock);
	if (was) {
		lakefs_event(sbi, LAKEFS_EV_DETACHED, 0, NULL);
		if (!lakefs_is_shutdown(sbi))
			lakefs_warn(sbi, "the daemon is gone; waiting for another");
	}
}

/* The mount is over, or never came to be: no daemon can reach the device. */
void lakefs_chan_unregister(struct lakefs_sb_info *sbi)
{
	struct lakefs_attachment *att;

	mutex_lock(&sbi->chan_lock);
	mutex_lock(&lakefs_mounts_lock);
	sbi->registered = false;
	sbi->wanted_id = 0;
	list_del_init(&sbi->wanted_link);
	mutex_unlock(&lakefs_mounts_lock);
	att = rcu_dereference_protected(sbi->att,
					lockdep_is_held(&sbi->chan_lock));
	if (att) {
		down_write(&sbi->commit_sem);
		WRITE_ONCE(att->detached, true);
		up_write(&sbi->commit_sem);
		lakefs_att_set(sbi, NULL);
		WRITE_ONCE(att->k->state, LAKEFS_CHAN_UNMOUNTED);
		wake_up_interruptible_poll(att->poll_wq, EPOLLHUP);
	}
	mutex_unlock(&sbi->chan_lock);
}

/*
 * Sticky: every wait ends with -EIO. Process context, no chan_lock needed
 * (READY calls it with chan_lock held); must not be called under a spinlock.
 */
void lakefs_shutdown(struct lakefs_sb_info *sbi, int error, const char *fmt,
		     ...)
{
	struct lakefs_attachment *att;
	char reason[sizeof(sbi->shutdown_reason)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);

	spin_lock(&sbi->rec_lock);
	if (lakefs_is_shutdown(sbi)) {
		spin_unlock(&sbi->rec_lock);
		return;
	}
	sbi->shutdown_error = error;
	memcpy(sbi->shutdown_reason, reason, sizeof(reason));
	/* pairs with smp_rmb of those who print the reason (sysfs, super) */
	smp_wmb();
	set_bit(LAKEFS_SB_SHUTDOWN, &sbi->state);
	att = rcu_dereference_protected(sbi->att,
					lockdep_is_held(&sbi->rec_lock));
	if (att) {
		WRITE_ONCE(att->k->state, LAKEFS_CHAN_SHUTDOWN);
		wake_up_interruptible_poll(att->poll_wq, EPOLLERR | EPOLLHUP);
	}
	spin_unlock(&sbi->rec_lock);

	lakefs_req_fail_all(sbi);
	wake_up_all(&sbi->durable_wq);
	wake_up_all(&sbi->state_wq);
	pr_err("lakefs (%s): shut down: %s\n", sbi->name, reason);
	lakefs_event(sbi, LAKEFS_EV_SHUTDOWN, error, reason);
}

/* ---- the other calls --------------------------------------------------------- */

static int lakefs_ioc_kick(struct lakefs_attachment *att)
{
	struct lakefs_sb_info *sbi = att->sbi;
	u64 applied = READ_ONCE(att->d->applied_seq);

	spin_lock(&sbi->rec_lock);
	if (lakefs_running_att(sbi) == att)
		WRITE_ONCE(sbi->applied_seq,
			   clamp(applied, sbi->applied_seq, sbi->sent_seq));
	spin_unlock(&sbi->rec_lock);
	lakefs_req_consume(sbi, att);
	lakefs_rec_pump(sbi);
	lakefs_req_pump(sbi, false);
	return READ_ONCE(att->detached) ? -ESTALE :
	       READ_ONCE(att->broken) ? -EPROTO :
	       lakefs_is_shutdown(sbi) ? -EIO : 0;
}

static int lakefs_ioc_fail(struct lakefs_attachment *att,
			   const struct lakefs_fail __user *argp)
{
	struct lakefs_fail arg;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (READ_ONCE(att->detached))
		return -ESTALE;
	arg.reason[sizeof(arg.reason) - 1] = 0;
	if (arg.error >= 0 || arg.error < -MAX_ERRNO)
		arg.error = -EIO;
	lakefs_shutdown(att->sbi, arg.error, "%s", arg.reason);
	return 0;
}

static int lakefs_ioc_commit(struct lakefs_attachment *att,
			     const struct lakefs_commit __user *argp)
{
	struct lakefs_commit arg;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	return lakefs_commit(att, &arg);
}

static long lakefs_chan_ioctl(struct file *file, unsigned int cmd,
			      unsigned long arg)
{
	struct lakefs_chan_file *cf = file->private_data;
	struct lakefs_attachment *att = smp_load_acquire(&cf->att);
	void __user *argp = (void __user *)arg;

	if (cmd == LAKEFS_IOC_NEXT_WANTED)
		return lakefs_ioc_next_wanted(cf, argp);
	if (cmd == LAKEFS_IOC_ATTACH)
		return lakefs_ioc_attach(cf, argp);
	if (!att)
		return -ENOTCONN;
	switch (cmd) {
	case LAKEFS_IOC_DECLARE:
		return lakefs_ioc_declare(att, argp);
	case LAKEFS_IOC_READY:
		return lakefs_ioc_ready(att, argp);
	case LAKEFS_IOC_COMMIT:
		return lakefs_ioc_commit(att, argp);
	case LAKEFS_IOC_KICK:
		return lakefs_ioc_kick(att);
	case LAKEFS_IOC_FAIL:
		return lakefs_ioc_fail(att, argp);
	case LAKEFS_IOC_DETACH:
		lakefs_att_detach(att);
		return 0;
	default:
		return -ENOTTY;
	}
}

static int lakefs_chan_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct lakefs_chan_file *cf = file->private_data;
	struct lakefs_attachment *att = smp_load_acquire(&cf->att);

	if (!att)
		return -ENOTCONN;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	/* a child of the daemon must not keep the attachment alive */
	vm_flags_set(vma, VM_DONTCOPY);
	if (vma->vm_pgoff == LAKEFS_MMAP_RO >> PAGE_SHIFT) {
		if (vma->vm_flags & (VM_WRITE | VM_EXEC))
			return -EPERM;
		vm_flags_clear(vma, VM_MAYWRITE | VM_MAYEXEC);
		return remap_vmalloc_range(vma, att->ro, 0);
	}
	if (vma->vm_pgoff == LAKEFS_MMAP_RW >> PAGE_SHIFT) {
		if (vma->vm_flags & VM_EXEC)
			return -EPERM;
		vm_flags_clear(vma, VM_MAYEXEC);
		return remap_vmalloc_range(vma, att->rw, 0);
	}
	return -EINVAL;
}

static __poll_t lakefs_chan_poll(struct file *file, poll_table *wait)
{
	struct lakefs_chan_file *cf = file->private_data;
	struct lakefs_attachment *att;
	struct lakefs_sb_info *sbi;
	__poll_t mask = 0;

	poll_wait(file, &cf->wq, wait);
	att = smp_load_acquire(&cf->att);
	if (!att)
		return atomic64_read(&lakefs_newest_id) >
		       READ_ONCE(cf->seen_id) ? EPOLLIN | EPOLLRDNORM : 0;
	sbi = att->sbi;
	if (READ_ONCE(att->detached))
		return EPOLLHUP;
	if (READ_ONCE(att->broken))
		return EPOLLERR;
	if (lakefs_is_shutdown(sbi))
		return EPOLLERR | EPOLLHUP;
	/*
	 * poll_wait's barrier and lakefs_doorbell's: either the doorbell sees
	 * this waiter or we see what it announces.
	 */
	smp_mb();
	if (lakefs_ring_unread(&att->intents) ||
	    lakefs_ring_unread(&att->requests) ||
	    READ_ONCE(sbi->wanted_seq) > READ_ONCE(sbi->durable_seq))
		mask |= EPOLLIN | EPOLLRDNORM;
	return mask;
}

static int lakefs_chan_open(struct inode *inode, struct file *file)
{
	struct lakefs_chan_file *cf;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	cf = kzalloc(sizeof(*cf), GFP_KERNEL);
	if (!cf)
		return -ENOMEM;
	mutex_init(&cf->lock);
	init_waitqueue_head(&cf->wq);
	file->private_data = cf;
	mutex_lock(&lakefs_mounts_lock);
	list_add_tail(&cf->link, &lakefs_chan_files);
	mutex_unlock(&lakefs_mounts_lock);
	return 0;
}

static int lakefs_chan_release(struct inode *inode, struct file *file)
{
	struct lakefs_chan_file *cf = file->private_data;
	struct lakefs_attachment *att = cf->att;

	mutex_lock(&lakefs_mounts_lock);
	list_del(&cf->link);
	mutex_unlock(&lakefs_mounts_lock);
	if (att) {
		lakefs_att_detach(att);
		synchronize_rcu();	/* lakefs_doorbell */
		lakefs_sbi_put(att->sbi);
		lakefs_att_free(att);
	}
	kfree(cf);
	return 0;
}

static const struct file_operations lakefs_chan_fops = {
	.owner = THIS_MODULE,
	.open = lakefs_chan_open,
	.release = lakefs_chan_release,
	.unlocked_ioctl = lakefs_chan_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = lakefs_chan_mmap,
	.poll = lakefs_chan_poll,
	.llseek = noop_llseek,
};

static struct miscdevice lakefs_chan_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "lakefs",
	.mode = 0600,
	.fops = &lakefs_chan_fops,
};

int lakefs_chan_init(void)
{
	return misc_register(&lakefs_chan_misc);
}

void lakefs_chan_exit(void)
{
	misc_deregister(&lakefs_chan_misc);
}
