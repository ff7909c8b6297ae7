// SPDX-License-Identifier: MPL-2.0
/*
 * hostile netlink SEED ROUNDS USER: malformed messages to the module's
 * generic netlink family and about it, members of its group that never read
 * or come and go, forged events. The family answers no command; events must
 * still go out afterwards, which the guest's script sees with `listen`:
 *
 * hostile netlink SEED 0 listen: waits for one event; prints its number.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "hostile.h"

#define LISTEN_MS 30000

#define for_each_attr(a, at, end)					\
	for (struct nlattr *a = (void *)(at);				\
	     (char *)(a + 1) <= (char *)(end) && a->nla_len >= sizeof(*a); \
	     a = (void *)((char *)a + NLA_ALIGN(a->nla_len)))

static u16 family;
static u32 group;

static int netlink_open(void)
{
	struct sockaddr_nl me = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	if (fd < 0 || bind(fd, (void *)&me, sizeof(me)))
		die("netlink socket: %m");
	return fd;
}

static void send_message(int fd, void *message, size_t bytes, u32 groups)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_groups = groups };

	sendto(fd, message, bytes, MSG_DONTWAIT, (void *)&to, sizeof(to));
}

static size_t put_attr(char *at, u16 type, const void *data, size_t bytes)
{
	struct nlattr a = { .nla_type = type, .nla_len = sizeof(a) + bytes };

	memcpy(at, &a, sizeof(a));
	memcpy(at + sizeof(a), data, bytes);
	return NLA_ALIGN(a.nla_len);
}

/* numbers of our family and its group */
static void resolve(int fd)
{
	union {
		struct nlmsghdr h;
		char bytes[8192];
	} m = { .h = { .nlmsg_type = GENL_ID_CTRL, .nlmsg_flags = NLM_F_REQUEST } };
	struct genlmsghdr *g = NLMSG_DATA(&m.h);
	ssize_t n;

	g->cmd = CTRL_CMD_GETFAMILY;
	g->version = 1;
	m.h.nlmsg_len = NLMSG_LENGTH(sizeof(*g)) +
		put_attr((char *)(g + 1), CTRL_ATTR_FAMILY_NAME,
			 contract_genl_name, strlen(contract_genl_name) + 1);
	send_message(fd, &m, m.h.nlmsg_len, 0);
	n = recv(fd, &m, sizeof(m), 0);
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(*g)) ||
	    m.h.nlmsg_type == NLMSG_ERROR)
		die("the module has no generic netlink family");
	for_each_attr(a, g + 1, m.bytes + n) {
		if (a->nla_type == CTRL_ATTR_FAMILY_ID)
			family = *(u16 *)(a + 1);
		if (a->nla_type != CTRL_ATTR_MCAST_GROUPS)
			continue;
		for_each_attr(one, a + 1, (char *)a + a->nla_len)
			for_each_attr(b, one + 1, (char *)one + one->nla_len)
				if (b->nla_type == CTRL_ATTR_MCAST_GRP_ID)
					group = *(u32 *)(b + 1);
	}
	if (!family || !group)
		die("family %u, group %u", family, group);
}

static int member(int rcvbuf)
{
	int fd = netlink_open();

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
		       sizeof(group))) {
		close(fd);
		return -1;
	}
	return fd;
}

static void one_message(int fd)
{
	static char bytes[16384];
	struct nlmsghdr *h = (void *)bytes;
	struct genlmsghdr *g = NLMSG_DATA(h);
	size_t length = NLMSG_LENGTH(sizeof(*g));
	unsigned int attrs = random_below(8);

	random_fill(bytes, sizeof(bytes));
	h->nlmsg_type = random_below(4) ? family : GENL_ID_CTRL;
	h->nlmsg_flags = random_below(2) ? NLM_F_REQUEST | NLM_F_ACK :
		NLM_F_REQUEST | (random_next() & (NLM_F_DUMP | NLM_F_ECHO |
						  NLM_F_CREATE | NLM_F_ACK));
	h->nlmsg_pid = random_below(2) ? 0 : random_odd();
	g->cmd = random_below(4) ? random_below(12) : random_next();
	g->version = random_below(3);
	while (attrs-- && length < 8192) {
		u16 type = random_below(contract_genl_attr_max + 3) |
			   (random_below(8) ? 0 : NLA_F_NESTED);

		if (h->nlmsg_type == GENL_ID_CTRL && random_below(2))
			length += put_attr(bytes + length,
					   CTRL_ATTR_FAMILY_ID, &family, 2);
		else
			length += put_attr(bytes + length, type, arg_valid(),
					   random_below(600));
		/* a length that lies */
		if (!random_below(8))
			*(u16 *)(bytes + length) = random_odd();
	}
	h->nlmsg_len = random_below(4) ? length : random_odd();
	send_message(fd, bytes, random_below(8) ? length : random_below(length),
		     random_below(8) || group > 32 ? 0 : 1u << (group - 1));
}

static void drain(int fd)
{
	static char bytes[32768];

	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

static int listen_once(void)
{
	static char bytes[8192];
	struct genlmsghdr *g = NLMSG_DATA((struct nlmsghdr *)bytes);
	struct pollfd p = { .fd = member(1 << 16), .events = POLLIN };
	ssize_t n;

	if (p.fd < 0)
		die("cannot join the group: %m");
	puts("listening");
	fflush(stdout);
	if (poll(&p, 1, LISTEN_MS) != 1)
		die("no event came");
	n = recv(p.fd, bytes, sizeof(bytes), 0);
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(*g)) ||
	    ((struct nlmsghdr *)bytes)->nlmsg_type != family)
		die("an event of %zd bytes", n);
	printf("%u\n", g->cmd);
	return 0;
}

int hostile_netlink(int argc, char **argv)
{
	unsigned long rounds = strtoul(argv[3], NULL, 0);
	const char *who = argc > 4 ? argv[4] : "0";
	unsigned int user = strtoul(who, NULL, 0);
	int fd = netlink_open(), deaf, passing = -1;

	resolve(fd);
	if (!strcmp(who, "listen"))
		return listen_once();
	if (user && (setgroups(0, NULL) || setresgid(user, user, user) ||
		     setresuid(user, user, user)))
		die("cannot become user %u: %m", user);
	deaf = member(1);		/* the smallest there is; never read */
	for (unsigned long i = 0; i < rounds; i++) {
		one_message(fd);
		if (i % 16 == 0)
			drain(fd);
		if (random_below(32) == 0) {
			if (passing >= 0)
				close(passing);
			passing = member(random_odd());
		}
	}
	if (deaf < 0)
		fprintf(stderr, "hostile: user %u is no member\n", user);
	return 0;
}
