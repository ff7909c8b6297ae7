// SPDX-License-Identifier: GPL-2.0
/*
 * File handles, for NFS and open_by_handle_at(): 64-bit inode number and
 * generation, those of the parent behind them. Both stay with an inode for
 * good and numbers are never used again, so handles outlive everything.
 */
#include <linux/exportfs.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include "lakefs.h"

#define LAKEFS_FH		0x81	/* struct lakefs_fh */
#define LAKEFS_FH_PARENT	0x82	/* struct lakefs_fh_parent */
#define LAKEFS_FH_INVALID	0xff

struct lakefs_fh {
	__u64 ino;
	__u32 generation;
} __packed;

struct lakefs_fh_parent {
	struct lakefs_fh child;
	struct lakefs_fh parent;
} __packed;

#define LAKEFS_FH_WORDS		(sizeof(struct lakefs_fh) / 4)
#define LAKEFS_FH_PARENT_WORDS	(sizeof(struct lakefs_fh_parent) / 4)

static int lakefs_encode_fh(struct inode *inode, __u32 *fh, int *max_words,
			    struct inode *parent)
{
	struct lakefs_fh_parent *out = (void *)fh;
	int words = parent ? LAKEFS_FH_PARENT_WORDS : LAKEFS_FH_WORDS;

	if (*max_words < words) {
		*max_words = words;
		return LAKEFS_FH_INVALID;
	}
	*max_words = words;
	out->child.ino = inode->i_ino;
	out->child.generation = inode->i_generation;
	if (!parent)
		return LAKEFS_FH;
	out->parent.ino = parent->i_ino;
	out->parent.generation = parent->i_generation;
	return LAKEFS_FH_PARENT;
}

static struct dentry *lakefs_fh_dentry(struct super_block *sb,
				       const struct lakefs_fh *fh)
{
	struct inode *inode = lakefs_iget_ino(sb, fh->ino);

	if (IS_ERR(inode))
		return ERR_CAST(inode);
	if (inode->i_generation != fh->generation) {
		iput(inode);
		return ERR_PTR(-ESTALE);
	}
	return d_obtain_alias(inode);
}

static struct dentry *lakefs_fh_to_dentry(struct super_block *sb,
					  struct fid *fid, int words, int type)
{
	const struct lakefs_fh_parent *fh = (const void *)fid->raw;

	if ((type != LAKEFS_FH && type != LAKEFS_FH_PARENT) ||
	    words < LAKEFS_FH_WORDS)
		return NULL;
	return lakefs_fh_dentry(sb, &fh->child);
}

static struct dentry *lakefs_fh_to_parent(struct super_block *sb,
					  struct fid *fid, int words, int type)
{
	const struct lakefs_fh_parent *fh = (const void *)fid->raw;

	if (type != LAKEFS_FH_PARENT || words < LAKEFS_FH_PARENT_WORDS)
		return NULL;
	return lakefs_fh_dentry(sb, &fh->parent);
}

static struct dentry *lakefs_get_parent(struct dentry *child)
{
	struct inode *dir = d_inode(child), *parent;
	struct lakefs_sb_info *sbi = LAKEFS_SB(dir->i_sb);
	struct lakefs_r_ino ask = { .ino = dir->i_ino };
	struct lakefs_answer answer = { .reply_max = LAKEFS_INODE_ANSWER_MAX };
	u64 barrier = max(READ_ONCE(LAKEFS_I(dir)->last_seq),
			  lakefs_unknown_barrier(sbi));
	int ret;

	answer.reply = kmalloc(answer.reply_max, GFP_KERNEL);
	if (!answer.reply)
		return ERR_PTR(-ENOMEM);
	ret = lakefs_request(sbi, &ask, sizeof(ask), LAKEFS_R_PARENT, barrier,
			     &answer);
	if (ret < 0)
		parent = ERR_PTR(ret == -ENOENT ? -ESTALE : ret);
	else
		parent = lakefs_iget(dir->i_sb, answer.reply, ret, barrier);
	kfree(answer.reply);
	if (!IS_ERR(parent) && !S_ISDIR(parent->i_mode)) {
		iput(parent);
		return ERR_PTR(-EUCLEAN);
	}
	return IS_ERR(parent) ? ERR_CAST(parent) : d_obtain_alias(parent);
}

static int lakefs_commit_metadata(struct inode *inode)
{
	lakefs_flush_attr(inode);
	return lakefs_wait_durable(LAKEFS_SB(inode->i_sb),
				   READ_ONCE(LAKEFS_I(inode)->last_seq));
}

const struct export_operations lakefs_export_ops = {
	.encode_fh	= lakefs_encode_fh,
	.fh_to_dentry	= lakefs_fh_to_dentry,
	.fh_to_parent	= lakefs_fh_to_parent,
	.get_parent	= lakefs_get_parent,
	.commit_metadata = lakefs_commit_metadata,
};
