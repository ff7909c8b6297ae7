// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink family "lakefs": events about mounts, multicast to whoever
 * listens. Nothing depends on anybody listening; lost events stay lost.
 */
#include <net/genetlink.h>
#include "lakefs.h"

static const struct genl_multicast_group lakefs_genl_groups[] = {
	/* where damaged blocks are, and what is in them, is not for everybody */
	{ .name = LAKEFS_GENL_GROUP, .flags = GENL_MCAST_CAP_SYS_ADMIN },
};

static struct genl_family lakefs_genl_family = {
	.name = LAKEFS_GENL_NAME,
	.version = LAKEFS_GENL_VERSION,
	.maxattr = LAKEFS_A_BLOCK,
	.module = THIS_MODULE,
	.mcgrps = lakefs_genl_groups,
	.n_mcgrps = ARRAY_SIZE(lakefs_genl_groups),
};

/* block 0, which is never data: none */
void lakefs_event_block(struct lakefs_sb_info *sbi, int event, int error,
			const char *reason, u64 block)
{
	struct sk_buff *skb;
	char dev[24];
	void *msg;

	skb = genlmsg_new(NLMSG_GOODSIZE, GFP_NOFS);
	if (!skb)
		return;
	snprintf(dev, sizeof(dev), "%u:%u", MAJOR(sbi->dev), MINOR(sbi->dev));
	msg = genlmsg_put(skb, 0, 0, &lakefs_genl_family, 0, event);
	if (!msg ||
	    nla_put_string(skb, LAKEFS_A_DEV, dev) ||
	    nla_put_u64_64bit(skb, LAKEFS_A_GENERATION,
			      READ_ONCE(sbi->generation),
			      LAKEFS_A_UNSPEC) ||
	    nla_put_s32(skb, LAKEFS_A_ERROR, error) ||
	    (reason && nla_put_string(skb, LAKEFS_A_REASON, reason)) ||
	    (block && nla_put_u64_64bit(skb, LAKEFS_A_BLOCK, block,
					LAKEFS_A_UNSPEC))) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, msg);
	/* -ESRCH only says that nobody listens */
	genlmsg_multicast(&lakefs_genl_family, skb, 0, 0, GFP_NOFS);
}

void lakefs_event(struct lakefs_sb_info *sbi, int event, int error,
		  const char *reason)
{
	lakefs_event_block(sbi, event, error, reason, 0);
}

int lakefs_netlink_init(void)
{
	return genl_register_family(&lakefs_genl_family);
}

void lakefs_netlink_exit(void)
{
	genl_unregister_family(&lakefs_genl_family);
}
