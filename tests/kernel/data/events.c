// SPDX-License-Identifier: MPL-2.0
/* Events of lakefs over generic netlink: that damage is told of. */
#include "sealing.h"
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

/* as in proto/, which <linux/...> excludes */
#define EV_DAMAGED	7
#define A_BLOCK		5

#define for_each_attr(a, at, end)					\
	for (struct nlattr *a = (void *)(at);				\
	     (char *)(a + 1) <= (char *)(end) && a->nla_len >= sizeof(*a); \
	     a = (void *)((char *)a + NLA_ALIGN(a->nla_len)))

union message {
	struct nlmsghdr h;
	char bytes[8192];
};

static uint32_t group_of(const union message *m, ssize_t n)
{
	const struct genlmsghdr *g = NLMSG_DATA(&m->h);

	for_each_attr(a, g + 1, m->bytes + n) {
		if (a->nla_type != CTRL_ATTR_MCAST_GROUPS)
			continue;
		for_each_attr(one, a + 1, (char *)a + a->nla_len)
			for_each_attr(b, one + 1, (char *)one + one->nla_len)
				if (b->nla_type == CTRL_ATTR_MCAST_GRP_ID)
					return *(uint32_t *)(b + 1);
	}
	return 0;
}

int events_open(void)
{
	union message m = {
		.h = { .nlmsg_type = GENL_ID_CTRL,
		       .nlmsg_flags = NLM_F_REQUEST },
	};
	struct genlmsghdr *g = NLMSG_DATA(&m.h);
	struct nlattr *name = (void *)(g + 1);
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int fd = OK(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
			   NETLINK_GENERIC));
	uint32_t group;

	g->cmd = CTRL_CMD_GETFAMILY;
	g->version = 1;
	name->nla_type = CTRL_ATTR_FAMILY_NAME;
	name->nla_len = sizeof(*name) + sizeof("lakefs");
	memcpy(name + 1, "lakefs", sizeof("lakefs"));
	m.h.nlmsg_len = NLMSG_LENGTH(sizeof(*g)) + NLA_ALIGN(name->nla_len);
	OK(sendto(fd, &m, m.h.nlmsg_len, 0, (void *)&kernel, sizeof(kernel)));
	group = group_of(&m, OK(recv(fd, &m, sizeof(m), 0)));
	CHECK(group);
	OK(setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
		      sizeof(group)));
	return fd;
}

bool events_tell_of(int fd, uint64_t block)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	union message m;

	while (poll(&p, 1, 1000) == 1) {
		ssize_t n = OK(recv(fd, &m, sizeof(m), 0));
		const struct genlmsghdr *g = NLMSG_DATA(&m.h);

		if (g->cmd != EV_DAMAGED)
			continue;
		for_each_attr(a, g + 1, m.bytes + n) {
			uint64_t value = 0;

			if (a->nla_type != A_BLOCK)
				continue;
			memcpy(&value, a + 1, sizeof(value));
			if (value == block)
				return true;
		}
	}
	return false;
}
