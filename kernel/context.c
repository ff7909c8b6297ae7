// SPDX-License-Identifier: GPL-2.0
/*
 * What a mount or a remount is asked for, and the file system's registration.
 */
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "ring.h"

enum { LAKEFS_OPT_NORECOVERY };

static const struct fs_parameter_spec lakefs_parameters[] = {
	/* nothing is written to the device; what its log holds is applied in memory */
	fsparam_flag("norecovery", LAKEFS_OPT_NORECOVERY),
	{ }
};

static int lakefs_parse_param(struct fs_context *fc,
			      struct fs_parameter *param)
{
	struct lakefs_options *options = fc->fs_private;
	struct fs_parse_result result;
	int opt = fs_parse(fc, lakefs_parameters, param, &result);

	if (opt < 0)
		return opt;
	options->norecovery = true;
	return 0;
}

static void lakefs_free_fc(struct fs_context *fc)
{
	kfree(fc->fs_private);
}

static int lakefs_get_tree(struct fs_context *fc)
{
	const struct lakefs_options *options = fc->fs_private;
	int err = get_tree_bdev(fc, lakefs_fill_super);
	struct super_block *sb;

	if (err || !options->norecovery)
		return err;
	/* another mount of the lake is there: what it is cannot be promised */
	sb = fc->root->d_sb;
	if (test_bit(LAKEFS_SB_NORECOVERY, &LAKEFS_SB(sb)->state))
		return 0;
	errorfc(fc, "the lake is mounted already, without norecovery");
	dput(fc->root);
	fc->root = NULL;
	deactivate_locked_super(sb);
	return -EBUSY;
}

/*
 * A mount that programs cannot change, and whose device has become read-only,
 * may get a daemon that writes nothing (lakefs_attach_sbi()). So whether they
 * can is told before they can, and until all that they did is durable.
 */
static int lakefs_reconfigure(struct fs_context *fc)
{
	const struct lakefs_options *options = fc->fs_private;
	struct super_block *sb = fc->root->d_sb;
	struct lakefs_sb_info *sbi = LAKEFS_SB(sb);
	bool norecovery = test_bit(LAKEFS_SB_NORECOVERY, &sbi->state);
	bool only_read;
	/* what is not asked for stays */
	bool rdonly = ((sb->s_flags & ~fc->sb_flags_mask) |
		       (fc->sb_flags & fc->sb_flags_mask)) & SB_RDONLY;
	int err;

	/* mount(8) says again what a mount has */
	if (options->norecovery && !norecovery) {
		errorfc(fc, "norecovery is for a new mount: unmount first");
		return -EINVAL;
	}
	if (!rdonly && (sbi->disk.ro_compat & ~LAKEFS_RO_COMPAT_KNOWN)) {
		errorfc(fc, "the device uses features this module can only read");
		return -EROFS;
	}
	mutex_lock(&sbi->chan_lock);
	only_read = test_bit(LAKEFS_SB_RDONLY_DEV, &sbi->state);
	if (!rdonly && !only_read)
		set_bit(LAKEFS_SB_WRITABLE, &sbi->state);
	mutex_unlock(&sbi->chan_lock);
	if (!rdonly && only_read) {
		errorfc(fc, norecovery ?
			"mounted norecovery: unmount, and mount without" :
			"the device was read-only: unmount, and mount again");
		return -EROFS;
	}
	err = sync_filesystem(sb);
	if (!err && rdonly)
		clear_bit(LAKEFS_SB_WRITABLE, &sbi->state);
	return err;
}

static const struct fs_context_operations lakefs_context_ops = {
	.parse_param = lakefs_parse_param,
	.free = lakefs_free_fc,
	.get_tree = lakefs_get_tree,
	.reconfigure = lakefs_reconfigure,
};

static int lakefs_init_fs_context(struct fs_context *fc)
{
	fc->fs_private = kzalloc(sizeof(struct lakefs_options), GFP_KERNEL);
	if (!fc->fs_private)
		return -ENOMEM;
	fc->ops = &lakefs_context_ops;
	/*
	 * What NFS clients and IMA know changes by. It is in memory only: its
	 * users add ctime to it, which goes on where it was forgotten. Set here,
	 * as a remount would clear it.
	 */
	fc->sb_flags |= SB_I_VERSION;
	return 0;
}

static struct file_system_type lakefs_fs_type = {
	.owner = THIS_MODULE,
	.name = "lakefs",
	.init_fs_context = lakefs_init_fs_context,
	.parameters = lakefs_parameters,
	.kill_sb = lakefs_kill_sb,
	.fs_flags = FS_REQUIRES_DEV | FS_ALLOW_IDMAP,
};
MODULE_ALIAS_FS("lakefs");

int lakefs_fs_init(void)
{
	return register_filesystem(&lakefs_fs_type);
}

void lakefs_fs_exit(void)
{
	unregister_filesystem(&lakefs_fs_type);
}
