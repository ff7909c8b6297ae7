// SPDX-License-Identifier: GPL-2.0
/*
 * How the daemon's calls SEAL, CHECKED and UNSEAL come to an inode (seal.c).
 *
 * Sealing waits for locks of the file and for answers of the daemon, and those
 * who hold the locks may wait for the daemon, too. A daemon that is killed, or
 * that gives its attachment up, must go all the same: its file stays open, and
 * no successor can come, as long as a thread of it is in a call. So a worker
 * does the work, and the caller waits until that is done, or it is killed, or
 * the attachment is over. What was given up may have been done, or be done yet:
 * the daemon's intents tell.
 *
 * Nothing holds the mount for a caller but its file. So the worker takes
 * s_umount, shared, which an unmount takes to begin, and keeps it: the inode
 * that it holds is gone before the unmount looks for such. Only tries, as
 * who has it exclusively may wait for the daemon; the same for freezing.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "chan.h"
#include "data.h"

struct lakefs_seal_call {
	struct work_struct work;
	struct lakefs_sb_info *sbi;	/* holds a reference */
	unsigned int cmd;
	struct lakefs_seal arg;
	int err;
	bool given_up;
	struct completion done;
	refcount_t refs;		/* caller and worker */
};

static void lakefs_seal_put(struct lakefs_seal_call *call)
{
	if (!refcount_dec_and_test(&call->refs))
		return;
	lakefs_sbi_put(call->sbi);
	kfree(call);
}

/* ---- the worker ---------------------------------------------------------- */

static int lakefs_seal_enter(struct lakefs_sb_info *sbi)
{
	int err = 0;

	/* until it is unregistered there is a super block */
	mutex_lock(&sbi->chan_lock);
	if (!sbi->registered)
		err = -ESTALE;
	else if (!test_bit(LAKEFS_SB_MOUNTED, &sbi->state))
		err = -EAGAIN;
	else if (!down_read_trylock(&sbi->sb->s_umount))
		err = -EBUSY;
	mutex_unlock(&sbi->chan_lock);
	if (err)
		return err;
	if (!sbi->sb->s_root)
		err = -ESTALE;
	else if (sb_rdonly(sbi->sb))
		err = -EROFS;
	else if (!sb_start_write_trylock(sbi->sb))
		err = -EBUSY;
	if (err)
		up_read(&sbi->sb->s_umount);
	return err;
}

static void lakefs_seal_leave(struct lakefs_sb_info *sbi)
{
	sb_end_write(sbi->sb);
	up_read(&sbi->sb->s_umount);
}

static int lakefs_seal_do(struct lakefs_seal_call *call)
{
	struct lakefs_sb_info *sbi = call->sbi;
	struct inode *inode;
	int err;

	inode = lakefs_iget_ino(sbi->sb, call->arg.ino);
	if (IS_ERR(inode))
		return PTR_ERR(inode) == -ESTALE ? -ENOENT : PTR_ERR(inode);
	if (inode->i_generation != call->arg.generation || !inode->i_nlink)
		err = -ENOENT;
	else
		err = lakefs_seal_inode(inode, call->cmd, &call->arg);
	iput(inode);
	return err;
}

static void lakefs_seal_work(struct work_struct *work)
{
	struct lakefs_seal_call *call =
		container_of(work, struct lakefs_seal_call, work);
	struct lakefs_sb_info *sbi = call->sbi;

	call->err = -EINTR;
	if (!READ_ONCE(call->given_up)) {
		call->err = lakefs_seal_enter(sbi);
		if (!call->err) {
			mutex_lock(&sbi->seal_lock);
			call->err = lakefs_seal_do(call);
			mutex_unlock(&sbi->seal_lock);
			lakefs_seal_leave(sbi);
		}
	}
	complete(&call->done);
	wake_up_all(&sbi->state_wq);
	lakefs_seal_put(call);
}

/* ---- the call ------------------------------------------------------------ */

/* Also keeps the mount's queue from going away under us. */
static int lakefs_seal_queue(struct lakefs_attachment *att,
			     struct lakefs_seal_call *call)
{
	struct lakefs_sb_info *sbi = att->sbi;
	int err = 0;

	mutex_lock(&sbi->chan_lock);
	if (att->detached || !att->ready || !sbi->registered)
		err = -ESTALE;
	else if (lakefs_is_shutdown(sbi))
		err = -EIO;
	else
		queue_work(sbi->seal_wq, &call->work);
	mutex_unlock(&sbi->chan_lock);
	return err;
}

/* what the other calls say then; 0: it is not over */
static int lakefs_att_over(struct lakefs_attachment *att)
{
	return READ_ONCE(att->detached) ? -ESTALE :
	       READ_ONCE(att->broken) ? -EPROTO :
	       lakefs_is_shutdown(att->sbi) ? -EIO : 0;
}

static int lakefs_seal_wait(struct lakefs_attachment *att,
			    struct lakefs_seal_call *call)
{
	int err;

	if (wait_event_killable(att->sbi->state_wq,
				completion_done(&call->done) ||
				lakefs_att_over(att)))
		err = -EINTR;
	else if (completion_done(&call->done))
		return call->err;
	else
		err = lakefs_att_over(att);
	WRITE_ONCE(call->given_up, true);
	return err;
}

int lakefs_ioc_seal(struct lakefs_attachment *att, unsigned int cmd,
		    struct lakefs_seal __user *argp)
{
	struct lakefs_seal_call *call = kzalloc(sizeof(*call), GFP_KERNEL);
	int err;

	if (!call)
		return -ENOMEM;
	call->sbi = att->sbi;
	call->cmd = cmd;
	refcount_inc(&call->sbi->refs);
	refcount_set(&call->refs, 1);
	init_completion(&call->done);
	INIT_WORK(&call->work, lakefs_seal_work);
	err = -EFAULT;
	if (copy_from_user(&call->arg, argp, sizeof(call->arg)))
		goto out;
	err = -EINVAL;
	if (call->arg.flags)
		goto out;
	refcount_inc(&call->refs);
	err = lakefs_seal_queue(att, call);
	if (err) {
		lakefs_seal_put(call);
		goto out;
	}
	err = lakefs_seal_wait(att, call);
	if (!err && copy_to_user(argp, &call->arg, sizeof(call->arg)))
		err = -EFAULT;
out:
	lakefs_seal_put(call);
	return err;
}
