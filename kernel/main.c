// SPDX-License-Identifier: GPL-2.0
/* Loading and unloading of lakefs.ko: the parts in order of their layers. */
#include <linux/module.h>
#include "lakefs.h"
#include "../proto/lakefs_abi_check.h"

static const struct {
	int (*init)(void);
	void (*exit)(void);
} lakefs_parts[] = {
	{ lakefs_netlink_init, lakefs_netlink_exit },
	{ lakefs_sysfs_init, lakefs_sysfs_exit },
	{ lakefs_crc_init, lakefs_crc_exit },
	{ lakefs_rec_init, lakefs_rec_exit },
	{ lakefs_lens_bios_init, lakefs_lens_bios_exit },
	{ lakefs_extent_init, lakefs_extent_exit },
	{ lakefs_inode_cache_init, lakefs_inode_cache_exit },
	{ lakefs_chan_init, lakefs_chan_exit },
	{ lakefs_fs_init, lakefs_fs_exit },
};

static void lakefs_exit_parts(int n)
{
	while (n--)
		lakefs_parts[n].exit();
}

static int __init lakefs_init(void)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(lakefs_parts); i++) {
		err = lakefs_parts[i].init();
		if (err) {
			lakefs_exit_parts(i);
			return err;
		}
	}
	return 0;
}

static void __exit lakefs_exit(void)
{
	lakefs_exit_parts(ARRAY_SIZE(lakefs_parts));
}

module_init(lakefs_init);
module_exit(lakefs_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("DeepLake filesystem");
