// SPDX-License-Identifier: MPL-2.0
/* How the tests of sealing ask and look: see sealing.h. */
#include "sealing.h"
#include <linux/fs.h>
#include <sys/ioctl.h>

#define TRIES	400

const char *seal_socket, *seal_device;

struct seal_answer seal_ask_call(const struct seal_call *call)
{
	struct seal_answer answer;

	for (int i = 0; i < TRIES; i++) {
		if (seal_socket_ask(seal_socket, call, &answer))
			return answer;
		usleep(50000);
	}
	fail_at(__FILE__, __LINE__, "nobody answers at %s", seal_socket);
}

struct seal_answer seal_ask(int fd, uint32_t op, uint64_t block,
			    uint64_t blocks)
{
	struct seal_call call = {
		.op = op, .map_seq = SEAL_NOW, .file_block = block,
		.blocks = blocks,
	};
	unsigned int generation;
	struct stat st;

	OK(fstat(fd, &st));
	OK(ioctl(fd, FS_IOC_GETVERSION, &generation));
	call.ino = st.st_ino;
	call.generation = generation;
	return seal_ask_call(&call);
}

/* EINTR, ESTALE: the daemon died in the call. Asked twice is no matter. */
static void ask_until_done(int fd, uint32_t op, uint64_t block,
			   uint64_t blocks)
{
	struct seal_answer a;

	for (int i = 0; i < TRIES; i++) {
		OK(fsync(fd));
		a = seal_ask(fd, op, block, blocks);
		if (!a.error)
			return;
		if (a.error != EAGAIN && a.error != EINTR && a.error != ESTALE)
			break;
		usleep(10000);
	}
	fail_at(__FILE__, __LINE__, "op %u: %s", op, strerror(a.error));
}

void seal(int fd, uint64_t block, uint64_t blocks)
{
	ask_until_done(fd, SEAL_CALL_SEAL, block, blocks);
}

void seal_checked(int fd, uint64_t block, uint64_t blocks)
{
	seal(fd, block, blocks);
	ask_until_done(fd, SEAL_CALL_SUMS, block, blocks);
	ask_until_done(fd, SEAL_CALL_CHECKED, block, blocks);
}

void unseal(int fd, uint64_t block, uint64_t blocks)
{
	ask_until_done(fd, SEAL_CALL_UNSEAL, block, blocks);
}

struct seal_answer seal_where(int fd, uint64_t block)
{
	struct seal_answer a;

	/* what is durable is applied */
	OK(fsync(fd));
	a = seal_ask(fd, SEAL_CALL_WHERE, block, 1);
	EQ(a.error, 0);
	return a;
}

static int device_open(void)
{
	return OK(open(seal_device, O_RDWR | O_DIRECT | O_CLOEXEC));
}

void device_read(uint64_t phys, uint8_t *block)
{
	uint8_t *own = aligned(BLOCK);
	int fd = device_open();

	EQ(pread(fd, own, BLOCK, phys * BLOCK), BLOCK);
	memcpy(block, own, BLOCK);
	close(fd);
	free(own);
}

void device_write(uint64_t phys, const uint8_t *block)
{
	uint8_t *own = aligned(BLOCK);
	int fd = device_open();

	memcpy(own, block, BLOCK);
	EQ(pwrite(fd, own, BLOCK, phys * BLOCK), BLOCK);
	close(fd);
	free(own);
}

void device_flip(uint64_t byte)
{
	uint8_t block[BLOCK];

	device_read(byte / BLOCK, block);
	block[byte % BLOCK] ^= 0x10;
	device_write(byte / BLOCK, block);
}

uint64_t lake_number(const char *name)
{
	const char *device = strrchr(seal_device, '/');
	char file[PATH_MAX], text[32] = "";
	int fd;

	snprintf(file, sizeof(file), "/sys/fs/lakefs%s/%s", device, name);
	fd = OK(open(file, O_RDONLY));
	OK(read(fd, text, sizeof(text) - 1));
	close(fd);
	return strtoull(text, NULL, 10);
}
