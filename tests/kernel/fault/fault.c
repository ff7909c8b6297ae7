// SPDX-License-Identifier: GPL-2.0
/*
 * A module that misbehaves on demand: it proves that the VM tool sees what a
 * broken kernel module does.
 *   insmod fault.ko mode=warn|oops|panic|none
 * and for kernels with KASAN, lockdep, DEBUG_ATOMIC_SLEEP, kmemleak:
 *   freed (memory is read), locks (in both orders), sleep (under a spin lock),
 *   leak, unlocked (lockdep turned off)
 */
#include <linux/debug_locks.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static char *mode = "none";
module_param(mode, charp, 0444);

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(spin);

static void fault_freed(void)
{
	volatile int *freed = kmalloc(64, GFP_KERNEL);

	kfree((void *)freed);
	pr_info("fault: read %d\n", *freed);
}

static void fault_locks(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void fault_sleep(void)
{
	spin_lock(&spin);
	msleep(20);
	spin_unlock(&spin);
}

/* Several: what is still in a register or on a stack is no leak. */
static void fault_leak(void)
{
	void *lost;
	int i;

	for (i = 0; i < 20; i++) {
		lost = kmalloc(128, GFP_KERNEL);
		OPTIMIZER_HIDE_VAR(lost);
	}
}

static int __init fault_init(void)
{
	volatile int *nowhere = (int *)8;

	if (!strcmp(mode, "warn"))
		WARN(1, "fault: asked to warn\n");
	else if (!strcmp(mode, "oops"))
		*nowhere = 1;
	else if (!strcmp(mode, "panic"))
		panic("fault: asked to panic");
	else if (!strcmp(mode, "freed"))
		fault_freed();
	else if (!strcmp(mode, "locks"))
		fault_locks();
	else if (!strcmp(mode, "sleep"))
		fault_sleep();
	else if (!strcmp(mode, "leak"))
		fault_leak();
	else if (!strcmp(mode, "unlocked"))
		debug_locks_off();
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
