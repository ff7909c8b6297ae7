// SPDX-License-Identifier: GPL-2.0
/*
 * How the daemon's calls SEAL, CHECKED and UNSEAL come to an inode (seal.c),
 * SHARE to two (share.c), and REMAP to one (remap.c).
 *
 * They wait for answers of the daemon, and those who hold the files' maps
 * (invalidate_lock) may wait for the daemon, too. A daemon that is killed, or
 * that gives its attachment up, must go all the same: its file stays open, and
 * no successor can come, as long as a thread of it is in a call. So a worker
 * does the work, and the caller waits until that is done, or it is killed, or
 * the attachment is over. What was given up may have been done, or be done yet:
 * the daemon's intents tell.
 *
 * Nothing holds the mount for a caller but its file. So the worker takes
 * s_umount, shared, which an unmount takes to begin, and keeps it: the inodes
 * that it holds are gone before the unmount looks for such. Only tries, as
 * who has it exclusively may wait for the daemon; the same for freezing.
 */
#include <linux/delay.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "chan.h"
#include "data.h"

#define LAKEFS_CALL_TRIES	100	/* each of a millisecond or more */

struct lakefs_call {
	struct work_struct work;
	struct lakefs_sb_info *sbi;	/* holds a reference */
	unsigned int cmd;
	union {
		struct lakefs_seal seal;
		struct lakefs_share share;
		struct lakefs_remap remap;
	} arg;				/* _IOC_SIZE(cmd) of it */
	int err;
	bool given_up;
	struct completion done;
	refcount_t refs;		/* caller and worker */
};

static void lakefs_call_put(struct lakefs_call *call)
{
	if (!refcount_dec_and_test(&call->refs))
		return;
	lakefs_sbi_put(call->sbi);
	kfree(call);
}

/*
 * i_rwsem of a file. A program may hold it for as long as it likes (it writes
 * what a server of its own has not given yet), and must not hold up what this
 * thread holds. Only tries, so that two files are no matter of order.
 */
bool lakefs_call_lock(struct inode *inode)
{
	int tries;

	for (tries = 0; !inode_trylock(inode); tries++) {
		if (tries == LAKEFS_CALL_TRIES)
			return false;
		usleep_range(1000, 2000);
	}
	return true;
}

/* ---- the worker ---------------------------------------------------------- */

static int lakefs_call_enter(struct lakefs_sb_info *sbi)
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

static void lakefs_call_leave(struct lakefs_sb_info *sbi)
{
	sb_end_write(sbi->sb);
	up_read(&sbi->sb->s_umount);
}

static struct inode *lakefs_call_iget(struct lakefs_sb_info *sbi, u64 ino,
				      u32 generation)
{
	struct inode *inode = lakefs_iget_ino(sbi->sb, ino);

	if (IS_ERR(inode))
		return PTR_ERR(inode) == -ESTALE ? ERR_PTR(-ENOENT) : inode;
	if (inode->i_generation == generation && inode->i_nlink)
		return inode;
	iput(inode);
	return ERR_PTR(-ENOENT);
}

static int lakefs_seal_do(struct lakefs_call *call)
{
	struct lakefs_seal *arg = &call->arg.seal;
	struct inode *inode;
	int err;

	inode = lakefs_call_iget(call->sbi, arg->ino, arg->generation);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	err = lakefs_seal_inode(inode, call->cmd, arg);
	iput(inode);
	return err;
}

static int lakefs_share_do(struct lakefs_call *call)
{
	struct lakefs_share *arg = &call->arg.share;
	struct inode *src, *dst;
	int err;

	if (arg->src_ino == arg->dst_ino)
		return -EINVAL;
	src = lakefs_call_iget(call->sbi, arg->src_ino, arg->src_generation);
	if (IS_ERR(src))
		return PTR_ERR(src);
	dst = lakefs_call_iget(call->sbi, arg->dst_ino, arg->dst_generation);
	if (IS_ERR(dst)) {
		err = PTR_ERR(dst);
	} else {
		err = lakefs_share_inodes(src, dst, arg);
		iput(dst);
	}
	iput(src);
	return err;
}

static int lakefs_remap_do(struct lakefs_call *call)
{
	struct lakefs_remap *arg = &call->arg.remap;
	struct inode *inode;
	int err;

	inode = lakefs_call_iget(call->sbi, arg->ino, arg->generation);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	err = lakefs_remap_inode(inode, arg);
	iput(inode);
	return err;
}

static int lakefs_call_do(struct lakefs_call *call)
{
	switch (call->cmd) {
	case LAKEFS_IOC_SHARE:
		return lakefs_share_do(call);
	case LAKEFS_IOC_REMAP:
		return lakefs_remap_do(call);
	default:
		return lakefs_seal_do(call);
	}
}

static void lakefs_call_work(struct work_struct *work)
{
	struct lakefs_call *call =
		container_of(work, struct lakefs_call, work);
	struct lakefs_sb_info *sbi = call->sbi;

	call->err = -EINTR;
	if (!READ_ONCE(call->given_up)) {
		call->err = lakefs_call_enter(sbi);
		if (!call->err) {
			mutex_lock(&sbi->seal_lock);
			call->err = lakefs_call_do(call);
			mutex_unlock(&sbi->seal_lock);
			lakefs_call_leave(sbi);
		}
	}
	complete(&call->done);
	wake_up_all(&sbi->state_wq);
	lakefs_call_put(call);
}

/* ---- the call ------------------------------------------------------------ */

/* Also keeps the mount's queue from going away under us. */
static int lakefs_call_queue(struct lakefs_attachment *att,
			     struct lakefs_call *call)
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

static int lakefs_call_wait(struct lakefs_attachment *att,
			    struct lakefs_call *call)
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

static bool lakefs_call_flags_ok(const struct lakefs_call *call)
{
	switch (call->cmd) {
	case LAKEFS_IOC_SHARE:
		return !call->arg.share.flags;
	case LAKEFS_IOC_REMAP:
		return lakefs_remap_flags_ok(call->arg.remap.flags);
	default:
		return !call->arg.seal.flags;
	}
}

int lakefs_ioc_call(struct lakefs_attachment *att, unsigned int cmd,
		    void __user *argp)
{
	struct lakefs_call *call = kzalloc(sizeof(*call), GFP_KERNEL);
	int err;

	if (!call)
		return -ENOMEM;
	call->sbi = att->sbi;
	call->cmd = cmd;
	refcount_inc(&call->sbi->refs);
	refcount_set(&call->refs, 1);
	init_completion(&call->done);
	INIT_WORK(&call->work, lakefs_call_work);
	err = -EFAULT;
	if (copy_from_user(&call->arg, argp, _IOC_SIZE(cmd)))
		goto out;
	err = -EINVAL;
	if (!lakefs_call_flags_ok(call))
		goto out;
	refcount_inc(&call->refs);
	err = lakefs_call_queue(att, call);
	if (err) {
		lakefs_call_put(call);
		goto out;
	}
	err = lakefs_call_wait(att, call);
	if (!err && copy_to_user(argp, &call->arg, _IOC_SIZE(cmd)))
		err = -EFAULT;
out:
	lakefs_call_put(call);
	return err;
}
