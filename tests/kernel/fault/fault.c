// SPDX-License-Identifier: GPL-2.0
/*
 * A module that misbehaves on demand: it proves that the VM tool sees what a
 * broken kernel module does.
 *   insmod fault.ko mode=warn|oops|panic|none
 */
#include <linux/module.h>

static char *mode = "none";
module_param(mode, charp, 0444);

static int __init fault_init(void)
{
	volatile int *nowhere = (int *)8;

	if (!strcmp(mode, "warn"))
		WARN(1, "fault: asked to warn\n");
	else if (!strcmp(mode, "oops"))
		*nowhere = 1;
	else if (!strcmp(mode, "panic"))
		panic("fault: asked to panic");
	else if (!strcmp(mode, "none"))
		pr_info("fault: loaded\n");
	else
		return -EINVAL;
	return 0;
}

static void __exit fault_exit(void)
{
}

module_init(fault_init);
module_exit(fault_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Misbehaves on demand, for tests");
