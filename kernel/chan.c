// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/lakefs: the file through which a daemon finds mounts and serves one.
 * One open file serves at most one attachment in its life.
 */
#include <linux/capability.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include "chan.h"

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
	case LAKEFS_IOC_SEAL:
	case LAKEFS_IOC_CHECKED:
	case LAKEFS_IOC_UNSEAL:
	case LAKEFS_IOC_SHARE:
	case LAKEFS_IOC_REMAP:
		return lakefs_ioc_call(att, cmd, argp);
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
		return lakefs_wanted_news(cf) ? EPOLLIN | EPOLLRDNORM : 0;
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
	lakefs_chan_file_add(cf);
	return 0;
}

static int lakefs_chan_release(struct inode *inode, struct file *file)
{
	struct lakefs_chan_file *cf = file->private_data;
	struct lakefs_attachment *att = cf->att;

	lakefs_chan_file_del(cf);
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
