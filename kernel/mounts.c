// SPDX-License-Identifier: GPL-2.0
/*
 * The mounts that a daemon can find: the wanted list, what state a mount is
 * in, and its end (unmounted, or shut down).
 */
#include <linux/blkdev.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "chan.h"

static DEFINE_MUTEX(lakefs_mounts_lock);
static LIST_HEAD(lakefs_mounts);	/* sbi->wanted_link, oldest id first */
static LIST_HEAD(lakefs_chan_files);
static atomic64_t lakefs_newest_id;

/* ---- open files ------------------------------------------------------------ */

void lakefs_chan_file_add(struct lakefs_chan_file *cf)
{
	mutex_lock(&lakefs_mounts_lock);
	list_add_tail(&cf->link, &lakefs_chan_files);
	mutex_unlock(&lakefs_mounts_lock);
}

void lakefs_chan_file_del(struct lakefs_chan_file *cf)
{
	mutex_lock(&lakefs_mounts_lock);
	list_del(&cf->link);
	mutex_unlock(&lakefs_mounts_lock);
}

/* Is there a wanted mount that this file was not told of? */
bool lakefs_wanted_news(struct lakefs_chan_file *cf)
{
	return atomic64_read(&lakefs_newest_id) > READ_ONCE(cf->seen_id);
}

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

int lakefs_ioc_next_wanted(struct lakefs_chan_file *cf,
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

struct lakefs_sb_info *lakefs_mount_find(dev_t dev)
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

void lakefs_mount_has_daemon(struct lakefs_sb_info *sbi)
{
	lockdep_assert_held(&sbi->chan_lock);
	mutex_lock(&lakefs_mounts_lock);
	sbi->wanted_id = 0;
	mutex_unlock(&lakefs_mounts_lock);
}

void lakefs_mount_lost_daemon(struct lakefs_sb_info *sbi)
{
	lockdep_assert_held(&sbi->chan_lock);
	mutex_lock(&lakefs_mounts_lock);
	if (sbi->registered && !lakefs_is_shutdown(sbi))
		lakefs_want_daemon(sbi);
	mutex_unlock(&lakefs_mounts_lock);
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

/* ---- the end of a mount ---------------------------------------------------- */

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
		lakefs_att_fence(att);
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
