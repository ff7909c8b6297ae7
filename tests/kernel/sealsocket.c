// SPDX-License-Identifier: MPL-2.0
/*
 * Both ends of the socket of sealcalls.h. Its headers and proto/ exclude each
 * other: seals.c knows the latter.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "sealcalls.h"

static int listener;
static seal_answer_fn answer;

static void *serve(void *unused)
{
	struct seal_call c;

	for (;;) {
		int fd = accept(listener, NULL, NULL);

		while (fd >= 0 && recv(fd, &c, sizeof(c), 0) == sizeof(c)) {
			struct seal_answer a = { 0 };

			answer(&c, &a);
			if (send(fd, &a, sizeof(a), MSG_NOSIGNAL) != sizeof(a))
				break;
		}
		close(fd);
	}
	return unused;
}

static struct sockaddr_un address(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	strncpy(at.sun_path, path, sizeof(at.sun_path) - 1);
	return at;
}

bool seal_socket_serve(const char *path, seal_answer_fn fn)
{
	struct sockaddr_un at = address(path);
	pthread_t thread;

	answer = fn;
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	/* a predecessor's, which is dead */
	unlink(path);
	return listener >= 0 && !bind(listener, (void *)&at, sizeof(at)) &&
	       !listen(listener, 4) &&
	       !pthread_create(&thread, NULL, serve, NULL);
}

bool seal_socket_ask(const char *path, const struct seal_call *c,
		     struct seal_answer *a)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un at = address(path);
	bool done;

	done = fd >= 0 && !connect(fd, (void *)&at, sizeof(at)) &&
	       send(fd, c, sizeof(*c), MSG_NOSIGNAL) == sizeof(*c) &&
	       recv(fd, a, sizeof(*a), 0) == sizeof(*a);
	close(fd);
	return done;
}
