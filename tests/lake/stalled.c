// SPDX-License-Identifier: MPL-2.0
/*
 * What happens beside a write that has begun and waits for its own memory,
 * which a userfaultfd holds back as a FUSE server would.
 *
 *   stalled held FILE    fsync of data behind what such a write has begun
 *   stalled both FILE    a direct write, and a store through a mapping to the
 *                        same block, which reaches the device first
 *   stalled poisoned FILE  a dirty page whose memory fails, then appends
 *   stalled reading FILE  a direct read; ends when it is killed
 * FILE is made, but for the last. Status 77: the kernel has no such thing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCK 4096

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

#define OK(call) ({ long ok_ = (long)(call); if (ok_ == -1) fail(#call); ok_; })

static struct {
	int uffd, fd;
	void *memory;
	size_t bytes;
	off_t offset;
	bool reads;
	pthread_t thread;
} stall;

static void *stalled_call(void *unused)
{
	(void)unused;
	return (void *)(stall.reads ?
		pread(stall.fd, stall.memory, stall.bytes, stall.offset) :
		pwrite(stall.fd, stall.memory, stall.bytes, stall.offset));
}

/* Begins a write (or a read) and returns when it waits for the first page of its memory. */
static void stall_write(int fd, size_t bytes, off_t offset)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffd_msg msg;

	stall.fd = fd;
	stall.bytes = bytes;
	stall.offset = offset;
	stall.uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (stall.uffd < 0 && errno == ENOSYS)
		exit(77);
	OK(stall.uffd);
	OK(ioctl(stall.uffd, UFFDIO_API, &api));
	stall.memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	OK(stall.memory);
	area.range.start = (uintptr_t)stall.memory;
	area.range.len = bytes;
	OK(ioctl(stall.uffd, UFFDIO_REGISTER, &area));
	if (pthread_create(&stall.thread, NULL, stalled_call, NULL))
		fail("pthread_create");
	if (read(stall.uffd, &msg, sizeof(msg)) != sizeof(msg) ||
	    msg.event != UFFD_EVENT_PAGEFAULT)
		fail("userfaultfd");
}

/* Gives it its memory, full of byte; returns what the write does. */
static ssize_t go_on(char byte)
{
	static char page[BLOCK];
	struct uffdio_copy copy = { .src = (uintptr_t)page, .len = BLOCK };
	void *result;
	size_t at;

	memset(page, byte, sizeof(page));
	for (at = 0; at < stall.bytes; at += BLOCK) {
		copy.dst = (uintptr_t)stall.memory + at;
		OK(ioctl(stall.uffd, UFFDIO_COPY, &copy));
	}
	pthread_join(stall.thread, &result);
	return (ssize_t)result;
}

/* The write has blocks 0 to 1023, of which none is there yet. */
static void held(int fd)
{
	OK(pwrite(fd, "x", 1, 2000 * BLOCK));
	stall_write(fd, 1024 * BLOCK, 0);
	OK(fsync(fd));
	_exit(0);	/* what the write would do is of no interest */
}

static void reading(int fd)
{
	stall.reads = true;
	stall_write(fd, BLOCK, 0);
	puts("it reads");
	fflush(stdout);
	pause();
}

static void both(int fd)
{
	char *map;

	OK(ftruncate(fd, 16 * BLOCK));
	stall_write(fd, BLOCK, 4 * BLOCK);
	map = mmap(NULL, 16 * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	OK(map);
	memset(map + 4 * BLOCK, 'm', BLOCK);
	OK(msync(map, 16 * BLOCK, MS_SYNC));
	if (go_on('d') != BLOCK)
		fail("the direct write");
	OK(fsync(fd));
}

static void poisoned(int fd)
{
	static char data[BLOCK];
	pid_t child;
	int status;
	char *map;

	OK(pwrite(fd, data, BLOCK, 0));
	child = OK(fork());
	if (!child) {
		map = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			   0);
		OK(map);
		*(volatile char *)map = 1;
		_exit(madvise(map, BLOCK, MADV_HWPOISON) ? errno : 0);
	}
	OK(waitpid(child, &status, 0));
	if (WIFEXITED(status) && WEXITSTATUS(status) == EINVAL)
		exit(77);
	if (!fsync(fd) || errno != EIO)
		fail("fsync is to tell that data is lost");
	OK(pwrite(fd, "y", 1, BLOCK));
	OK(fsync(fd));
}

int main(int argc, char **argv)
{
	bool direct = argc == 3 && (!strcmp(argv[1], "both") ||
				    !strcmp(argv[1], "reading"));
	int fd;

	if (argc != 3)
		return 2;
	fd = OK(open(argv[2], O_CREAT | O_RDWR | (direct ? O_DIRECT : 0),
		     0600));
	if (!strcmp(argv[1], "both"))
		both(fd);
	else if (!strcmp(argv[1], "reading"))
		reading(fd);
	else if (!strcmp(argv[1], "held"))
		held(fd);
	else if (!strcmp(argv[1], "poisoned"))
		poisoned(fd);
	return 0;
}
